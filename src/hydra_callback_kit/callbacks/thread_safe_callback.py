"""`thread_safe_callback`: the state of every job, and callbacks called one at a time, whatever runs concurrently."""

import logging
import threading
from collections.abc import Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, Final

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.hooks import gates, parameters
from hydra_callback_kit.hooks.end_of_run import disarm, run_at_its_end, run_starts
from hydra_callback_kit.hooks.guard import never_breaks_the_job
from hydra_callback_kit.hooks.hydra_callback import Callback
from hydra_callback_kit.hooks.job_recorder import record_job_end, record_job_start
from hydra_callback_kit.hooks.known_parameters import KnownParameters
from hydra_callback_kit.hooks.own_files import write_own_file
from hydra_callback_kit.hooks.run_recorder import record_run_end, record_run_start
from hydra_callback_kit.hooks.same_files import OwnFile, refuse_same_files
from hydra_callback_kit.hooks.wrapping import WrappedCallbacks, make_up_for_the_end
from hydra_callback_kit.journal.rank import is_worker
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.views.concurrency import concurrency_text, job_states, not_finished
from hydra_callback_kit.views.files import json_text

log = SafeLogger("hydra_callback_kit.thread_safe_callback")

_UNSTARTED: Final = {"status": "running", "start_time": None, "end_time": None, "success": None}


class ThreadSafeCallback(KnownParameters, Callback):
    """Keeps the state of every job, right whatever runs concurrently, and guards callbacks that were not written for it.

    Hooks may be called from any number of threads at once. The state in memory (`snapshot`) is that of the jobs whose hooks
    this very object has seen: with joblib, submitit and Ray each job has a copy of the callback, which starts with the state
    that was pickled and does not come back. What holds over all processes is in the journal: at the end of a sweep it logs
    how many jobs ran, the highest number at once, and which did not finish.

    A guarded callback's hooks are called under the lock, one at a time, in Hydra's order; an error in one is logged with
    its name and does not stop the others. Where Hydra 1.3 calls no `on_multirun_end` (a job failed) or `on_run_end` (it left
    by `sys.exit`), the guarded callbacks get it as the process ends, in a single run with a `job_return` of unknown status.

    It can be subclassed: call `super().__init__()`, and guard your own state by `with self.lock:`, which may be nested. The
    rest of the state must be picklable; the lock itself is left out and made anew.

    Args:
        callbacks: the callbacks to guard, by name, each an ordinary callback node. Null instead of a node leaves it out.
        output_file: a JSON file for the state of all jobs, relative to the run's output directory or the sweep directory,
            or an absolute path in a directory that exists; null for none.

    Attributes:
        lock: the lock that guards the state and the callbacks (re-entrant).

    Raises:
        ParameterError: if something in `callbacks` is not a callback, or no file can be written at `output_file`.

    Files:
        `output_file` (JSON): `jobs_started`, `highest_at_once`, `not_finished` (job numbers), and `jobs`, by job id:
        `job_num`, `status` (`running`, `completed`, `failed`, `interrupted`), `start_time`, `end_time` (UTC, ISO 8601),
        `success`. What is not known is null.
        `.callbacks/*.jsonl` in the same directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [thread_safe_callback]
          - /callbacks@hydra.callbacks.thread_safe_callback.callbacks.performance_callback: performance_callback
          - _self_

        hydra:
          callbacks:
            thread_safe_callback:
              output_file: jobs.json
        ```
    """

    on_every_rank = True  # what it guards is called wherever Hydra calls it

    def __init__(self, callbacks: Mapping[str, Any] = MappingProxyType({}), output_file: str | None = None) -> None:
        self.lock = threading.RLock()  # re-entrant: a subclass takes a snapshot while it holds it
        self.output_file = None if output_file is None else parameters.output_file("output_file", output_file)
        self._wrapped = WrappedCallbacks(callbacks, log)
        self._jobs: dict[str, dict[str, Any]] = {}  # an entry is replaced, never changed

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock, which no pickle can hold."""
        with self.lock:
            return {name: value for name, value in {**self.__dict__, "_jobs": dict(self._jobs)}.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy has a lock of its own."""
        self.__dict__.update(state)
        self.lock = threading.RLock()

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Copies the state of the jobs that this object has seen.

        Returns:
            By `hydra.job.id` (`"0"` for a single run, which has none): `status` (`running`, `completed` or `failed`),
            `start_time` and `end_time` (UTC, ISO 8601; None if not known) and `success` (None while it runs). No thread
            changes the copy later, and what is done to it changes nothing here.
        """
        with self.lock:
            entries = list(self._jobs.items())
        return {job_id: dict(entry) for job_id, entry in entries}

    @never_breaks_the_job
    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook."""
        self._start_run("on_run_start", config, kwargs)

    @never_breaks_the_job
    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook."""
        self._start_run("on_multirun_start", config, kwargs)

    @never_breaks_the_job
    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Notes that the job runs, and forwards the hook."""
        with self.lock:
            self._jobs[_job_id(config)] = {**_UNSTARTED, "start_time": _now()}
        try:
            record_job_start(config)
        finally:
            self._forward("on_job_start", config=config, task_function=task_function, **kwargs)

    @never_breaks_the_job
    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Notes how the job ended, and forwards the hook."""
        success = job_return.status is JobStatus.COMPLETED
        end = {"status": "completed" if success else "failed", "end_time": _now(), "success": success}
        with self.lock:
            job_id = _job_id(config)
            self._jobs[job_id] = {**self._jobs.get(job_id, _UNSTARTED), **end}
        try:
            record_job_end(config, job_return)
        finally:
            self._forward("on_job_end", config=config, job_return=job_return, **kwargs)

    @never_breaks_the_job
    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook, and writes the file."""
        self._end_run("on_run_end", config, kwargs)

    @never_breaks_the_job
    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook, logs how many jobs ran and how many at once, and writes the file."""
        self._end_run("on_multirun_end", config, kwargs)

    def _start_run(self, hook: str, config: DictConfig, kwargs: dict[str, Any]) -> None:
        if self.output_file is not None:
            with gates.nothing_is_recorded(config):
                refuse_same_files(config, type(self).__name__, [OwnFile(self.output_file, "output_file", "jobs.json")])
        try:
            record_run_start(config)
        finally:
            self._forward(hook, config=config, **kwargs)
            # after the guarded callbacks have armed theirs, so that at the end of the process ours comes first
            run_starts(config, self._make_up_for_the_end)

    def _end_run(self, hook: str, config: DictConfig, kwargs: dict[str, Any]) -> None:
        try:
            record_run_end(config)
            disarm(config, self._make_up_for_the_end)
        finally:
            self._forward(hook, config=config, **kwargs)
        if is_worker():
            return
        run = run_at_its_end(config)
        if run.mode == "MULTIRUN" and run.jobs:
            log.log(logging.WARNING if not_finished(run) else logging.INFO, "%s", concurrency_text(run))
        if self.output_file is not None:
            write_own_file(config, self.output_file, json_text(job_states(run)), log)

    def _make_up_for_the_end(self, config: DictConfig) -> None:
        make_up_for_the_end(self, config)

    def _forward(self, hook: str, **arguments: Any) -> None:
        with self.lock:
            self._wrapped.forward(hook, **arguments)


def _job_id(config: DictConfig) -> str:
    """What Hydra calls the job; a single run has neither an id nor a number."""
    known = (OmegaConf.select(config, key) for key in ("hydra.job.id", "hydra.job.num"))
    return next((str(name) for name in known if name is not None), "0")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")
