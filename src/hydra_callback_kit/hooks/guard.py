"""Keeps the promise that a callback never breaks the user's job, and lets the gates speak before any callback acts.

A callback whose purpose is to decide whether a run starts fails closed: where it cannot find out, nothing starts.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import note_mode
from hydra_callback_kit.hooks import gates
from hydra_callback_kit.hooks.config_mistakes import after_hook, before_hook
from hydra_callback_kit.hooks.end_of_run import finish_what_is_over
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.running_jobs import in_hook
from hydra_callback_kit.journal.rank import is_worker

Hook = TypeVar("Hook", bound=Callable[..., None])


def never_breaks_the_job(hook: Hook, *, every_rank: bool = False) -> Hook:
    """Decorates a hook: what it raises is logged once, and the job goes on.

    Hydra itself turns an exception of a hook into a warning, which Python shows once per place. An exception that is meant
    to stop the run (a `SystemExit`) passes. So does, as an abort, whatever a start hook raises of a callback that has
    `fails_closed`. Before the start of a run the gates are asked (see `gates`), and for a run that
    they have stopped no hook is called. In the ranks of a distributed job, but for rank 0, only hooks are called that are
    meant for every rank.

    Args:
        hook: a method of a callback.
        every_rank: whether it is meant for every rank, whatever the callback's `on_every_rank` says.

    Returns:
        The method, which raises no `Exception`.
    """
    starts_a_run = hook.__name__ in ("on_run_start", "on_multirun_start")

    @functools.wraps(hook)
    def guarded(self: object, *args: Any, **kwargs: Any) -> None:
        config = kwargs.get("config", args[0] if args else None)
        try:
            if isinstance(config, DictConfig):
                if starts_a_run:
                    finish_what_is_over(config)
                    note_mode(config, "MULTIRUN" if hook.__name__ == "on_multirun_start" else "RUN")
                    gates.ask_gates(hook.__name__, config)
                skipped = is_worker() and not (every_rank or getattr(self, "on_every_rank", False))
                if skipped or gates.is_refused(config):
                    return
                before_hook(hook.__name__, config)
            with in_hook(config if hook.__name__.startswith("on_job_") else None):
                hook(self, *args, **kwargs)
            if isinstance(config, DictConfig):
                after_hook(hook.__name__, config)
        except Exception as error:  # noqa: BLE001  whatever it is, the job goes on
            name = type(self).__name__
            starts = hook.__name__.endswith("_start")
            if starts and getattr(self, "fails_closed", False) and isinstance(config, DictConfig):
                gates.cannot_find_out(config, name, error)
            report(f"{name}.{hook.__name__}", error)

    return cast("Hook", guarded)
