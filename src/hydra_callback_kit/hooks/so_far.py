"""The record of a run or job as far as the process itself knows it, for who sends it on while it is made.

To read it from the journal takes longer the larger a sweep is.
"""

from typing import Any

from omegaconf import DictConfig

from hydra_callback_kit.configs.app_config import app_config
from hydra_callback_kit.configs.identity import identify_job, identify_run, job_name
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.job_recorder import JobEnd
from hydra_callback_kit.journal.metric import metrics_in
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import from_json
from hydra_callback_kit.journal.writer import utc_now


def run_so_far(config: DictConfig) -> RunRecord:
    """What a run's process, or that of one of its jobs, knows of the run: which it is, its launcher, and its commit.

    Args:
        config: the config of any hook.
    """
    run = identify_run(config)
    commit = notes_of(config).get("commit")
    facts = {
        "job_name": redaction_of(config).of_text(job_name(config)),
        "launcher": config.hydra.runtime.choices.get("hydra/launcher"),
        **({} if commit is None else {"git": {"commit": commit}}),
    }
    return RunRecord(run.run_id, run.root, run.mode, "RUNNING", facts=facts)


def job_so_far(config: DictConfig, *, with_config: bool) -> JobRecord:
    """What a job's process knows of the job: which it is, and, once its end is recorded, how it ended and what came out.

    Args:
        config: the config of `on_job_start` or `on_job_end`.
        with_config: whether its config, resolved and redacted, is part of it.
    """
    job, process = identify_job(config), this_process()
    end: JobEnd | None = notes_of(config).get("job_ended")
    facts: dict[str, Any] = {"config": app_config(config).values} if with_config else {}
    return JobRecord(
        job.job_num,
        "RUNNING" if end is None else end.status,
        task_overrides=job.overrides,
        return_value=None if end is None else from_json(end.returned),
        error=end and end.error,
        job_id=job.job_id,
        job_name=job.job_name,
        ended_at=None if end is None or end.status == "RUNNING" else utc_now(),
        attempts=notes_of(config).get("attempt_number", 1),
        host=process.host,
        pid=process.pid,
        root=job.run.root,
        metrics={} if end is None else metrics_in(from_json(end.reported.get("metrics"))),
        subdir=str(job.output_dir),
        facts=facts,
    )
