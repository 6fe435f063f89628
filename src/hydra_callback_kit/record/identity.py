"""Which run and which job a config belongs to, the same answer in every hook and in every process."""

import datetime as dt
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from omegaconf import DictConfig

from hydra_callback_kit.record.carried import carried_values
from hydra_callback_kit.record.overrides import given_overrides
from hydra_callback_kit.record.redaction import redaction_of

Mode = Literal["RUN", "MULTIRUN"]


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """One start of an app: a single run, or a sweep with all its jobs.

    Attributes:
        run_id: UTC start time and a random part, so that ids sort by time.
        root: absolute path of the output directory of a single run, or of `hydra.sweep.dir`.
        mode: `RUN` or `MULTIRUN`.
    """

    run_id: str
    root: Path
    mode: Mode


@dataclass(frozen=True, slots=True)
class JobIdentity:
    """One attempt at one job of a run.

    Attributes:
        run: the run it belongs to.
        job_num: index in the sweep; 0 for a single run, where Hydra has no number.
        attempt: random, new each time the job is started (a requeue or a retry starts it again).
        pid: the process that runs it; a forked child of the job is not the job.
        job_id: what the launcher calls the job; None for a single run.
        job_name: `hydra.job.name`.
        overrides: the overrides as Hydra passed them, secrets redacted.
        output_dir: absolute path of the job's output directory.
    """

    run: RunIdentity
    job_num: int
    attempt: str
    pid: int
    job_id: str | None
    job_name: str
    overrides: tuple[str, ...]
    output_dir: Path


def identify_run(config: DictConfig) -> RunIdentity:
    """Tells the run of a config; the first call on a run's config names the run, and the name travels to its jobs.

    Args:
        config: the config that Hydra handed to any hook.

    Returns:
        The same identity for the run's config and for the configs of all its jobs.
    """
    carried = carried_values(config)
    if "run_id" not in carried:
        mode: Mode = "MULTIRUN" if getattr(config.hydra.mode, "name", config.hydra.mode) == "MULTIRUN" else "RUN"
        directory = config.hydra.sweep.dir if mode == "MULTIRUN" else config.hydra.run.dir
        # `..` must go, and where `hydra.job.chdir` has moved on, a relative directory still starts where the app started
        carried["root"] = os.path.abspath(os.path.join(config.hydra.runtime.cwd, directory))  # noqa: PTH100, PTH118
        carried["mode"] = mode
        carried["run_id"] = f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
    return RunIdentity(carried["run_id"], Path(carried["root"]), carried["mode"])


def identify_job(config: DictConfig) -> JobIdentity:
    """Tells the job of a config; the first call on a job's config begins a new attempt.

    Args:
        config: the config that Hydra handed to `on_job_start` or `on_job_end`.

    Returns:
        The same identity in all hooks of one attempt.
    """
    carried = carried_values(config)
    if "job" not in carried:
        hydra = config.hydra
        job = hydra.job
        carried["job"] = JobIdentity(
            run=identify_run(config),
            job_num=job.get("num") or 0,  # `get`, unlike the attribute, takes a missing value for None
            attempt=secrets.token_hex(6),
            pid=os.getpid(),
            job_id=job.get("id"),
            job_name=job.name,
            overrides=tuple(redaction_of(config).of_overrides(given_overrides(config))),
            output_dir=Path(hydra.runtime.output_dir),
        )
    identity: JobIdentity = carried["job"]
    return identity
