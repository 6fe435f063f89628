"""Jobs get configs that were composed when the sweep started.

Hydra's sweeper composes each job's config to see whether it can be composed, and the launcher composes it again, in the
worker under most launchers. Both ask the config loader that they were set up with: here one that has the configs already.
What a job's config is made of travels to its worker on the job's own overrides, so that each gets its own, and nothing else.
"""

import copy
import time
from collections.abc import Sequence
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext
from omegaconf import DictConfig

from hydra_callback_kit.configs.composed_job import ComposedJob, made
from hydra_callback_kit.configs.hydra_internals import config_loader_impl
from hydra_callback_kit.configs.job_configs import JobConfigs
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.shared_job_configs import job_configs
from hydra_callback_kit.configs.sweep_jobs import sweep_jobs
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.policy import Batch, Policy
from hydra_callback_kit.views import wording

log = SafeLogger("hydra_callback_kit.compose_once_callback")


class TakesAlong(str):
    """An override that takes along what its job's config is made of; for everything else it is its text."""

    __slots__ = ("job",)
    job: ComposedJob

    def __reduce__(self) -> tuple[Any, ...]:
        """What a launcher sends to a worker."""
        return (taking_along, (str(self), self.job)) if self.job.base.travels else (str, (str(self),))


def taking_along(override: str, job: ComposedJob) -> TakesAlong:
    """Makes such an override.

    Args:
        override: its text.
        job: what it takes along.
    """
    self = TakesAlong(override)
    self.job = job
    return self


class ComposedConfigs(config_loader_impl.ConfigLoaderImpl):
    """Hydra's own config loader, but for the jobs' configs.

    Args:
        loader: Hydra's, whose state it shares.
        jobs: the configs; in other processes it has only what the jobs' overrides take along.
    """

    def __init__(self, loader: config_loader_impl.ConfigLoaderImpl, jobs: JobConfigs) -> None:
        vars(self).update(vars(loader))
        self._jobs: JobConfigs | None = jobs
        self.without_overrides: ComposedJob | None = None
        """What has no override that could take it along."""

    def __getstate__(self) -> dict[str, Any]:
        """What travels to the jobs."""
        alone = self.without_overrides
        return {**vars(self), "_jobs": None, "without_overrides": alone if alone and alone.base.travels else None}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """The config of a job, for it alone."""
        plain = [str(override) for override in sweep_overrides]
        first = sweep_overrides[0] if sweep_overrides else None
        job = first.job if isinstance(first, TakesAlong) else self.without_overrides
        if job is None or job.overrides != tuple(plain):
            job = self._found(plain)
        return super().load_sweep_config(master_config, plain) if job is None else made(job, master_config)

    def _found(self, overrides: list[str]) -> ComposedJob | None:
        if self._jobs is not None:
            return self._jobs.job(overrides)
        log.warning(
            "Hydra composes the config of this job from the files as they are now: what was composed when the sweep "
            "started did not reach this process."
        )
        return None


class ComposesOnce(Policy):
    """Composes the configs of a sweep's jobs as the sweep starts.

    Args:
        config: that of `on_multirun_start`.
        check: whether Hydra composes each as well, and the two are compared.
    """

    place = 50

    def __init__(self, config: DictConfig, check: bool) -> None:
        self._config = config
        self._check = check
        self._jobs: JobConfigs | None = None
        self._loader: ComposedConfigs | None = None
        self._told: set[str] = set()

    def context_of_sweeper(self, context: HydraContext) -> HydraContext:
        """Its config loader is ours from here on."""
        loader = context.config_loader
        if type(loader) is not config_loader_impl.ConfigLoaderImpl:
            log.warning("Each job's config is composed as it starts: %s loads it, and not Hydra.", type(loader).__name__)
            return context
        self._jobs = JobConfigs(self._config, check=True) if self._check else job_configs(self._config)
        self._compose_all(self._jobs)
        context = copy.copy(context)
        context.config_loader = self._loader = ComposedConfigs(loader, self._jobs)
        return context

    def sees_sweeper(self, sweeper: Sweeper) -> None:
        """Hydra's check whether a batch can be composed makes no config that nobody looks at."""
        if self._jobs is not None and type(sweeper).validate_batch_is_legal is Sweeper.validate_batch_is_legal:
            vars(sweeper)["validate_batch_is_legal"] = self._compose_batch

    def handed_over(self, batch: Batch) -> Batch:
        """Each job's overrides take along what its config is made of."""
        return {num: self._taking_along(self._jobs, batch[num]) for num in batch} if self._jobs is not None else batch

    def _taking_along(self, jobs: JobConfigs, overrides: Sequence[str]) -> Sequence[str]:
        try:
            job = jobs.job([str(override) for override in overrides])
        except Exception:  # noqa: BLE001  the launcher asks for it, and raises this
            return overrides
        if job is None:
            return overrides
        if not overrides and self._loader is not None:
            self._loader.without_overrides = job
        return [taking_along(override, job) for override in overrides[:1]] + list(overrides[1:])

    def _compose_all(self, jobs: JobConfigs) -> None:
        started = time.perf_counter()
        try:
            known = sweep_jobs(self._config)
            for overrides in known or ():
                jobs.job(overrides)
        except Exception:  # noqa: BLE001  Hydra raises it as it comes to it, after the jobs of the batches before it
            return
        if known is None:
            log.info(
                "The sweeper chooses its jobs as it goes: what they choose of the config groups is composed at first need."
            )
        else:
            log.info(
                "Composed the configs of %s from %s of config groups in %s%s",
                wording.jobs(len(known)),
                f"{jobs.combinations} combination{'s'[: jobs.combinations != 1]}",
                wording.duration(time.perf_counter() - started),
                ", and compared each with what Hydra composes" if self._check else "",
            )
        self._tell(jobs)

    def _compose_batch(self, batch: Sequence[Sequence[str]]) -> None:
        if self._jobs is not None:
            for overrides in batch:
                self._jobs.job(overrides)
            self._tell(self._jobs)

    def _tell(self, jobs: JobConfigs) -> None:
        """Says once for each reason that Hydra composed configs itself, and of each config that would have been another."""
        new = {reason: count for reason, count in jobs.reasons.items() if reason not in self._told}
        self._told.update(new)
        if new:
            log.info(
                "Hydra itself composed the whole configs of %s: %s",
                wording.jobs(sum(new.values())),
                ", ".join(f"{reason} ({wording.jobs(count)})" for reason, count in new.items()),
            )
        while jobs.differences:
            overrides, found = jobs.differences.popitem()
            log.error(
                "The config of the job %s is Hydra's: what was composed once differs from it in %s. Please report this.",
                " ".join(redaction_of(self._config).of_overrides(overrides)),
                found,
            )
