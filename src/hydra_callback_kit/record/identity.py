"""Which run and which job a config belongs to, the same answer in every hook and in every process."""

import datetime as dt
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.record.carried import carried_values
from hydra_callback_kit.record.overrides import quoted_value
from hydra_callback_kit.record.records import Mode

_OF_A_RERUN: Final = re.compile(r"([0-9]{8}T[0-9]{12}-[0-9a-f]{8})_[0-9]+")


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """One start of an app: a single run, or a sweep with all its jobs.

    Attributes:
        run_id: UTC start time and a random part, so that ids sort by time.
        root: absolute path of the output directory of a single run, or of `hydra.sweep.dir`.
        mode: `RUN` or `MULTIRUN`.
        rerun: whether this process only runs one of its jobs again. The run's start and end are not this process's to tell.
    """

    run_id: str
    root: Path
    mode: Mode
    rerun: bool = False


@dataclass(frozen=True, slots=True)
class JobIdentity:
    """One attempt at one job of a run.

    Attributes:
        run: the run it belongs to.
        job_num: index in the sweep; 0 for a single run, where Hydra has no number.
        attempt: random, new each time the job is started (a requeue or a retry starts it again).
        job_id: what the launcher calls the job; None for a single run.
        job_name: `hydra.job.name`.
        output_dir: absolute path of the job's output directory.
    """

    run: RunIdentity
    job_num: int
    attempt: str
    job_id: str | None
    job_name: str
    output_dir: Path


def identify_run(config: DictConfig) -> RunIdentity:
    """Tells the run of a config; the first call on a run's config names the run, and the name travels to its jobs.

    Args:
        config: the config that Hydra handed to any hook.

    Returns:
        The same identity for the run's config and for the configs of all its jobs. A single run that `rerun_overrides` made
        of a job belongs to the run of that job.
    """
    carried = carried_values(config)
    if "run_id" not in carried:
        mode: Mode = "MULTIRUN" if getattr(config.hydra.mode, "name", config.hydra.mode) == "MULTIRUN" else "RUN"
        of_run = _run_that_it_belongs_to(config) if mode == "RUN" else None
        directory = config.hydra.sweep.dir if mode == "MULTIRUN" or of_run else config.hydra.run.dir
        carried["root"] = str(_absolute(config, directory))
        carried["rerun"] = of_run is not None
        carried["mode"] = "MULTIRUN" if of_run and _absolute(config, config.hydra.run.dir) != Path(carried["root"]) else mode
        carried["run_id"] = of_run or f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
    return RunIdentity(carried["run_id"], Path(carried["root"]), carried["mode"], carried["rerun"])


def identify_job(config: DictConfig) -> JobIdentity:
    """Tells the job of a config; the first call on a job's config begins a new attempt.

    Args:
        config: the config that Hydra handed to `on_job_start` or `on_job_end`.

    Returns:
        The same identity in all hooks of one attempt.
    """
    run = identify_run(config)
    carried = carried_values(config)
    if "attempt" not in carried:
        carried["attempt"] = secrets.token_hex(6)
    job = config.hydra.job
    return JobIdentity(
        run=run,
        job_num=0 if OmegaConf.is_missing(job, "num") else job.num,
        attempt=carried["attempt"],
        job_id=None if OmegaConf.is_missing(job, "id") else job.id,
        job_name=job.name,
        output_dir=_absolute(config, config.hydra.runtime.output_dir),
    )


def rerun_overrides(run_id: str, root: Path, job_num: int, output_dir: Path | None) -> list[str]:
    """Tells the overrides that make a single run of the app another attempt at a job.

    Hydra gives a single run neither a job number nor a job id; given both, it belongs to the run that the id names.

    Args:
        run_id: the job's run.
        root: where the run's journal lies now, absolute.
        job_num: the job's number.
        output_dir: the job's output directory, absolute; None for the one that the app's `hydra.sweep.subdir` says.

    Returns:
        Overrides of Hydra's own keys.
    """
    directory = "${hydra.sweep.dir}/${hydra.sweep.subdir}" if output_dir is None else quoted_value(output_dir.as_posix())
    return [
        "hydra.mode=RUN",
        f"hydra.sweep.dir={quoted_value(root.as_posix())}",
        f"hydra.run.dir={directory}",
        f"hydra.job.num={job_num}",
        f"hydra.job.id={run_id}_{job_num}",
    ]


def _run_that_it_belongs_to(config: DictConfig) -> str | None:
    job = config.hydra.job
    if OmegaConf.is_missing(job, "num") or OmegaConf.is_missing(job, "id"):
        return None
    named = _OF_A_RERUN.fullmatch(str(job.id))
    return named and named[1]


def _absolute(config: DictConfig, directory: str) -> Path:
    """Relative directories start at the directory the app was started in, also where `hydra.job.chdir` has moved on."""
    return Path(os.path.abspath(os.path.join(config.hydra.runtime.cwd, directory)))  # noqa: PTH100, PTH118  `..` must go
