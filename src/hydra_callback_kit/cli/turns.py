"""Has each job that is run again to itself, and looks whether it still is to be run."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

import click

from hydra_callback_kit.journal.process import ProcessIdentity, is_alive
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.turn import NotOurTurnError, turn_at
from hydra_callback_kit.views import silence
from hydra_callback_kit.views.again import Wanted, why_left_out
from hydra_callback_kit.views.commands import Command


class Turn(NamedTuple):
    """What is known of a command's job, or of the jobs of its sweep, once nobody else has it.

    Attributes:
        why_left_out: why the command is not to be run: somebody else has seen to its job. An empty text if it is.
        attempts: how often each job has been started, by its number.
    """

    why_left_out: str
    attempts: dict[int, int]


TurnOf = Callable[[Command], AbstractContextManager[Turn]]
"""While the context lasts nobody else has the command's job."""


class Turns:
    """The turns of one `rerun --execute`.

    Args:
        run: the run as it was when the jobs were listed.
        look: looks at the run as it stands now.
        wanted: what was asked for.
        assume_gone: whether what nobody knows is taken to be gone.
    """

    def __init__(self, run: RunRecord, look: Callable[[], RunRecord], wanted: Wanted, *, assume_gone: bool) -> None:
        self._run = run
        self._look = look
        self._wanted = wanted
        self._assume_gone = assume_gone

    @contextlib.contextmanager
    def at(self, command: Command) -> Iterator[Turn]:
        """See `TurnOf`. A sweep that goes on looks itself.

        Raises:
            click.ClickException: if it cannot be found out whether somebody else has the job.
        """
        if command.onwards is not None or len(command.job_nums) > 1:
            yield Turn("", _attempts(self._run))
            return
        with contextlib.ExitStack() as stack:
            why = self._why_left_out(command.job_nums[0], stack)
            yield Turn(why, _attempts(self._run))

    def _why_left_out(self, num: int, stack: contextlib.ExitStack) -> str:
        while True:
            attempts, taken = _attempts(self._run).get(num, 0), None
            try:
                stack.enter_context(turn_at(self._run.root, self._run.run_id, num, attempts, self._is_gone))
            except NotOurTurnError as error:
                taken = error
            except OSError as error:
                raise click.ClickException(
                    f"Nothing more is run: whether another rerun has job {num} cannot be found out ({error})"
                ) from error
            self._run = self._look()  # what was known before may be older than somebody else's turn
            why = why_left_out(self._run, num, self._wanted)
            if why or _attempts(self._run).get(num, 0) == attempts:
                return why or ("" if taken is None else _said(taken))

    def _is_gone(self, process: ProcessIdentity) -> bool:
        alive = is_alive(process)
        return self._assume_gone if alive is None else not alive


def _attempts(run: RunRecord) -> dict[int, int]:
    return {job.job_num: job.attempts for job in run.jobs}


def _said(taken: NotOurTurnError) -> str:
    if taken.holder is None:
        return f"another rerun has it, or has left {taken.file}: remove that file if none runs"
    out_of_sight = is_alive(taken.holder) is None
    unknown = f", of which nobody here knows whether it lives. {silence.ASSUME_GONE.rstrip('.')}" if out_of_sight else ""
    return f"another rerun has it, process {taken.holder.pid} on {taken.holder.host}{unknown}"
