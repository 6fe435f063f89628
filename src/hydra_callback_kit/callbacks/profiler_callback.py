"""`profiler_callback`: where a job spends its time, or its memory, function by function."""

import importlib.util
import os
from collections.abc import Sequence
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.identity import identify_job, identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError, one_of
from hydra_callback_kit.hooks.profiling import SUFFIXES, ProfiledJob
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.profiled import ProfiledTask, Profiles, expect
from hydra_callback_kit.measure.profiles import PROFILERS
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.profiles import profiles_of

log = SafeLogger("hydra_callback_kit.profiler_callback")

_PUT: Final = "profiles"
"""The note that the task function is one that can be profiled."""


class ProfilerCallback(RecordingCallback):
    """Profiles the task function of some jobs, and writes a page and a text about each into the job's directory.

    The task function alone is profiled, in its own thread: no hooks, nothing of Hydra. The profile is written once the job
    has ended, and its writing is no part of the time that is on record. A job that fails, is left by Ctrl-C or `sys.exit`,
    or takes too long (`time_limit_callback`) has its profile; one whose process is killed has none, and the end of the run
    says so. Processes that a job starts (subprocesses, `multiprocessing`, the workers of a DataLoader) are not profiled; of
    other threads pyinstrument and cProfile see nothing, memray sees all.

    Where something else profiles or traces the job already (a debugger, coverage, `python -m cProfile`), there is a warning
    and no profile. Where the task function begins another profiler that takes the place of this one (Python has one for
    each thread), it has it: the profile is cut short, which is said and on record.

    Args:
        profiler: `pyinstrument` looks each millisecond where the job is; `cprofile` counts each call; `memray` (which is no
            part of the extra, and not there for Windows) tells who had allocated what was held when most memory was held.
            Each slows down code of many small calls: see the page.
        jobs: which jobs of a sweep: `first` for job 0, `all`, or a list of their numbers. A single run is job 0. Numbers
            that never came are said at the end.
        every_rank: whether each rank of a distributed job is profiled, and not rank 0 alone.

    Raises:
        ParameterError: if `profiler` or `jobs` is something else, or the profiler is not installed (the extra `profile` has
            pyinstrument).

    Files:
        In the job's output directory: `profile.html`, a page; `profile.txt`, a text; with `cprofile` also `profile.pstats`,
        for `pstats` and SnakeViz; with `memray` also `profile.bin`, for memray's other commands. Where jobs share a
        directory they are `profile_0.html` and so on; those of a rank `profile_rank1.html`. What lay there and is not as
        this package wrote it is kept as `<name>.bak`.
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where a job
        has the fact `profile`: `profiler`, `files`, `top` (the function that took most itself), `top_share`; if it is so,
        `cut_short`.

    Example:
        ```yaml
        defaults:
          - callbacks: [profiler_callback]
          - _self_

        hydra:
          callbacks:
            profiler_callback:
              profiler: cprofile
              jobs: [0, 3]
        ```
    """

    def __init__(self, profiler: str = "pyinstrument", jobs: Any = "first", every_rank: bool = False) -> None:
        self.profiler = one_of("profiler", str(profiler).lower(), tuple(PROFILERS))
        if self.profiler == "memray" and importlib.util.find_spec("memray") is None:
            raise ParameterError("profiler", profiler, "what is installed, and memray is not", "Type: pip install memray")
        if self.profiler == "pyinstrument" and importlib.util.find_spec("pyinstrument") is None:
            raise NotInstalledError(["pyinstrument"], "profile")
        self.jobs = _jobs(jobs)
        self.on_every_rank = bool(every_rank)

    def files_it_writes(self) -> Sequence[OwnFile]:
        """The profile of each job."""
        return [OwnFile(f"profile{suffix}", of_each_job=True) for suffix in SUFFIXES]

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Has the run call a task function that can be profiled."""
        if _PUT not in notes_of(config):
            from hydra_callback_kit.launching.single_run import wrap_task_of  # noqa: PLC0415  a sweep needs it not

            notes_of(config)[_PUT] = True
            wrap_task_of(config, ProfiledTask)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Has the sweep's jobs do so."""
        if _PUT not in notes_of(config):
            from hydra_callback_kit.launching.in_place import put_in_place  # noqa: PLC0415  a single run has no launcher

            notes_of(config)[_PUT] = True
            put_in_place(config, Profiles())

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Says whether the task function that is about to be called is profiled."""
        expect(None)
        for key in [key for key in _profiled if key[0] == os.getpid() and "job_ended" in notes_of(_profiled[key][0])]:
            del _profiled[key]  # `conditional_callback` forwards some ends only
        if self.jobs is None or identify_job(config).job_num in self.jobs:
            job = ProfiledJob(config, self.profiler, log)
            _profiled[os.getpid(), id(config)] = config, job
            expect(job)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Writes the profile."""
        known, job = _profiled.pop((os.getpid(), id(config)), (None, None))
        if job is not None and known is config:
            job.write()

    def at_the_end(self, config: DictConfig) -> None:
        """Says which jobs have no profile that were to have one, and which never came."""
        if identify_run(config).rerun:
            return
        run = run_at_its_end(config, without=CONFIGS)
        profiles = profiles_of(run.jobs)
        killed = [each.job.job_num for each in profiles if each.page is None and each.job.status == "INTERRUPTED"]
        if killed:
            log.caution("There is no profile of %s: killed, or stopped from outside.", wording.named_jobs(killed))
        came = {job.job_num for job in run.jobs}
        missing = [num for num in self.jobs or () if num not in came]
        if missing and came:
            log.caution("There is no profile of %s: only %s came.", wording.named_jobs(missing), wording.named_jobs(came))


_profiled: Final[dict[tuple[int, int], tuple[DictConfig, ProfiledJob]]] = {}
"""The jobs of this process that are profiled, by process and config."""


def _jobs(given: Any) -> list[int] | None:
    """The numbers of the jobs that are profiled; None for all."""
    plain = OmegaConf.to_container(given) if OmegaConf.is_config(given) else given
    if plain == "all":
        return None
    if plain == "first":
        return [0]
    numbers = list(plain) if isinstance(plain, list | tuple) else []
    if not numbers or not all(type(num) is int and num >= 0 for num in numbers):
        raise ParameterError(
            "jobs", plain, "first, all, or a list of jobs' numbers", "Write for example jobs=first or jobs=[0,3]."
        )
    return numbers
