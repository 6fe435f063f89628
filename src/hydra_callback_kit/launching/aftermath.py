"""What became of the jobs of each launch of a sweep, once none of them goes on."""

import time
from typing import Final

from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.format import CONFIGS, JournalNotFoundError
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.lost import Became, attempts_in, what_became
from hydra_callback_kit.launching.policy import Round
from hydra_callback_kit.views import wording

_PAUSES_S: Final = (0.05, 1.0)
"""How soon it is looked again whether a job still runs whose launcher has given up, at first and at the latest."""


class Aftermath:
    """Finds out what became of the jobs of a sweep, launch by launch.

    Args:
        run: the sweep.
        log: says what is waited for.
        looks_at_values: whether somebody looks at what its jobs return.

    Attributes:
        attempts: how often each job has been started, as far as it was looked for.
    """

    def __init__(self, run: RunIdentity, log: SafeLogger, *, looks_at_values: bool) -> None:
        self._run = run
        self._log = log
        self._looks_at_values = looks_at_values
        self._began = False
        self.attempts: dict[int, int] = {}

    def begin(self) -> None:
        """Looks how often jobs were started before the sweep went on; to be called before each launch."""
        if not self._began:
            self._began = True
            self.attempts = attempts_in(self._record())

    def count(self, launched: Round) -> None:
        """Counts the jobs of a launch that is as it should be, without a look at the record."""
        for num in launched.returned:
            self.attempts[num] = self.attempts.get(num, 0) + 1

    def of(self, launched: Round) -> tuple[Became, RunRecord | None]:
        """Waits until none of its jobs is seen to go on, where the launcher gave up before.

        Args:
            launched: what came of a launch.

        Returns:
            What became of its jobs, and the record that tells of it; None where nothing is on record.
        """
        told = False
        pause_s, longest_s = _PAUSES_S
        while True:
            record = self._record()
            became = what_became(launched, record, self.attempts, this_process(), looks_at_values=self._looks_at_values)
            go_on = became.running.intersection(_seen_to_run(record)) if launched.error is not None else ()
            if not go_on:
                self.attempts |= attempts_in(record)
                return became, record
            if pause_s == longest_s and not told:
                told = True
                self._log.info("Waited for, because they go on: %s.", wording.named_jobs(go_on))
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    def _record(self) -> RunRecord | None:
        try:
            return read_run(self._run.root, self._run.run_id, without=CONFIGS, sight=Sight(batch_system=Slurm()))
        except (JournalNotFoundError, OSError):
            return None


def _seen_to_run(record: RunRecord | None) -> set[int]:
    return (
        set() if record is None else {job.job_num for job in record.jobs if job.status == "RUNNING" and not job.silent_since}
    )
