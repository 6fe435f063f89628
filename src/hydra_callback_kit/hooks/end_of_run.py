"""The end of a run, whether Hydra announces it or not.

On Hydra 1.3 `on_multirun_end` does not come after a failure, and neither end hook comes after `sys.exit` or Ctrl-C. So what
a callback does at the end is armed at the start. A hook that did not come is made up for when control leaves Hydra, when the
next run starts in the process, or at the latest as the process ends.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks import gates, leaving_hydra
from hydra_callback_kit.hooks.after_the_sweep import asking_slurm, summaries_are_made, summaries_are_made_of
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.run_recorder import record_run_end, record_run_start
from hydra_callback_kit.journal.at_exit import at_exit
from hydra_callback_kit.journal.safe_log import SafeLogger

if TYPE_CHECKING:
    from hydra_callback_kit.journal.records import RunRecord

Finish = Callable[[DictConfig], None]

_log = SafeLogger("hydra_callback_kit")


def run_starts(config: DictConfig, finish: Finish | None = None) -> None:
    """Records the start of a run and arms what is to be done at its end.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        finish: called once with this config, when the run has ended; a bound method of the callback. That of a callback that
            has `comes_last` is called as control leaves Hydra, when all others have had their hooks.
    """
    record_run_start(config)
    _arm(config, finish)


def finish_what_is_over(config: DictConfig) -> None:
    """Ends the runs that this thread has left without an end, as the next one starts in it.

    Args:
        config: that of the run that starts.
    """
    if leaving_hydra.runs_on_the_stack() == 1:  # else it starts inside of a job
        pid, thread = os.getpid(), threading.get_ident()
        for key, armed in list(_armed.items()):
            if key[0] == pid and armed.thread == thread and armed.config is not config:
                _finish_run(key)


class _Armed(NamedTuple):
    """What is to be done at the end of a run."""

    config: DictConfig
    thread: int
    finishes: list[Finish]


def _arm(config: DictConfig, finish: Finish | None) -> None:
    key = os.getpid(), identify_run(config).run_id
    if key not in _armed:
        leaving_hydra.watch(_finish_what_this_thread_has_left)
        _armed[key] = _Armed(config, threading.get_ident(), [])
    if finish is not None and finish not in _armed[key].finishes:
        _armed[key].finishes.append(finish)


def run_ends(config: DictConfig, finish: Finish | None = None) -> None:
    """Records the end of a run and does what was armed for it, if it is still to be done.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        finish: what was armed in `run_starts`.
    """
    if record_run_end(config) and (run := identify_run(config)).mode == "MULTIRUN":
        from hydra_callback_kit.journal.gathering import gather  # noqa: PLC0415  of sweeps alone

        gather(run, asking_slurm)
    waits = _comes_last(finish) and leaving_hydra.runs_on_the_stack() > 0
    if not waits and disarm(config, finish) and finish is not None:
        try:
            finish(config)
        except KeyboardInterrupt:  # it is done as the process ends, which it now does
            _arm(config, finish)
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the run has ended
            report(f"{_name(finish)}.at_the_end", error)
        armed = _armed.get((os.getpid(), identify_run(config).run_id))
        if armed is None or all(map(_comes_last, armed.finishes)):
            summaries_are_made(config)


def disarm(config: DictConfig, finish: Finish | None) -> bool:
    """Takes back what was armed in `run_starts`.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        finish: what was armed.

    Returns:
        Whether it was still to be done.
    """
    key = os.getpid(), identify_run(config).run_id
    armed = _armed.get(key)
    was_armed = armed is not None and finish in armed.finishes
    if armed is not None and finish is not None and was_armed:
        armed.finishes.remove(finish)
    if armed is not None and not armed.finishes:
        _forget(key)
    return was_armed


def run_at_its_end(config: DictConfig, without: Collection[str] = ()) -> "RunRecord":
    """Reads what is to be summed up at the end of a run.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        without: names of facts that are left out.

    Returns:
        The run's record, where Slurm is asked for jobs of a sweep that cannot be seen from here. Jobs without an end are
        RUNNING only if they may outlive the run that ends here.

    Raises:
        JournalNotFoundError: if no line of it could be written.
    """
    from hydra_callback_kit.journal.life import HERE  # noqa: PLC0415  not every callback reads the record
    from hydra_callback_kit.journal.reader import read_run  # noqa: PLC0415  the same

    identity = identify_run(config)
    sight = asking_slurm() if identity.mode == "MULTIRUN" else HERE
    run = read_run(identity.root, identity.run_id, without=without, sight=sight, has_ended=not identity.rerun)
    summaries_are_made_of(config, run)
    return run


_armed: dict[tuple[int, str], _Armed] = {}
"""By process and run."""


def _forget(key: tuple[int, str]) -> None:
    _armed.pop(key, None)
    if not any(pid == os.getpid() for pid, _ in _armed):
        leaving_hydra.watch_no_more()


def _finish_what_this_thread_has_left() -> None:
    thread = threading.get_ident()
    for key, armed in list(_armed.items()):
        if key[0] == os.getpid() and armed.thread == thread:
            _finish_run(key)


@at_exit
def _finish_what_is_armed() -> None:
    for key in list(_armed):
        if key[0] == os.getpid():  # a forked child inherits what its parent has armed
            _finish_run(key)
    _end_as_interrupted()


def _finish_run(key: tuple[int, str]) -> None:
    config, _, finishes = _armed[key]
    if gates.is_refused(config):
        for finish in finishes:
            when_refused = getattr(getattr(finish, "__self__", None), "when_refused", None)
            if when_refused is not None:
                _finish(when_refused, config)
    else:
        record_run_end(config, late=True)
        while finishes:  # a callback that wraps others makes up for their end hooks, and what they armed is taken back
            others = [finish for finish in finishes if not _comes_last(finish)]
            if not others:
                summaries_are_made(config)
            finish = (others or finishes)[-1]  # the last first, as Hydra calls its end hooks
            finishes.remove(finish)
            _finish(finish, config)
        summaries_are_made(config)
    _forget(key)


def _finish(finish: Finish, config: DictConfig) -> None:
    """Does one callback's work, and again if Ctrl-C comes into it: people press it twice, and files are soon written."""
    for last in (False, True):
        try:
            finish(config)
        except KeyboardInterrupt:
            if last:
                _log.warning("%s did not finish: interrupted. The record has it all.", _name(finish))
        except Exception as error:  # noqa: BLE001  the others still have their work to do
            error.__suppress_context__ = True  # the run's own failure, which is being handled, is another one
            report(f"{_name(finish)}.at_the_end", error)
            return
        else:
            return


def _comes_last(finish: Finish | None) -> bool:
    return getattr(getattr(finish, "__self__", None), "comes_last", False)


def _name(finish: Finish) -> str:
    """The callback whose method it is."""
    return type(getattr(finish, "__self__", finish)).__name__


def _end_as_interrupted() -> None:
    """CPython ends by SIGINT if the last text of code that ran was interrupted; modules that are imported now run others.

    So do Ray's own functions for the end of a process, without us as well: there the exit code is 1.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and "ray" not in sys.modules:
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102  a text, and ours
