"""Registers hydra-callback-kit's options with Hydra, whose plugin scan imports this package."""
