"""Starts jobs again that failed or were killed, before the sweep ends: the policy of `retry_callback`."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final, NamedTuple

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from hydra_callback_kit.configs.changes import ChangeError, Changes, changed_overrides, has
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.job_configs import JobConfigs
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.sweep_jobs import looks_at_values
from hydra_callback_kit.journal.errors import error_of
from hydra_callback_kit.journal.kinds import is_pruned
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.aftermath import Aftermath
from hydra_callback_kit.launching.answering import failed_by
from hydra_callback_kit.launching.deadline import NOTE as DEADLINE
from hydra_callback_kit.launching.deadline import Deadline
from hydra_callback_kit.launching.lost import VALUELESS, VALUELESS_AGAIN, Became
from hydra_callback_kit.launching.policy import Batch, Next, Policy, Round
from hydra_callback_kit.launching.record import STARTED_BEFORE
from hydra_callback_kit.launching.retry_plan import RetryPlan, Tries, retry_plan
from hydra_callback_kit.launching.retry_rule import NOTE, note
from hydra_callback_kit.views import wording

_MOST: Final = 200
"""Characters that are shown of what a launcher says."""

_log = SafeLogger("hydra_callback_kit.retry_callback")


class Retrying(NamedTuple):
    """What is asked for.

    Attributes:
        retries: how often a job is started again.
        errors: the names of the exceptions that are worth it; empty for any.
        wait_s: seconds to wait before a job is started for the second time.
        backoff: how many times longer the wait is before each further one.
        changes: what is changed in its config.
    """

    retries: int
    errors: Sequence[str]
    wait_s: float
    backoff: float
    changes: Changes

    def pause_s(self, tries: int) -> float:
        """Seconds to wait before the next attempt at a job that has come to nothing so often."""
        return self.wait_s * self.backoff ** (tries - 1) if self.wait_s and tries else 0.0


class Retries(Policy):
    """Starts jobs again.

    Args:
        config: that of `on_multirun_start`; the start of the sweep is recorded.
        asked: what is asked for.
        end_job: records the end of the job that ran in this process, if it has none on record.
    """

    place: ClassVar[int] = 30
    patient: ClassVar[bool] = True

    def __init__(self, config: DictConfig, asked: Retrying, end_job: Callable[[DictConfig, BaseException], None]) -> None:
        self._config = config
        self._asked = asked
        self._end_job = end_job
        self._tries: dict[int, Tries] = {}
        self._last: dict[int, int] = {}
        self._aftermath = Aftermath(identify_run(config), _log, looks_at_values=looks_at_values(config))
        notes_of(config)[NOTE] = note(asked.errors, {})

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:  # noqa: ARG002  it has none
        """None; it looks how often jobs were started before the sweep went on."""
        self._aftermath.begin()
        return {}

    def after(self, launched: Round) -> Next | None:
        """What failed or was killed, and what never started because of that, is started again."""
        if launched.error is None and not any(
            home is not None and home.status is JobStatus.FAILED for home in launched.returned.values()
        ):
            return None
        if launched.error is not None:
            why = redaction_of(self._config).of_text(error_of(launched.error).headline)
            _log.info("The launcher gave up: %s", wording.shortened(why, _MOST))
            self._end_job(self._config, launched.error)
        became, _ = self._aftermath.of(launched)
        if launched.error is not None and became.running:
            named = wording.named_jobs(became.running)
            _log.warning("Nothing is started again, for nobody knows whether they still run: %s.", named)
            return None
        plan = self._plan(launched, became, self._asked.retries)
        if plan.over:
            _log.info("No job is started again: one was ended by Ctrl-C or by a callback.")
            return None
        if launched.error is not None and not (plan.again or plan.given_up or became.done):
            return None
        pause_s = self._asked.pause_s(max((sum(plan.tries.get(num, ())) for num in plan.again), default=0))
        deadline: Deadline | None = notes_of(self._config).get(DEADLINE, (None, None))[1]
        if plan.again and deadline is not None and deadline.is_over:
            _log.info("No job is started again: %s.", deadline)
            return None
        if plan.again and deadline is not None and deadline.is_over_in(pause_s):
            _log.warning("No job that failed is started again: it would be after %g s, and then %s.", pause_s, deadline)
            plan, pause_s = self._plan(launched, became, retries=0), 0.0
        self._tries = plan.tries
        batch = self._changed(launched.batch, became, plan)
        self._tell(launched, became, plan, batch)
        self._note(plan)
        if pause_s and plan.again:
            until = datetime.now().astimezone() + timedelta(seconds=pause_s)
            _log.info("Started again in %g s, at %s: %s.", pause_s, f"{until:%H:%M:%S}", wording.named_jobs(plan.again))
            time.sleep(pause_s)
        return Next(
            {num: batch[num] for num in sorted(plan.together)},
            self._answers(launched, became, plan),
            {num: batch[num] for num in sorted(plan.alone)},
        )

    def _plan(self, launched: Round, became: Became, retries: int) -> RetryPlan:
        said = launched.returned.keys() if launched.error is not None else ()
        return retry_plan(became, self._tries, retries, self._asked.errors, said)

    def _changed(self, batch: Batch, became: Became, plan: RetryPlan) -> dict[int, Sequence[str]]:
        """The overrides of the next attempts. Who did nothing wrong gets what it had."""
        overrides = {num: batch[num] for num in plan.again}
        if self._asked.changes:
            configs = JobConfigs(self._config)
            for num in plan.again:
                if num in became.failed or (num in became.killed and not self._tries[num].lost):
                    overrides[num] = self._with_changes(num, batch[num], configs)
        return overrides

    def _with_changes(self, num: int, overrides: Sequence[str], configs: JobConfigs) -> Sequence[str]:
        changes = dict(self._asked.changes)
        config = configs.compose(num, overrides)
        for key in list(changes):
            try:
                changed_overrides(overrides, config, {key: changes[key]})
            except ChangeError as error:
                _log.warning("Job %s keeps its %s: %s", num, key, error.advice)
                del changes[key]
        for key in changes:
            if not has(config, key):
                _log.warning("Job %s is started again without a change of %s, which it does not have.", num, key)
        return changed_overrides(overrides, config, changes)

    def _tell(self, launched: Round, became: Became, plan: RetryPlan, batch: Batch) -> None:
        redaction = redaction_of(self._config)
        attempts = self._asked.retries + 1
        for num in sorted({*became.failed, *became.killed}):
            name = f"Job {num} ({wording.overrides(redaction.of_overrides(launched.batch[num]))})"
            why = f"failed by {redaction.of_text(became.failed[num].headline)}" if num in became.failed else "was killed"
            if num in became.failed and is_pruned(became.failed[num].kinds):
                _log.info("%s was pruned, and is not started again.", name)
                continue
            tries = self._tries[num]
            why += " with others" if num in became.killed and tries.lost else ""
            if num in plan.given_up:
                often = f"; it is the last of {attempts} attempts" if tries.failures == attempts else ""
                _log.warning("%s %s, and is not started again%s.", name, why, often)
                continue
            changed = [each for each in batch[num] if each not in launched.batch[num]]
            _log.warning(
                "%s %s, and is started again%s%s: attempt %s of %s.",
                name,
                why,
                " by itself" if num in plan.alone else "",
                f" with {' '.join(redaction.of_overrides(changed))}" if changed else "",
                tries.failures + 1,
                attempts,
            )
        unstarted = became.unstarted & plan.again
        if unstarted:
            _log.info("Started now, for the launcher gave up before: %s.", wording.named_jobs(unstarted))
        again, lost = became.valueless & plan.again, became.valueless & plan.given_up
        if again:
            _log.warning("%s: %s.", VALUELESS_AGAIN, wording.named_jobs(again))
        if lost:
            _log.warning("%s: %s.", VALUELESS, wording.named_jobs(lost))

    def _note(self, plan: RetryPlan) -> None:
        """Tells the jobs of the next launch which failures are the last word, and how often they were started."""
        before = self._aftermath.attempts
        self._last |= {num: before.get(num, 1) for num in plan.given_up}
        spent = [num for num in plan.again if self._tries.get(num, Tries()).failures >= self._asked.retries]
        self._last |= {num: before.get(num, 1) + 1 for num in spent}
        notes = notes_of(self._config)
        notes[NOTE] = note(self._asked.errors, self._last)
        notes[STARTED_BEFORE] = notes.get(STARTED_BEFORE, {}) | {num: before[num] for num in plan.again if num in before}

    def _answers(self, launched: Round, became: Became, plan: RetryPlan) -> dict[int, JobReturn]:
        """What the sweeper gets for jobs that did not come home, and are not started again."""
        away = [num for num in launched.batch if launched.returned.get(num) is None]
        answers = {num: became.done[num] for num in away if num in became.done}
        for num in away:
            if num in plan.given_up:
                why = f"job {num} was killed" if num in became.killed else f"job {num}: {VALUELESS}"
                answers[num] = failed_by(became.failed[num].headline if num in became.failed else why, launched.batch[num])
        return answers
