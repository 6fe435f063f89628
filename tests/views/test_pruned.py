"""What is said of trials that a search has pruned, from records alone."""

from pathlib import Path

import pytest

from hydra_callback_kit.cli import screen
from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.kinds import is_pruned
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.asked_ranking import AskedRanking
from hydra_callback_kit.views.best import best_in_short
from hydra_callback_kit.views.performance import performance_summary
from hydra_callback_kit.views.plots import table, words
from hydra_callback_kit.views.progress import Progress, progress_text
from hydra_callback_kit.views.report.failures import failures_of
from hydra_callback_kit.views.settings import settings_of
from hydra_callback_kit.views.summary import run_summary, unfinished
from hydra_callback_kit.views.wording import STATUSES, status_counts

PRUNED = JobError("app.Ours", "", "", ("optuna.exceptions.TrialPruned", "optuna.exceptions.OptunaError", "Exception"))
JOBS = (
    JobRecord(0, "COMPLETED", ("x=1",), return_value=2.0),
    JobRecord(1, "FAILED", ("x=2",), error=PRUNED),
    JobRecord(2, "FAILED", ("x=3",), error=JobError("ValueError", "boom", "", ("Exception",))),
    JobRecord(3, "FAILED", ("x=4",), error=PRUNED),
)
RUN = RunRecord("1", Path("/sweep"), "MULTIRUN", "FAILED", JOBS)


@pytest.mark.parametrize(
    ("kinds", "pruned"),
    [
        (("optuna.exceptions.TrialPruned", "Exception"), True),
        (("optuna.TrialPruned",), True),
        (("app.Ours", "optuna.exceptions.TrialPruned"), True),
        (("app.TrialPruned", "Exception"), False),
        (("optuna.exceptions.StorageInternalError",), False),
        (("ValueError",), False),
        ((), False),
    ],
)
def test_it_is_known_by_its_class_and_its_package(kinds: tuple[str, ...], pruned: bool) -> None:
    """Whatever comes from Optuna's exception; another of that name does not."""
    assert is_pruned(kinds) == pruned


def test_what_was_pruned_did_not_fail() -> None:
    """In counts and summaries; it is not left to be run."""
    assert status_counts(RUN) == "1 completed, 2 pruned, 1 failed"
    assert [job.job_num for job in unfinished(RUN)] == [2]
    summary = run_summary(RUN)
    assert "job 2 FAILED" in summary
    assert "job 1" not in summary
    assert (performance_summary(RUN)["jobs_failed"], performance_summary(RUN)["jobs_pruned"]) == (3, 2)
    assert [(failure.status, len(failure.jobs)) for failure in failures_of(RUN)] == [("FAILED", 1), ("PRUNED", 2)]


def test_progress_counts_them_by_themselves() -> None:
    """They are done."""
    progress = Progress("app", done=5, failed=1, interrupted=0, running=0, total=6, elapsed_s=1.0, pruned=2)
    assert progress_text(progress, ended=True) == "app: 5/6 jobs done, 1 failed, 2 pruned, in 1.0 s"


def test_the_best_is_by_the_sweepers_direction() -> None:
    """Where nobody has asked for another metric."""
    jobs = (*JOBS, JobRecord(4, "COMPLETED", ("x=5",), return_value=1.0))
    run = RunRecord("1", Path("/sweep"), "MULTIRUN", "FAILED", jobs, facts={"directions": ["minimize"]})
    assert best_in_short(run, AskedRanking()) == "job 4, with return_value 1 (min)"
    run.facts["directions"] = ["maximize"]
    assert best_in_short(run, AskedRanking()) == "job 0, with return_value 2 (max)"
    both = tuple(JobRecord(num, "COMPLETED", return_value=[num, num]) for num in range(3))
    front = RunRecord("1", Path("/sweep"), "MULTIRUN", "COMPLETED", both, facts={"directions": ["minimize", "maximize"]})
    assert best_in_short(front, AskedRanking()) == "3 jobs that no other beats in all objectives"
    assert best_in_short(RUN, AskedRanking()) == ""


def test_each_status_has_a_colour_of_its_own() -> None:
    """On the terminal, in a notebook and in plots: also what was pruned, which is no failure."""
    for colours in (screen.COLOURS, table._COLOURS, words.STATUS_COLOURS):
        assert set(colours) == set(STATUSES)
        assert len(set(colours.values())) == len(STATUSES)


def test_a_setting_counts_them_as_neither_failed_nor_completed() -> None:
    """As the sweep does: what a search has given up on purpose is no failure of a setting's."""
    (setting,) = settings_of(JOBS, ["x"])
    assert (setting.completed, setting.failed) == ([JOBS[0]], [JOBS[2]])
