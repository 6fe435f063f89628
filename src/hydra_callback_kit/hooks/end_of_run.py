"""The end of a run, whether Hydra announces it or not.

On Hydra 1.3 `on_multirun_end` does not come after a failure, and neither end hook comes after `sys.exit` or Ctrl-C. So what
a callback does at the end is armed at the start, and the end of the process makes up for a hook that did not come.
"""

import atexit
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks import gates
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.recorder import record_run_end, record_run_start

if TYPE_CHECKING:
    from hydra_callback_kit.journal.records import RunRecord

Finish = Callable[[DictConfig], None]

_log = logging.getLogger("hydra_callback_kit")


def run_starts(config: DictConfig, finish: Finish | None = None) -> None:
    """Records the start of a run and arms what is to be done at its end.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        finish: called once with this config, when the run has ended; a bound method of the callback.
    """
    record_run_start(config)
    _arm(config, finish)


def _arm(config: DictConfig, finish: Finish | None) -> None:
    armed = _armed.setdefault((os.getpid(), identify_run(config).run_id), (config, []))
    if finish is not None and finish not in armed[1]:
        armed[1].append(finish)


def run_ends(config: DictConfig, finish: Finish | None = None) -> None:
    """Records the end of a run and does what was armed for it, if it is still to be done.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        finish: what was armed in `run_starts`.
    """
    record_run_end(config)
    if disarm(config, finish) and finish is not None:
        try:
            finish(config)
        except KeyboardInterrupt:  # it is done as the process ends, which it now does
            _arm(config, finish)
            raise


def disarm(config: DictConfig, finish: Finish | None) -> bool:
    """Takes back what was armed in `run_starts`.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        finish: what was armed.

    Returns:
        Whether it was still to be done.
    """
    key = os.getpid(), identify_run(config).run_id
    _, finishes = _armed.get(key, (config, []))
    was_armed = finish in finishes
    if finish is not None and was_armed:
        finishes.remove(finish)
    if not finishes:
        _armed.pop(key, None)
    return was_armed


def run_at_its_end(config: DictConfig, without: Collection[str] = ()) -> "RunRecord":
    """Reads what is to be summed up at the end of a run.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        without: names of facts that are left out.

    Returns:
        The run's record. No job of a run that ends here is RUNNING, whether or not the disk took the line that says so.

    Raises:
        JournalNotFoundError: if no line of it could be written.
    """
    from hydra_callback_kit.journal.reader import read_run  # noqa: PLC0415  not every callback reads the record

    identity = identify_run(config)
    return read_run(identity.root, identity.run_id, without=without, has_ended=not identity.rerun)


_armed: dict[tuple[int, str], tuple[DictConfig, list[Finish]]] = {}


@atexit.register
def _finish_what_is_armed() -> None:
    for pid, run_id in list(_armed):
        if pid != os.getpid():  # a forked child inherits what its parent has armed
            continue
        config, finishes = _armed[pid, run_id]
        if gates.is_refused(config):
            continue
        record_run_end(config)
        while finishes:  # a callback that wraps others makes up for their end hooks, and what they armed is taken back
            _finish(finishes.pop(), config)  # the last first, as Hydra calls its end hooks
        _armed.pop((pid, run_id), None)
    _end_as_interrupted()


def _finish(finish: Finish, config: DictConfig) -> None:
    """Does one callback's work, and again if Ctrl-C comes into it: people press it twice, and files are soon written."""
    for last in (False, True):
        try:
            finish(config)
        except KeyboardInterrupt:
            if last:
                _log.warning("%s did not finish: interrupted. The record has it all.", _name(finish))
        except Exception as error:  # noqa: BLE001  the others still have their work to do
            report(_name(finish), error)
            return
        else:
            return


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
