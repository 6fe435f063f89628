"""Hydra's own base class of callbacks, imported here alone: Hydra calls its place experimental and may move it."""

from hydra.experimental.callback import Callback

__all__ = ["Callback"]
