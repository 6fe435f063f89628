"""`conditional_callback`: other callbacks, only when a condition holds."""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.checks.condition import OPERATORS, Condition, Verdict
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.reading import reading, resolving
from hydra_callback_kit.configs.secret_keys import SecretKeys
from hydra_callback_kit.configs.sweeping import may_differ
from hydra_callback_kit.hooks.end_of_run import disarm, run_starts
from hydra_callback_kit.hooks.guard import never_breaks_the_job
from hydra_callback_kit.hooks.hydra_callback import Callback
from hydra_callback_kit.hooks.job_recorder import record_job_end, record_job_start
from hydra_callback_kit.hooks.known_parameters import KnownParameters
from hydra_callback_kit.hooks.parameters import ParameterError, one_of
from hydra_callback_kit.hooks.run_recorder import record_run_end, record_run_start
from hydra_callback_kit.hooks.wrapping import WrappedCallbacks, make_up_for_the_end
from hydra_callback_kit.journal.requeue import is_requeue
from hydra_callback_kit.journal.safe_log import SafeLogger

log = SafeLogger("hydra_callback_kit.conditional_callback")

JOB_STATUSES: Final = ("COMPLETED", "FAILED")


class ConditionalCallback(KnownParameters, Callback):
    """Runs other callbacks only when a condition on the config holds, or only for jobs that completed or failed.

    All hooks are forwarded, in Hydra's order, and a start that was forwarded gets its end. The hooks of a job are forwarded
    when the condition holds for the job's config, those of a single run when it holds for the run's. Those of a sweep are
    forwarded when the condition holds for the base config or its key is swept: the key itself, a part of it, a node or
    config group it lies in, or a key it is interpolated from; also when its value is still to come, as `hydra.job.num`.

    A key that is not there and values that cannot be compared (`lt` between a number and a text) mean that the condition
    does not hold, whatever the operator; why is logged once. An error in a wrapped callback is logged with its name and does
    not stop the others. Where Hydra 1.3 calls no `on_multirun_end` (a job failed) or `on_run_end` (it left by `sys.exit`),
    the wrapped callbacks get it as the process ends, in a single run with a `job_return` of unknown status.

    A wrapped callback of this package that sums up a run reads the journal of the run, so it names every job that any
    callback of this package recorded.

    Args:
        condition_key: the key to look up, dotted, `hydra.*` too; null for no condition on the config, where `job_status`
            alone decides.
        condition_value: what the config's value is compared with; a list for `in`.
        operator: `eq`, `ne`, `lt`, `le`, `gt`, `ge`; `in` (the config's value is in `condition_value`), `contains` (it has
            `condition_value` in it), `matches` (the regular expression `condition_value` is found in it; `^` and `$` bind
            it), `exists` or `missing`. Enums are compared by name, paths as text; `???` is missing, null is not.
        job_status: `COMPLETED` or `FAILED` to forward the end of a job only then; null for both. The start of a job comes
            before its status is known and is forwarded in any case.
        callbacks: the callbacks to run, by name, each an ordinary callback node. Null instead of a node leaves it out. With
            none, it logs at the start of a job that the condition was met, or at the end if `job_status` is given.

    Raises:
        ParameterError: if neither `condition_key` nor `job_status` is given, if `operator` or `job_status` is unknown, if
            `condition_value` does not go with the operator, or if something in `callbacks` is not a callback.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory, when the condition holds: the journal
        (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [conditional_callback]
          - /callbacks@hydra.callbacks.conditional_callback.callbacks.logging_callback: logging_callback
          - _self_

        debug: true

        hydra:
          callbacks:
            conditional_callback:
              condition_key: debug
              callbacks:
                logging_callback:
                  log_config: true
        ```
    """

    on_every_rank = True  # what it wraps is called wherever Hydra calls it

    def __init__(
        self,
        condition_key: str | None = None,
        condition_value: Any = True,
        operator: str = "eq",
        job_status: str | None = None,
        callbacks: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        if condition_key is None and job_status is None:
            raise ParameterError(
                "condition_key",
                None,
                "a dotted key of the config, or null if job_status is given",
                "Write for example condition_key=debug, or job_status=FAILED.",
            )
        self.job_status = None if job_status is None else one_of("job_status", str(job_status).upper(), JOB_STATUSES)
        self.condition = None if condition_key is None else _condition(condition_key, operator, condition_value)
        self._wrapped = WrappedCallbacks(callbacks, log)
        self._token = os.urandom(4).hex()  # names this callback in what travels with a config, in every copy of it

    @never_breaks_the_job
    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook if the condition holds."""
        self._start_run("on_run_start", config, self._decide("run", config), kwargs)

    @never_breaks_the_job
    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook if the condition holds for the base config, or may hold for some jobs."""
        self._start_run("on_multirun_start", config, self._decide("multirun", config), kwargs)

    @never_breaks_the_job
    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Forwards the hook if the condition holds for the job."""
        if not self._decide("job", config):
            return
        try:
            record_job_start(config)
        finally:
            self._wrapped.forward("on_job_start", config=config, task_function=task_function, **kwargs)
            if self.job_status is None:
                self._log_if_alone(config, "starts")

    @never_breaks_the_job
    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Forwards the hook if the job's start was, and the job's status is the one that was asked for."""
        if not self._decided("job", config):
            return
        try:
            record_job_end(config, job_return)  # also where it is not forwarded: those that heard of the start need the end
        finally:
            requeued = is_requeue(job_return._return_value)  # noqa: SLF001  `return_value` raises for a failed job
            if self.job_status is None or (self.job_status == job_return.status.name and not requeued):
                self._wrapped.forward("on_job_end", config=config, job_return=job_return, **kwargs)
                if self.job_status is not None:
                    self._log_if_alone(config, self.job_status)

    @never_breaks_the_job
    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook if the start was."""
        self._end_run("on_run_end", config, self._decided("run", config), kwargs)

    @never_breaks_the_job
    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Forwards the hook if the start was."""
        self._end_run("on_multirun_end", config, self._decided("multirun", config), kwargs)

    def _start_run(self, hook: str, config: DictConfig, forwarded: bool, kwargs: dict[str, Any]) -> None:
        if not forwarded:
            return
        try:
            record_run_start(config)
        finally:
            self._wrapped.forward(hook, config=config, **kwargs)
            # after the wrapped callbacks have armed theirs, so that at the end of the process ours comes first
            run_starts(config, self._make_up_for_the_end)

    def _end_run(self, hook: str, config: DictConfig, forwarded: bool, kwargs: dict[str, Any]) -> None:
        if not forwarded:
            return
        try:
            record_run_end(config)
            disarm(config, self._make_up_for_the_end)
        finally:
            self._wrapped.forward(hook, config=config, **kwargs)

    def _make_up_for_the_end(self, config: DictConfig) -> None:
        make_up_for_the_end(self, config)

    def _decide(self, level: Literal["run", "multirun", "job"], config: DictConfig) -> bool:
        """Decides on the hooks of a level; the decision travels with the config, and the end finds it there."""
        may_hold = level == "multirun" and self.condition is not None and may_differ(config, self.condition.key)
        decision = may_hold or self._holds(config)
        notes_of(config)[f"conditional_{self._token}_{level}"] = decision
        return decision

    def _decided(self, level: Literal["run", "multirun", "job"], config: DictConfig) -> bool:
        decision: bool | None = notes_of(config).get(f"conditional_{self._token}_{level}")
        return self._decide(level, config) if decision is None else decision

    def _holds(self, config: DictConfig) -> bool:
        if self.condition is None:
            return True
        with reading(config):
            verdict = self.condition.ask(config)
        if verdict.why:  # it may be that only a resolver of the app's can tell
            try:
                with resolving(config) as resolved:
                    verdict = self.condition.ask(resolved)
            except SystemExit as error:  # a resolver of the app's that ends the process where a job asks it
                verdict = Verdict(False, f"{self.condition.key} cannot be resolved: SystemExit: {error}")
        if verdict.why:
            # jobs inherit what was said to their sweep; jobs of one process share the rest
            said: list[str] = notes_of(config).setdefault(f"conditional_{self._token}_said", [])
            if verdict.why not in said and (self._token, verdict.why) not in _said:
                log.warning("The condition of conditional_callback does not hold: %s.", verdict.why)
                said.append(verdict.why)
                _said.add((self._token, verdict.why))
        return verdict.holds

    def _log_if_alone(self, config: DictConfig, what: str) -> None:
        if self._wrapped.by_name:
            return
        number = OmegaConf.select(config, "hydra.job.num", default=0)
        if self.condition is None:
            log.info("Job %s %s", number, what)
            return
        key, value = self.condition.key, self.condition.value
        shown = "" if self.condition.operator in ("exists", "missing") else f" {value!r}"
        redaction = redaction_of(config)
        if shown and redaction.keys.is_secret(key):
            shown = f" {redaction.mark(value)}"
        log.info("Job %s %s; the condition is met: %s %s%s", number, what, key, self.condition.operator, shown)


_said: set[tuple[str, str]] = set()


class _Hidden:
    """What an error says of a value that a secret key is compared with."""

    def __repr__(self) -> str:
        return "<redacted>"


def _condition(key: str, operator: str, value: Any) -> Condition:
    """Checks that the three go together; the value becomes plain, for OmegaConf's lists carry the whole config."""
    if not all(part.strip() for part in str(key).split(".")):
        raise ParameterError(
            "condition_key", key, "a dotted key of the config", "Write for example condition_key=model.name."
        )
    one_of("operator", operator, OPERATORS)
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True, enum_to_str=True)
    shown = _Hidden() if SecretKeys().is_secret(str(key)) else value
    if operator in ("lt", "le", "gt", "ge") and (value is None or isinstance(value, bool)):
        raise ParameterError("condition_value", shown, f"a number or a text for `{operator}`", "Write condition_value=10.")
    if operator == "in" and not isinstance(value, (list, tuple, dict, str)):
        raise ParameterError("condition_value", shown, "a list for `in`", f"Write condition_value=[{shown}].")
    if operator == "matches":
        _check_pattern(value, shown)
    return Condition(str(key), operator, value)


def _check_pattern(pattern: Any, shown: Any) -> None:
    try:
        re.compile(pattern)
    except (TypeError, re.error) as error:
        raise ParameterError(
            "condition_value", shown, "a regular expression for `matches`", f"It does not compile: {error}."
        ) from None
