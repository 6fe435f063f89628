"""The end of a process without an end hook: what wrapped callbacks hear, and what they armed themselves."""

import threading
from pathlib import Path
from typing import Any

import pytest
from hook_calls import Listener, config_of
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hydra_callback_kit import ConditionalCallback, ThreadSafeCallback
from hydra_callback_kit.hooks import end_of_run as lifecycle


class Arms(Callback):
    """Arms its end as this package's callbacks do, and notes whether another thread could have come in between."""

    def __init__(self, free: list[bool], lock: Any = None) -> None:
        self.free = free
        self.lock = lock

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Arms the end."""
        lifecycle.run_starts(config, self.finish)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Does what was armed."""
        lifecycle.run_ends(config, self.finish)

    def finish(self, config: DictConfig) -> None:
        """Tries the lock from another thread."""
        thread = threading.Thread(target=lambda: self.free.append(self.lock.acquire(blocking=False)))
        thread.start()
        thread.join()


@pytest.mark.parametrize("ends_first", [True, False])
@pytest.mark.parametrize("mode", ["RUN", "MULTIRUN"])
def test_an_end_hook_that_did_not_come_is_made_up_for(tmp_path: Path, mode: str, ends_first: bool) -> None:
    """Wrapped callbacks hear of the end once: from Hydra, or as the process ends; those without a start hear nothing."""
    heard: list[str] = []
    callback = ConditionalCallback("x", 1, callbacks={"if": ConditionalCallback("x", 1, callbacks={"it": Listener(heard)})})
    what = "multirun" if mode == "MULTIRUN" else "run"
    for x in (1, 2):
        config = config_of(tmp_path, {"x": x}, mode)
        getattr(callback, f"on_{what}_start")(config=config)
        if ends_first:
            getattr(callback, f"on_{what}_end")(config=config)
    lifecycle._finish_what_is_armed()
    assert heard == [f"it.on_{what}_start", f"it.on_{what}_end"]


def test_what_a_guarded_callback_armed_is_done_under_the_lock(tmp_path: Path) -> None:
    """Once, and with the other threads kept out."""
    free: list[bool] = []
    arms = Arms(free)
    callback = ThreadSafeCallback({"it": arms})
    arms.lock = callback.lock
    callback.on_multirun_start(config=config_of(tmp_path, mode="MULTIRUN"))
    lifecycle._finish_what_is_armed()
    lifecycle._finish_what_is_armed()
    assert free == [False]
