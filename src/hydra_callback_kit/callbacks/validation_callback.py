"""`validation_callback`: a config that is not valid never starts a job."""

import hashlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from hydra.errors import HydraException
from hydra.types import TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.checks import files
from hydra_callback_kit.checks.config_check import ConfigCheck
from hydra_callback_kit.checks.duplicates import DUPLICATE, duplicates
from hydra_callback_kit.checks.model import ModelCheck
from hydra_callback_kit.checks.report import InvalidJob, report
from hydra_callback_kit.checks.schema import Schema, SchemaCheck
from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.configs.in_the_job import app_part, seen_by_the_job
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.reading import unchanged_randomness
from hydra_callback_kit.configs.shared_job_configs import job_configs
from hydra_callback_kit.configs.sweep_jobs import sample_job, sweep_jobs
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError, one_of
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.errors import message_of
from hydra_callback_kit.journal.safe_log import SafeLogger

log = SafeLogger("hydra_callback_kit.validation_callback")


class ValidationCallback(RecordingCallback):
    """Checks the config of a run, or of every job of a sweep, before anything is started, and stops if one is not valid.

    All that is wrong is reported at once, with the full key and the value (those of secret keys redacted, see
    `RedactionCallback`), and in a sweep with the jobs that have it. The message goes to stderr and to the log; the exit code
    is 1. The configs themselves are not changed: what is resolved to be checked is resolved in a copy.

    A sweep's jobs are known in advance under Hydra's basic sweeper. A sweeper that chooses as it goes (Optuna's, say) starts
    if what it does not choose is valid; then each job is checked as it starts, and one that is not valid does not run. What
    that means for the other jobs depends on the launcher: see `AbortRun`.

    Interpolations are resolved where values are needed (all parameters but `required_keys` need them), in the process that
    starts the sweep and with `hydra.job.env_set`: an environment variable that only exists where the jobs run is an error.

    Args:
        required_keys: dotted keys that must be there and not be `???`; null counts as a value.
        forbid_missing: whether every `???` in the app's config is an error, and every interpolation that cannot be resolved.
        json_schema: a JSON Schema for the app's config, written inline, or the path of a JSON or YAML file: absolute,
            relative to the app's config directory or to the directory beside it, or to where the app was started. Needs the
            extra `validation`. What is `???` is not there for the schema.
        model: the dotted path of a pydantic model, a dataclass or anything else that pydantic's TypeAdapter takes; the app's
            config must be accepted by it. Needs the extra `validation`. What is `???` is not there for the model.
        forbid_duplicates: whether two jobs of a sweep with the same overrides are an error; where the jobs are known in
            advance.
        check_sweep: whether to check the jobs of a sweep before the first is started; otherwise each as it starts.
        on_invalid: `abort`, or `warn`: log what is wrong and go on.

    Raises:
        ParameterError: if the schema cannot be read or is none, the model cannot be imported or is not one, the extra that
            they need is not installed, `on_invalid` is another word, or `forbid_duplicates` is asked for without
            `check_sweep`.
        AbortRun: from the start hooks, if a config is not valid.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where an
        aborted run has the fact `aborted`, and an aborted job has failed by `hydra_callback_kit.AbortRun`.

    Example:
        ```yaml
        defaults:
          - callbacks: [validation_callback]
          - _self_

        optim:
          lr: 0.1

        hydra:
          callbacks:
            validation_callback:
              required_keys: [optim.lr]
              forbid_missing: true
              json_schema:
                properties:
                  optim:
                    properties:
                      lr: {type: number, exclusiveMinimum: 0}
        ```
    """

    fails_closed = True
    on_every_rank = True  # the others would wait for a rank that does not start

    def __init__(
        self,
        required_keys: Sequence[str] = (),
        forbid_missing: bool = False,
        json_schema: Mapping[str, Any] | str | None = None,
        model: str | None = None,
        forbid_duplicates: bool = False,
        check_sweep: bool = True,
        on_invalid: Literal["abort", "warn"] = "abort",
    ) -> None:
        self.required_keys = [str(key) for key in required_keys]
        self.forbid_missing = forbid_missing
        self.json_schema = None if json_schema is None else _schema(json_schema)
        self.model = None if model is None else _model(model)
        self.forbid_duplicates = forbid_duplicates
        self.check_sweep = check_sweep
        self.on_invalid = one_of("on_invalid", on_invalid, ("abort", "warn"))
        # the same in its copies, and in what is built from the same node: they know what was checked
        self._name = hashlib.sha256(repr(sorted(vars(self).items())).encode("utf-8", "backslashreplace")).hexdigest()[:12]
        if not all(key.strip() for key in self.required_keys):
            raise ParameterError("required_keys", self.required_keys, "a list of dotted keys", "Leave the empty key out.")
        if forbid_duplicates and not check_sweep:
            raise ParameterError(
                "forbid_duplicates",
                forbid_duplicates,
                "true together with check_sweep=true",
                "Write check_sweep=true: duplicates are found by looking at all jobs.",
            )

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Checks the run's config."""
        if self._is_checked(config):
            return
        self._mark_as_checked(config)
        with seen_by_the_job(config) as seen:
            violations = self._check(config).violations(seen)
        if violations:
            self._stop(config, "The run was not started", [InvalidJob(None, [], violations)])

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Checks the configs of all jobs, where they are known."""
        if not self.check_sweep or self._is_checked(config, "asked"):
            return
        self._mark_as_checked(config, "asked")
        try:
            jobs = sweep_jobs(config)
            sample, chosen = sample_job(config) if jobs is None else ([], set())
        except (HydraException, OmegaConfBaseException):
            return  # Hydra is about to say the same, and to stop
        if jobs is None:
            log.info(
                "The sweeper chooses its jobs as it goes: what it does not choose is checked now, each job as it starts."
            )
            invalid = self._invalid_sample(config, sample, chosen)
            if invalid:
                self._stop(config, "The sweep was not started, all its jobs have", [invalid])
        else:
            self._mark_as_checked(config)
            all_invalid = self._invalid_jobs(config, jobs)
            if all_invalid:
                self._stop(config, "The sweep was not started", all_invalid, len(jobs))

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Checks the job's config, if it was not known before."""
        if self._is_checked(config):
            return
        with unchanged_randomness():
            violations = self._check(config).violations(app_part(config))
        if violations:
            job = identify_job(config)
            headline = f"Job {job.job_num} ({' '.join(job.overrides)}) was not started"
            self._stop(config, headline, [InvalidJob(job.job_num, list(job.overrides), violations)])

    def _check(self, config: DictConfig) -> ConfigCheck:
        return ConfigCheck(
            redaction_of(config),
            self.required_keys,
            self.forbid_missing,
            None if self.json_schema is None else SchemaCheck(self.json_schema),
            None if self.model is None else ModelCheck(self.model),
        )

    def _mark_as_checked(self, config: DictConfig, what: str = "validated") -> None:
        notes_of(config).setdefault(what, []).append(self._name)

    def _is_checked(self, config: DictConfig, what: str = "validated") -> bool:
        return self._name in notes_of(config).get(what, [])

    def _invalid_jobs(self, config: DictConfig, jobs: Sequence[Sequence[str]]) -> list[InvalidJob]:
        check, composed = self._check(config), job_configs(config)
        twice = duplicates(jobs) if self.forbid_duplicates else {}
        redaction = redaction_of(config)
        invalid = []
        for job_num, overrides in enumerate(jobs):
            try:
                with seen_by_the_job(composed.compose(job_num, overrides)) as seen:
                    violations = check.violations(seen)
            except (HydraException, OmegaConfBaseException, ValueError) as error:
                violations = [check.not_composed(error, overrides)]
            if job_num in twice:
                violations.append(DUPLICATE)
            if violations:
                invalid.append(InvalidJob(job_num, redaction.of_overrides(overrides), violations))
        return invalid

    def _invalid_sample(self, config: DictConfig, overrides: list[str], chosen: set[str]) -> InvalidJob | None:
        try:
            with seen_by_the_job(job_configs(config).compose(0, overrides)) as seen:
                violations = self._check(config).violations(seen)
        except (HydraException, OmegaConfBaseException, ValueError):
            return None  # what cannot be composed without the sweeper is left to the jobs
        certain = [violation for violation in violations if not any(_touches(violation.key, key) for key in chosen)]
        return InvalidJob(None, [], certain) if certain else None

    def _stop(self, config: DictConfig, headline: str, invalid: Sequence[InvalidJob], total: int = 1) -> None:
        if self.on_invalid == "abort":
            abort(config, report(headline, invalid, total), log=log)
        log.warning("%s", report("The config is not valid", invalid, total))


def _touches(key: str, chosen: str) -> bool:
    """Whether what is at `key` is what the sweeper chooses for `chosen`, holds it or lies in it."""
    group, _, package = chosen.partition("@")
    here, there = f"{key}.".lstrip("."), f"{package or group.replace('/', '.')}."
    return here.startswith(there) or there.startswith(here)


def _schema(given: Mapping[str, Any] | str) -> Schema:
    plain: Any = OmegaConf.to_container(given, resolve=True) if OmegaConf.is_config(given) else given
    source = plain if isinstance(plain, str) else "<inline>"
    try:
        schema = files.load(files.find(plain)) if isinstance(plain, str) else plain
        if not isinstance(schema, (Mapping, bool)):
            raise ValueError(f"a schema is a mapping, not of type {type(schema).__name__}")  # noqa: TRY004  it's the file's
        SchemaCheck(schema)
    except ImportError as error:
        raise NotInstalledError(["jsonschema"], "validation", "json_schema", source) from error
    except (OSError, ValueError) as error:
        raise ParameterError(
            "json_schema", source, "a JSON Schema, inline or in a JSON or YAML file", f"What is wrong: {error}."
        ) from error
    return schema


def _model(given: str) -> Any:
    try:
        model = pkgutil.resolve_name(given)
    except Exception as error:  # whatever importing the user's code raises
        raise ParameterError(
            "model", given, "the dotted path of a model", f"It cannot be imported: {message_of(error)}."
        ) from error
    try:
        ModelCheck(model)
    except ImportError as error:
        raise NotInstalledError(["pydantic"], "validation", "model", given) from error
    except TypeError as error:
        raise ParameterError(
            "model", given, "a pydantic model, a dataclass or another type that pydantic validates", f"{error}."
        ) from error
    return model
