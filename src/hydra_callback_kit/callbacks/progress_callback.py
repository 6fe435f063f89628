"""`progress_callback`: how far a sweep has come, while it runs."""

import contextlib
import functools
import os
import sys
import threading
import time
from typing import Any, Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run, job_name
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.follower import FollowedJob, RunFollower
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.safe_log import to_stderr
from hydra_callback_kit.journal.thread_imports import importing
from hydra_callback_kit.views.bottom_line import BottomLine
from hydra_callback_kit.views.progress import Progress, progress_bar, progress_text

_LOOK_S: Final = 0.5
"""How often the journal is looked at."""


class ProgressCallback(RecordingCallback):
    """Shows how far a sweep has come: a bar on the last line of a terminal, or a line now and then where there is none.

    It says how many jobs are done of how many, how many failed or were interrupted, how many run, and how long the rest
    will take if it goes on like this. How many there will be is known for the sweepers of Hydra, Optuna
    (`n_trials`), Nevergrad and Ax. It follows the journal, so
    it counts right under every launcher. It is written to stderr. What jobs log and print, in whichever process, goes by
    above the bar; when the sweep ends, and after Ctrl-C, the terminal is as before. A single run has no progress.

    Args:
        interval_s: where stderr is no terminal: the seconds from one line to the next, more than 0. There is a line at each
            tenth of the jobs as well, and one at the end.

    Raises:
        ParameterError: if `interval_s` is not more than 0.

    Files:
        `.callbacks/*.jsonl` in the sweep directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [progress_callback]
          - _self_

        hydra:
          callbacks:
            progress_callback:
              interval_s: 60.0
        ```
    """

    def __init__(self, interval_s: float = 30.0) -> None:
        if not interval_s > 0:
            raise ParameterError("interval_s", interval_s, "seconds, more than 0", "Write interval_s=30.")
        self.interval_s = interval_s

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Starts to show the progress."""
        run = identify_run(config)
        display = _displays[os.getpid(), run.run_id] = _Display(run, job_name(config), self.interval_s)
        if run.goes_on:
            display.count_only_what_is_left(notes_of(config).get("left"))
        display.start()

    def at_the_end(self, config: DictConfig) -> None:
        """Says what the sweep has come to."""
        display = _displays.pop((os.getpid(), identify_run(config).run_id), None)
        if display is not None:
            display.end()


class _Display(threading.Thread):
    """Looks at the journal again and again and shows what it says. A thread cannot be pickled, so no callback holds it."""

    def __init__(self, run: RunIdentity, name: str, interval_s: float) -> None:
        super().__init__(name="hydra-callback-kit-progress", daemon=True)
        self._follower = RunFollower(run.root, run.run_id)
        self._app = name
        self._interval_s = interval_s
        self._started_s = self._said_s = time.monotonic()
        self._said_tenth: int | None = None
        self._goes_on = False
        self._left: int | None = None
        self._before: dict[int, int] = {}
        self._over = threading.Event()
        self._line = BottomLine.of(sys.stderr)

    def count_only_what_is_left(self, left: int | None) -> None:
        """Leaves what a sweep has come to so far, which goes on now.

        Args:
            left: how many jobs are left; None if nobody knows.
        """
        self._goes_on = True
        with contextlib.suppress(OSError):
            self._follower.look()
        expected = self._follower.expected_jobs
        self._left = expected - len(self._jobs()["COMPLETED"]) if left is None and expected is not None else left
        self._before = {job.job_num: self._follower.attempts(job.job_num) for jobs in self._jobs().values() for job in jobs}

    def run(self) -> None:
        """Until the end."""
        try:
            while not self._over.wait(min(_LOOK_S, self._interval_s)):
                self._show(self._progress())
        except Exception as error:  # noqa: BLE001  whatever it is, the sweep goes on
            report("ProgressCallback", error)

    def end(self) -> None:
        """Leaves the terminal as it was, but for a last line that says what came of it."""
        self._over.set()
        self.join(timeout=2)
        if self._line is not None:
            self._line.close()
        progress = self._progress(ended=True)
        if progress.done or progress.interrupted:  # a run that was refused has come to nothing
            to_stderr(progress_text(progress, ended=True))

    def _progress(self, *, ended: bool = False) -> Progress:
        with contextlib.suppress(OSError):  # what can be read of the journal counts
            self._follower.look()
        of_each = self._jobs()
        jobs = {status: len(of_status) for status, of_status in of_each.items()}
        pruned = sum(job.pruned for job in of_each["FAILED"])
        return Progress(
            name=self._app,
            done=jobs["COMPLETED"] + jobs["FAILED"],
            failed=jobs["FAILED"] - pruned,
            pruned=pruned,
            interrupted=jobs["INTERRUPTED"] + (jobs["RUNNING"] if ended else 0),
            running=jobs["RUNNING"],
            total=self._left if self._goes_on else self._follower.planned_jobs or self._follower.expected_jobs,
            elapsed_s=time.monotonic() - self._started_s,
        )

    def _jobs(self) -> dict[Status, list[FollowedJob]]:
        """The jobs of each status, but for those that have not started since the sweep goes on."""
        jobs = self._follower.jobs()
        if self._before:
            for status, of_status in jobs.items():
                jobs[status] = [
                    job for job in of_status if self._follower.attempts(job.job_num) > self._before.get(job.job_num, 0)
                ]
        return jobs

    def _show(self, progress: Progress) -> None:
        if self._line is not None:
            self._line.show(functools.partial(_draw, progress))
            return
        now_s = time.monotonic()
        if now_s - self._said_s >= self._interval_s or (progress.tenth or 0) != (self._said_tenth or 0):
            to_stderr(progress_text(progress))
            self._said_s, self._said_tenth = now_s, progress.tenth


def _draw(progress: Progress, width: int, encoding: str) -> str:
    with importing:  # rich, as the first bar is drawn
        return progress_bar(progress, width, encoding)


_displays: dict[tuple[int, str], _Display] = {}
