"""Whatever ends a job, it is noted: how many can have failed is never less than have."""

from pathlib import Path

import pytest
from hook_calls import config_of, job_of, returned
from omegaconf import DictConfig

from hydra_callback_kit import FailureLimitCallback
from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.counting_failures import failures_so_far
from hydra_callback_kit.hooks.job_recorder import (
    record_job_aborted,
    record_job_end,
    record_job_killed,
    record_job_start,
)
from hydra_callback_kit.launching.record import AT_HOME

ENDS = {
    "completes": lambda config: record_job_end(config, returned(1)),
    "raises": lambda config: record_job_end(config, returned(ValueError("boom"))),
    "is interrupted": lambda config: record_job_end(config, returned(KeyboardInterrupt())),
    "is not let start": lambda config: record_job_aborted(config, RuntimeError("no disk")),
    "takes too long": lambda config: record_job_killed(config, TimeoutError("late"), []),
}


def job(sweep: DictConfig, num: int) -> DictConfig:
    """A job that has started."""
    config = job_of(sweep, num=num, id=str(num))
    record_job_start(config)
    return config


@pytest.mark.parametrize("end", ENDS)
def test_each_end_of_a_job_is_noted(tmp_path: Path, end: str) -> None:
    """Before and after it the job that asks is told."""
    sweep = config_of(tmp_path, mode="MULTIRUN")
    FailureLimitCallback().on_multirun_start(config=sweep)
    first, second = job(sweep, 0), job(sweep, 1)
    assert failures_so_far(second, identify_job(second)) == 0
    ENDS[end](first)
    assert failures_so_far(second, identify_job(second)) == (end != "completes")


def test_only_the_journal_tells_of_jobs_whose_lines_come_home_by_themselves(tmp_path: Path) -> None:
    """And of those of a sweep whose start nobody has heard of."""
    sweep = config_of(tmp_path, mode="MULTIRUN")
    unheard = job(sweep, 0)
    FailureLimitCallback().on_multirun_start(config=sweep)
    elsewhere = job(sweep, 1)
    notes_of(elsewhere)[AT_HOME] = True
    assert failures_so_far(unheard, identify_job(unheard)) == float("inf")
    assert failures_so_far(elsewhere, identify_job(elsewhere)) == float("inf")
