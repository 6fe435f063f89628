"""`python -m hydra_callback_kit`: the same as the command `hydra-callback-kit`."""

from hydra_callback_kit.cli.main import main

main(prog_name="hydra-callback-kit")
