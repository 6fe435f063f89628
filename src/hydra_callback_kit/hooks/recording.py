"""The base class of the callbacks: it keeps the record, so that any one of them is enough for the command line."""

import functools
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import jobs_of_sweep_again
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks import after_the_sweep, gates
from hydra_callback_kit.hooks.end_of_run import run_ends, run_starts
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.guard import never_breaks_the_job
from hydra_callback_kit.hooks.hydra_callback import Callback
from hydra_callback_kit.hooks.job_recorder import record_job_end, record_job_start
from hydra_callback_kit.hooks.known_parameters import KnownParameters
from hydra_callback_kit.hooks.same_files import OwnFile, refuse_same_files

_HOOKS: Final = ("on_run_start", "on_multirun_start", "on_job_start", "on_job_end", "on_run_end", "on_multirun_end")


_records: Final = functools.partial(never_breaks_the_job, every_rank=True)
"""Decorates what is recorded of each rank of a distributed job."""


class RecordingCallback(KnownParameters, Callback):
    """The base class of this package's callbacks, and of yours: what they do is right under every launcher.

    It records the start and the end of the run or sweep and of each job in the journal, whichever process the hook is called
    in. A subclass overrides Hydra's own hooks, with Hydra's own signatures, and says in them only what it does itself:

    - What it overrides is recorded first; there is no need to call `super()`, and no harm in it.
    - An exception in a hook is logged once, and the job goes on. To stop a run, call `abort`.
    - What has to be known later belongs into the record, by `add_job_facts` and `add_run_facts`, and not on `self`: under
      most launchers each job works on a copy of the callback, which never comes back.
    - What is done once, when the run or sweep has ended, belongs into `at_the_end`. It is called also where Hydra calls no
      end hook: after a failed job on Hydra 1.3, after `sys.exit` and after Ctrl-C. `load_run(config)` is the whole record
      there.

    - Of the ranks of a distributed job only rank 0 calls the hooks: it is the job. A callback that is to act in each of them
      sets `on_every_rank = True`; what it adds with `add_job_facts` there is kept as that rank's.

    A callback that decides whether a run or a job starts sets `fails_closed = True`: then an exception in its start hooks
    stops it instead of being logged.

    Instances are pickled to the workers: keep plain values on `self`, and no locks, files or threads.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines).

    Example:
        ```python
        class LongestJob(RecordingCallback):
            def on_job_end(self, config, job_return, **kwargs):
                add_job_facts({"ended_on": datetime.date.today()}, config)

            def at_the_end(self, config):
                jobs = load_run(config).jobs
                print("longest:", max(jobs, key=lambda job: job.duration_s or 0).overrides)
        ```
    """

    fails_closed: bool = False
    """Whether nothing may start where a start hook of this callback fails."""

    writes_summaries: bool = False
    """Whether all that `at_the_end` does is to write files that it can make again from the record.

    It is then called once more where jobs outlive the sweep's process, as under submitit and RQ: in the process of the job
    that ends last.
    """

    comes_last: bool = False
    """Whether `after_the_job` is called, and `at_the_end` after what all other callbacks do then."""

    on_every_rank: bool = False
    """Whether its hooks are called in each rank of a distributed job, and not in rank 0 alone."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes the hooks of a subclass safe, wherever it has them from: see the class.

        Raises:
            TypeError: if something that has a hook's name cannot be called.
        """
        super().__init_subclass__(**kwargs)
        for name in _HOOKS:
            hook = inspect.getattr_static(cls, name)
            if hook is not vars(RecordingCallback)[name] and not getattr(hook, _RECORDS_FIRST, False):
                if not callable(hook) and not hasattr(type(hook), "__get__"):
                    raise TypeError(f"{cls.__name__}.{name} is no hook: it cannot be called")
                setattr(cls, name, _after_recording(name, hook))

    @never_breaks_the_job
    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the start of the run."""
        self._ask(config)
        run_starts(config, self.at_the_end)
        after_the_sweep.sweep_starts(config, self)

    @never_breaks_the_job
    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the start of the sweep."""
        self._ask(config)
        run_starts(config, self.at_the_end)
        after_the_sweep.sweep_starts(config, self)
        if jobs_of_sweep_again(config) is not None:
            from hydra_callback_kit.hooks.sweep_again import go_on  # noqa: PLC0415  few sweeps go on

            go_on(config)
        elif notes_of(config).get("resumes"):
            from hydra_callback_kit.hooks.resuming import go_on as resume  # noqa: PLC0415  the same

            resume(config)
        from hydra_callback_kit.launching.shared_disk import may_not_share_the_disk  # noqa: PLC0415  a single run has no launcher

        if may_not_share_the_disk(config):
            from hydra_callback_kit.launching.lines_home import let_lines_ride_home  # noqa: PLC0415  most sweeps share it

            let_lines_ride_home(config)

    @_records
    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Records the start of the job."""
        record_job_start(config)
        after_the_sweep.job_starts(config, self)

    @_records
    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Records how the job ended."""
        record_job_end(config, job_return)
        if not hasattr(type(self).on_job_end, _RECORDS_FIRST):
            after_the_sweep.job_ends(config, self)

    @never_breaks_the_job
    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the end of the run."""
        run_ends(config, self.at_the_end)

    @never_breaks_the_job
    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the end of the sweep."""
        run_ends(config, self.at_the_end)

    def _ask(self, config: DictConfig) -> None:
        """Whether the run may start. Where `before_the_run` stops it, it leaves nothing on record."""
        try:
            with gates.nothing_is_recorded(config):
                if files := self.files_it_writes():
                    refuse_same_files(config, type(self).__name__, files)
                self.before_the_run(config)
        except Exception as error:
            if self.fails_closed:
                raise
            report(f"{type(self).__name__}.before_the_run", error)

    def before_the_run(self, config: DictConfig) -> None:
        """Called in the parent process before the start of a run or sweep is recorded. Does nothing, unless overridden.

        A run that it stops by `abort` leaves nothing on record.

        Args:
            config: that of the hook that starts it, `on_run_start` or `on_multirun_start`.
        """

    def at_the_end(self, config: DictConfig) -> None:
        """Called once in the parent process when the run or sweep has ended, and its end is recorded.

        Does nothing, unless overridden.

        Args:
            config: that of the hook that started it; with `writes_summaries` it may be that of a job.
        """

    def when_refused(self, config: DictConfig) -> None:
        """Called in the parent process in place of `at_the_end`, where a later callback has stopped the run, unrecorded.

        Does nothing, unless overridden.

        Args:
            config: that of the hook that starts it, `on_run_start` or `on_multirun_start`.
        """

    def after_the_job(self, config: DictConfig) -> None:
        """Called with `comes_last` in the job's process, when `on_job_end` of this package's other callbacks is done.

        Does nothing, unless overridden.

        Args:
            config: that of the job's hooks.
        """

    def files_it_writes(self) -> Sequence[OwnFile]:
        """The files that a callback of this package writes: none may be Hydra's log, or another callback's."""
        return ()

    def summary_parameters(self) -> dict[str, Any] | None:
        """What a callback of this package that writes summaries is built with, for the command line to make them again."""
        return None


_RECORDS_FIRST: Final = "_hydra_callback_kit_records_first"
"""What tells a hook that records first already."""


def _after_recording(name: str, hook: Any) -> Callable[..., None]:
    """A hook of a subclass: the same hook of `RecordingCallback` comes first, and what it raises breaks no job.

    What `RecordingCallback` does it does once, so that a chain of subclasses, or a call of `super()`, makes no difference.

    Args:
        name: the hook's name. The function may have another one: `on_multirun_start = on_run_start`.
        hook: what the class has under it: a function, or anything else that can be called.
    """
    records = getattr(RecordingCallback, name)

    def does(self: RecordingCallback, *args: Any, **kwargs: Any) -> None:
        bound = hook.__get__(self, type(self)) if hasattr(type(hook), "__get__") else hook
        bound(*args, **kwargs)

    does.__name__ = name
    guarded = never_breaks_the_job(does)

    def both(self: RecordingCallback, *args: Any, **kwargs: Any) -> None:
        records(self, *args, **kwargs)
        guarded(self, *args, **kwargs)
        if name == "on_job_end":
            after_the_sweep.job_ends(kwargs.get("config", args[0] if args else None), self)

    if isinstance(hook, FunctionType):
        both = functools.wraps(hook)(both)
    both.__name__ = name
    setattr(both, _RECORDS_FIRST, True)
    return both
