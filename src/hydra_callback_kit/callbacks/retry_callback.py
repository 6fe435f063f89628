"""`retry_callback`: jobs that fail, or are killed, are started again before the sweep ends."""

import contextlib
import importlib.util
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.identity import identify_job, identify_run, starts_a_sweep
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.job_recorder import record_job_end
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.running_jobs import running_job
from hydra_callback_kit.journal.life import launcher_of
from hydra_callback_kit.journal.safe_log import SafeLogger

if TYPE_CHECKING:
    from hydra_callback_kit.configs.changes import Changes

log = SafeLogger("hydra_callback_kit.retry_callback")


class RetryCallback(RecordingCallback):
    """Starts the jobs of a sweep again that failed or were killed, before the sweep ends.

    When the launcher has brought the jobs of a batch home, those that failed are started once more, by the same launcher,
    with the same number and in the same directory. A worker that is killed under joblib takes its pool along: what ran there
    and what had not begun is started again, what was done is not. Who ran in two pools that broke is then started by itself,
    so that a job that kills its worker each time costs no other job its attempts. Jobs that go on where the launcher has
    given up, as under submitit and Ray, are waited for.

    A job has failed if its last attempt has. So it is for the sweeper, the exit code and `failure_limit_callback`. All
    attempts are on record. Never started again are jobs that were ended by Ctrl-C, by `abort`, or as a pruned trial of
    Optuna's; after Ctrl-C and `abort` no job is. `sys.exit` in a job is a failure of that job.

    It needs a launcher that waits for its jobs, which RQ's does not. A single run has no launcher, and is not tried again.

    Args:
        retries: how often a job is started again, 1 or more.
        errors: names of the exceptions that are worth it, or of their base classes: `TimeoutError`, or with the package
            `torch.cuda.OutOfMemoryError`. Empty: any. A job that was killed always is.
        wait_s: seconds to wait before a job is started for the second time, 0 or more.
        backoff: how many times longer the wait is before each further attempt, 1 or more.
        overrides: what is changed in the config of a job that failed, before each further attempt: values by dotted keys.
            `'*0.5'` is half of the value that the job had in its last attempt; an integer stays one, and above 0.

    Raises:
        ParameterError: if `retries` is less than 1, `wait_s` is negative or no number, `backoff` is less than 1, a name in
            `errors` is no exception's, or `overrides` holds something that is no change.
        AbortRun: from `on_multirun_start`, if a key of `overrides` is in the config of no job, or does not take its value.

    Files:
        `.callbacks/*.jsonl` in the sweep directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [retry_callback]
          - _self_

        batch_size: 32

        hydra:
          callbacks:
            retry_callback:
              retries: 2
              errors: [MemoryError, ConnectionError]
              overrides:
                batch_size: '*0.5'
        ```
    """

    def __init__(
        self,
        retries: int = 2,
        errors: Sequence[str] = (),
        wait_s: float = 0.0,
        backoff: float = 2.0,
        overrides: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        if retries < 1:
            raise ParameterError("retries", retries, "1 or more", "Write retries=1, or drop the callback.")
        if not 0 <= wait_s < math.inf:
            raise ParameterError("wait_s", wait_s, "a number of seconds, 0 or more", "Write wait_s=0 to not wait.")
        if not 1 <= backoff < math.inf:
            raise ParameterError("backoff", backoff, "a number, 1 or more", "Write backoff=1 to wait as long each time.")
        self.retries = retries
        self.errors = [_error(str(name)) for name in errors]
        self.wait_s = wait_s
        self.backoff = backoff
        self.overrides: Any = OmegaConf.to_container(overrides) if OmegaConf.is_config(overrides) else dict(overrides)
        if self.overrides:
            with _as_parameter_errors():
                self._changes()

    def before_the_run(self, config: DictConfig) -> None:
        """Checks that what is to be changed can be."""
        if self.overrides and starts_a_sweep(config):
            from hydra_callback_kit.configs.changes import check_changes  # noqa: PLC0415  no worker needs it

            try:
                with _as_parameter_errors():
                    check_changes(config, self._changes())
            except ParameterError as error:
                abort(config, f"The sweep was not started: {error}", log=log, cause=error)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Says that it has nothing to do."""
        log.info("retry_callback starts jobs of a sweep again (-m). This is a single run: if it fails, it has failed.")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Puts itself between sweeper and launcher."""
        if launcher_of({"launcher_class": config.hydra.launcher.get("_target_")}) == "rq":
            log.caution("retry_callback starts no job again under RQ, whose launcher does not wait for its jobs.")
            return
        from hydra_callback_kit.launching.in_place import put_in_place  # noqa: PLC0415  a single run has no launcher
        from hydra_callback_kit.launching.retries import Retries, Retrying  # noqa: PLC0415  the same

        asked = Retrying(self.retries, self.errors, self.wait_s, self.backoff, self._changes())
        put_in_place(config, Retries(config, asked, _record_job_left))

    def _changes(self) -> "Changes":
        from hydra_callback_kit.configs.changes import changes_of  # noqa: PLC0415  the same

        return changes_of(self.overrides)


def _record_job_left(config: DictConfig, error: BaseException) -> None:
    """Records the end of a job of a sweep that has left this process by `sys.exit`: Hydra 1.3 calls no end hook for it."""
    job = running_job()
    if job is not None and identify_job(job).run.run_id == identify_run(config).run_id:
        record_job_end(job, JobReturn(status=JobStatus.FAILED, _return_value=error))


@contextlib.contextmanager
def _as_parameter_errors() -> Iterator[None]:
    from hydra_callback_kit.configs.changes import ChangeError  # noqa: PLC0415  the same

    try:
        yield
    except ChangeError as error:
        raise ParameterError(f"overrides.{error.key}", error.given, error.allowed, error.advice) from error


def _error(name: str) -> str:
    """A name of an exception, as far as it can be known: the module of one may not be imported yet.

    Raises:
        ParameterError: if there is none by it.
    """
    package, _, rest = name.strip().partition(".")
    allowed = "the name of an exception, such as TimeoutError or torch.cuda.OutOfMemoryError"
    if rest:
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise ParameterError("errors", name, allowed, f"There is no package {package!r}.")
        return name.strip()
    known = _names_of_exceptions()
    if package not in known:
        import difflib  # noqa: PLC0415  only who mistyped needs it

        near = difflib.get_close_matches(package, known, n=1)
        advice = f"Write {near[0]}" if near else "Write it with its package"
        raise ParameterError("errors", name, allowed, f"{advice}; one of a package that is not imported yet needs its name.")
    return package


def _names_of_exceptions() -> set[str]:
    """Those that are known in this process: Python's, and those of what the app has imported."""
    names: set[str] = set()
    left: list[type[BaseException]] = [BaseException]
    while left:
        kind = left.pop()
        names.add(type.__dict__["__name__"].__get__(kind))
        left += type.__subclasses__(kind)
    return names
