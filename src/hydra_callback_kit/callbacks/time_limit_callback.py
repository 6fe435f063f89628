"""`time_limit_callback`: a job that takes too long is ended, and a sweep that takes too long starts no further job."""

import contextlib
import functools
from typing import Any, Final

from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job, identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.parameters import ParameterError, one_of
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.deadline import NOTE, Deadline

log = SafeLogger("hydra_callback_kit.time_limit_callback")

SHORTEST_S: Final = 0.01
"""No job would keep to less."""
LONGEST_S: Final = 1e8
"""Three years."""


class TimeLimitCallback(RecordingCallback):
    """Ends a job that takes too long, and starts no further job of a sweep that does.

    **A job** is given `job_s`, counted from the call of its task function. Then `hydra_callback_kit.JobTimeoutError`, a
    `TimeoutError`, is raised within the task function, wherever that is, so that it can clean up. A task function that
    catches it and returns a value in time has completed; one that answers it by `sys.exit` has failed by it. In the main
    thread it is raised by a handler of the signal SIGURG, which the callback sets for the time of the task function: it
    wakes a job that sleeps, or waits for a child, a lock or the network. In other threads, on Windows, and where the app has
    a handler of its own for that signal, it is raised with the next line of Python that the thread runs.

    A job that has not left after `grace_s` more is killed, if its process is its own: under joblib, submitit, Ray and
    RQ. That needs no cooperation, and ends C code that never returns too. Jobs that joblib loses because a worker of its
    pool was killed start again. Under the basic launcher, in a single run, and where joblib runs jobs in the sweep's own
    process (`n_jobs=1`), nothing can be killed but the whole run. There the exception is all there is: it is raised
    again after each `grace_s` (after each second, if that is shorter). It cannot end C code that does not return, and it
    cannot end a task function that goes on whatever is raised.

    **A sweep** is given `sweep_s`, counted from its start. Then no further job starts. Those that run go on, until they
    end or `job_s` ends them. The exit code is 1, and the last message says which jobs were not started and how to run
    them. Where the launcher has been given jobs already (joblib, submitit), each of them is recorded as `FAILED` by
    `hydra_callback_kit.SweepTimeoutError`, so that `hydra-callback-kit rerun` knows it. A job that is run again by
    `rerun` is not refused; a sweep that goes on (`rerun --launcher`) has its time anew.

    Each rank of a distributed job counts the time by itself, and raises the exception in its own process.

    Args:
        job_s: how many seconds a job may take, at least 0.01; null: any time.
        sweep_s: how many seconds after the start of a sweep jobs may still be started, at least 0.01; null: at any time. A
            single run has none.
        action: what a job is that was ended. `fail`: `FAILED`, by `JobTimeoutError`. `interrupt`: `INTERRUPTED`, by the same
            error, so that `rerun --interrupted` finds those that were ended, and `rerun --failed` those that went wrong. The
            exit code is 1 either way.
        grace_s: how many seconds a job has to clean up, 0 or more, until its process is killed.

    Raises:
        ParameterError: if both `job_s` and `sweep_s` are null, one of them is below 0.01, `action` is another word, or
            `grace_s` is below 0.
        AbortRun: when the time of the sweep is over and a job was about to start.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines). A job whose
        process was killed has the fact `killed_by`, and its error's traceback says where it was.
        `.callbacks/*.last-words` beside it, while a job runs whose process may be killed.

    Example:
        ```yaml
        defaults:
          - callbacks: [time_limit_callback]
          - _self_

        hydra:
          callbacks:
            time_limit_callback:
              job_s: 3600
        ```
    """

    on_every_rank = True  # each is a process, and hangs by itself

    def __init__(
        self, job_s: float | None = None, sweep_s: float | None = None, action: str = "fail", grace_s: float = 10.0
    ) -> None:
        if job_s is None and sweep_s is None:
            raise ParameterError(
                "job_s",
                job_s,
                "a number of seconds, unless sweep_s is one",
                "Write for example job_s=3600 or sweep_s=86400.",
            )
        self.job_s = None if job_s is None else _seconds("job_s", job_s, 3600)
        self.sweep_s = None if sweep_s is None else _seconds("sweep_s", sweep_s, 86400)
        self.action = one_of("action", action, ("fail", "interrupt"))
        self.grace_s = _seconds("grace_s", grace_s, 10, least=0)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Limits the time of the job."""
        if self.job_s is not None:
            from hydra_callback_kit.launching.limited import LimitedTask, Limits  # noqa: PLC0415  a sweep's jobs have it
            from hydra_callback_kit.launching.single_run import wrap_task_of  # noqa: PLC0415  a sweep needs it not

            limits = Limits(self.job_s, self.grace_s, self.action == "interrupt", None)
            wrap_task_of(config, functools.partial(LimitedTask, limits=limits))

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Limits the time of the jobs and of the sweep."""
        from hydra_callback_kit.configs.sweep_jobs import looks_at_values  # noqa: PLC0415  a single run has no sweeper
        from hydra_callback_kit.launching.in_place import put_in_place  # noqa: PLC0415  a single run has no launcher
        from hydra_callback_kit.launching.limited import Limits  # noqa: PLC0415  as above
        from hydra_callback_kit.launching.time_limit import OthersAgain, TimeLimit  # noqa: PLC0415  the same

        deadline = None if self.sweep_s is None else Deadline.of(self.sweep_s)
        limits = Limits(self.job_s, self.grace_s, self.action == "interrupt", deadline)
        notes_of(config)[NOTE] = this_process(), deadline
        limit = TimeLimit(
            identify_run(config),
            limits,
            functools.partial(abort, config, log=log),
            looks_at_values=looks_at_values(config),
        )
        for policy in (limit, OthersAgain(limit)):
            put_in_place(config, policy)

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Stops the sweep, if its time is over and its jobs run one after another in its own process."""
        job, note = identify_job(config), notes_of(config).get(NOTE)
        if job.run.mode == "RUN" or job.run.rerun or note is None:
            return
        home, deadline = note
        if home != this_process():
            self._may_be_killed(config)
        elif deadline is not None and deadline.is_over:
            from hydra_callback_kit.launching.time_limit import not_started  # noqa: PLC0415  the sweep's process has it

            abort(config, not_started(str(job.job_num), 1, deadline, job.run.root), log=log)

    def _may_be_killed(self, config: DictConfig) -> None:
        if self.job_s is None:
            return
        from hydra_callback_kit.hooks.job_recorder import record_job_killed  # noqa: PLC0415  few jobs can be killed
        from hydra_callback_kit.journal.last_words import LastWordsFile  # noqa: PLC0415  the same
        from hydra_callback_kit.launching.job_watch import Own  # noqa: PLC0415  the same
        from hydra_callback_kit.launching.limited import may_be_killed  # noqa: PLC0415  the same

        last_words = None
        with contextlib.suppress(OSError):  # what it would hold goes to stderr
            last_words = LastWordsFile(identify_job(config))
        may_be_killed(Own(functools.partial(record_job_killed, config), last_words))


def _seconds(parameter: str, given: float, example: int, least: float = SHORTEST_S) -> float:
    if not least <= given <= LONGEST_S:
        allowed = f"a number of seconds, at least {least:g} and at most {LONGEST_S:.0f}"
        raise ParameterError(parameter, given, allowed, f"Write for example {parameter}={example}.")
    return float(given)
