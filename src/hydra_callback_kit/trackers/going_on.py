"""What is known of a run whose process has left: how that went, and whether something of the run goes on."""

import signal
import time
from typing import Final

from hydra_callback_kit.journal.output_file import exit_code_of, output_file_of
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive
from hydra_callback_kit.journal.records import JobRecord, RankRecord, RunRecord

_WRITES_ITS_CODE_WITHIN_S: Final = 1.0
_SIGNALS: Final = {int(number): number.name for number in signal.Signals}
_BY_A_SIGNAL: Final = 128
"""A shell's exit code of what a signal has ended is so much more than the signal's number."""


def how_it_went(run: RunRecord) -> str:
    """What is known of the end of a process that has said nothing; a shell writes down the code of one that was detached."""
    output, until_s = output_file_of(run.root, run.facts), time.monotonic() + _WRITES_ITS_CODE_WITHIN_S
    while output is not None and time.monotonic() < until_s:
        code = exit_code_of(output)
        name = None if code is None else _SIGNALS.get(code - _BY_A_SIGNAL)
        if name is not None:
            return f"was stopped by a signal ({name})" + (", or was out of memory" if name == "SIGKILL" else "")
        time.sleep(_WRITES_ITS_CODE_WITHIN_S / 20)
    return "is gone without a word: stopped by a signal, or out of memory"


def goes_on(run: RunRecord) -> bool:
    """Whether jobs of it go on, or ranks of a job whose rank 0 has ended."""
    return run.status == "RUNNING" or any(rank.status == "RUNNING" for job in run.jobs for rank in job.ranks)


def goes_on_here(run: RunRecord) -> bool:
    """Whether some of these run on this machine."""
    working: list[JobRecord | RankRecord] = [*run.jobs, *(rank for job in run.jobs for rank in job.ranks)]
    return any(
        each.host is not None and each.pid is not None and is_alive(ProcessIdentity(each.host, each.pid, each.born)) is True
        for each in working
        if each.status == "RUNNING"
    )
