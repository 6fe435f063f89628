"""How the jobs of a run have ended by its journal, read as it grows."""

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh, a_job, a_run, write_job

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.metric import Metric, as_fact
from hydra_callback_kit.journal.outcomes import Outcomes
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.writer import write_line


def outcomes_in(root: Path) -> Outcomes:
    """Judged by what was returned, if it is a number."""
    outcomes = Outcomes(root, a_run(root).run_id, lambda returned, _: returned if isinstance(returned, float) else None)
    outcomes.look()
    return outcomes


def test_only_those_that_ended_by_themselves_are_told_by_their_last_attempt(tmp_path: Path) -> None:
    """Not one that runs, is run again, or failed; but one that a search has pruned."""
    run = a_run(tmp_path)
    write_job(run, 0, "COMPLETED", return_value=0.5)
    write_job(run, 1, None)
    write_job(run, 2, "COMPLETED", return_value=0.7)
    write_job(run, 2, None, attempt="2")
    write_job(run, 3, "FAILED", error={"type": "ValueError", "message": "boom", "traceback": ""})
    error = {"type": "optuna.exceptions.TrialPruned", "message": "", "traceback": "", "bases": []}
    write_job(run, 4, "FAILED", error=error, pruned=True)
    outcomes = outcomes_in(tmp_path)
    assert [(each.job_num, each.value, each.pruned) for each in outcomes.ended()] == [(0, 0.5, False), (4, None, True)]
    write_line(run, "job_ended", {"status": "COMPLETED", "return_value": 0.1}, a_job(run, 2, "2"))
    outcomes.look()
    assert [(each.job_num, each.value) for each in outcomes.ended()] == [(0, 0.5), (2, 0.1), (4, None)]


@pytest.mark.parametrize(
    ("directory", "doubt"),
    [
        *((outside, "its directory lies outside of the sweep's") for outside in ("/elsewhere/0", "../0", "a/../../0")),
        *((root, "its directory is the sweep's own, or not known") for root in (".", "")),
        ("same", "its directory is another job's as well"),
    ],
)
def test_a_directory_that_is_not_the_jobs_own_below_the_root_is_none(tmp_path: Path, directory: str, doubt: str) -> None:
    """It is absolute, leads out, is the root itself, or is another job's as well; all the same it is a job's."""
    run = a_run(tmp_path)
    for num, place in enumerate((directory, "same", "2")):
        write_line(run, "job_started", {"output_dir": place}, a_job(run, num))
        write_line(run, "job_ended", {"status": "COMPLETED"}, a_job(run, num))
    outcomes = outcomes_in(tmp_path)
    own, why = (None, doubt) if directory == "same" else (PurePosixPath("same"), "")
    told = [(each.directory, each.doubt) for each in outcomes.ended()]
    assert told == [(None, doubt), (own, why), (PurePosixPath("2"), "")]
    assert outcomes.directories() == {PurePosixPath(directory), PurePosixPath("same"), PurePosixPath("2")}


def test_the_log_files_of_a_job_are_told(tmp_path: Path) -> None:
    """Those that it has named, whatever else a line holds there."""
    run = a_run(tmp_path)
    write_job(run, 0, "COMPLETED")
    for named in (["train.txt"], ["errors.txt"], "none"):
        write_line(run, "job_facts", {"log_files": named}, a_job(run, 0))
    assert [each.log_files for each in outcomes_in(tmp_path).ended()] == [{"train.txt", "errors.txt"}]


def test_a_job_leaves_no_doubt_once_all_its_ranks_are(tmp_path: Path) -> None:
    """Those that it says it has, and those that have begun."""
    run = a_run(tmp_path)
    write_job(run, 0, "COMPLETED")
    write_line(run, "job_started", {"world_size": 3, "output_dir": "0"}, a_job(run, 0))
    outcomes = outcomes_in(tmp_path)
    said = []
    for rank in (1, 2):
        write_line(run, "rank_ended", {"status": "COMPLETED"}, a_job(run, 0)._replace(rank=rank))
        outcomes.look()
        said += [each.doubt for each in outcomes.ended()]
    assert said == ["not all of its ranks have ended", ""]
    write_line(run, "rank_started", {}, a_job(run, 0)._replace(rank=5))
    outcomes.look()
    assert [each.doubt for each in outcomes.ended()] == ["not all of its ranks have ended"]


def test_other_runs_and_what_callbacks_have_written_are_told(tmp_path: Path) -> None:
    """The names of files and directories in the job's."""
    run = a_run(tmp_path)
    write_job(run, 0, "COMPLETED")
    write_line(run, "job_facts", {"files": {"usage.csv": "…"}, "tensorboard": {"directory": "tb"}}, a_job(run, 0))
    outcomes = outcomes_in(tmp_path)
    assert [each.written for each in outcomes.ended()] == [{"usage.csv", "tb"}]
    said = []
    for attempt, left in (("0.0", 0), ("0.1", 2), ("0.1", 0), ("0.1", 1)):
        write_line(run, "run_facts", {"kept_best_1": {"0": {"attempt": attempt, "left": left}, "x": 1}})
        outcomes.look()
        said += [each.cleared for each in outcomes.ended()]
    assert said == [False, None, True, True]
    assert outcomes.of_other_runs() == []
    (tmp_path / ".callbacks" / f"20250101T000000-bb.x-{os.getpid()}-1.jsonl").touch()
    assert outcomes.of_other_runs() == ["20250101T000000-bb"]


OTHER = "20250101T000000-bb"


@pytest.mark.parametrize(
    ("event", "facts", "may_come"),
    [
        ("run_ended", {}, False),
        ("run_started", {"mode": "MULTIRUN"}, True),
        ("jobs_launched", {"launched": {"0": ["x=1"]}, "elsewhere": True}, True),
        ("jobs_handed_on", {"jobs": [[0, 0]], "batch": {"system": "slurm", "job": "77"}}, True),
    ],
)
def test_a_run_without_jobs_is_none_once_none_may_come(
    tmp_path: Path, event: str, facts: dict[str, object], may_come: bool
) -> None:
    """One that is over, of which all is known; what has come is remembered, and that none will come."""
    run, other = a_run(tmp_path), a_run(tmp_path, OTHER)
    write_job(run, 0, "COMPLETED")
    write_line(other, "run_started", {"mode": "MULTIRUN"})
    for name, what in (("run_ended", {}),) * (event != "run_started") + ((event, facts),):
        write_line(other, name, what)
    outcomes = outcomes_in(tmp_path)
    told = [outcomes.of_other_runs() for _ in range(2)]
    assert told == [[OTHER] if may_come else []] * 2
    write_job(other, 0, "COMPLETED")
    assert outcomes.of_other_runs() == [OTHER] * may_come


def test_a_run_of_which_a_line_is_broken_may_have_jobs(tmp_path: Path) -> None:
    """Its own run's jobs are not asked for."""
    run, other = a_run(tmp_path), a_run(tmp_path, OTHER)
    write_job(run, 0, "COMPLETED")
    write_line(other, "run_started", {"mode": "MULTIRUN"})
    write_line(other, "run_ended", {})
    (file,) = (tmp_path / ".callbacks").glob(f"{OTHER}*.jsonl")
    file.write_text(f"{file.read_text('ascii')}{{}}\n", "ascii")
    assert outcomes_in(tmp_path).of_other_runs() == [OTHER]


def test_a_job_is_told_with_its_attempt_its_machine_and_what_it_reported(tmp_path: Path) -> None:
    """Its value may be made of what it reported alone; it is made again for no other line."""
    run = a_run(tmp_path)
    metric = Metric(0.25, 3, 0.25, 3, 0.5, 1, 3)
    write_job(run, 0, "COMPLETED", return_value=None, metrics=as_fact({"loss": metric}))
    write_job(
        run, 1, "FAILED", error={"type": "optuna.TrialPruned", "message": "", "traceback": "", "bases": []}, pruned=True
    )
    seen = []
    outcomes = Outcomes(tmp_path, run.run_id, lambda returned, metrics: seen.append((returned, dict(metrics))) or 7.0)
    outcomes.look()
    assert seen == [(None, {"loss": metric}), (None, {})]
    assert [(each.attempt, each.host, each.value, each.doubt) for each in outcomes.ended()] == [
        ("0.1", this_process().host, 7.0, ""),
        ("1.1", this_process().host, None, ""),
    ]
    write_line(run, "job_facts", {"note": 1}, a_job(run, 0))
    outcomes.look()
    assert len(seen) == 2


PRUNED = {"status": "FAILED", "error": {"type": "optuna.TrialPruned", "message": "", "traceback": ""}}
LINES = st.one_of(
    st.just(("look", {})),
    st.builds(lambda place: ("job_started", {"output_dir": place, "world_size": 2}), st.sampled_from(["a", "b", "/c"])),
    st.builds(lambda value: ("job_ended", {"status": "COMPLETED", "return_value": value}), st.sampled_from([0.5, 0.7])),
    st.sampled_from([("job_ended", {"status": "FAILED"}), ("job_ended", PRUNED), ("job_facts", {"files": {"new": "…"}})]),
    st.sampled_from([("rank_started", {}), ("rank_ended", {"status": "COMPLETED"}), ("rank_ended", {"status": "FAILED"})]),
    st.builds(lambda left: ("run_facts", {"left": left}), st.sampled_from([0, 1])),
)
"""What is written, and when it is looked."""


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("12"), LINES), max_size=20))
def test_what_is_told_again_is_what_the_whole_journal_tells(
    fresh: Fresh, history: list[tuple[int, str, tuple[str, dict[str, object]]]]
) -> None:
    """However often it was looked in between; and those are unsettled that were not cleared."""
    root = fresh("journal")
    writer._files.clear()
    run = a_run(root)
    write_job(run, 9, "COMPLETED", return_value=0.1)
    outcomes = outcomes_in(root)
    for num, attempt, (event, facts) in history:
        job = a_job(run, num, attempt)
        if event == "look":
            outcomes.look()
            outcomes.unsettled()
        elif event == "run_facts":
            write_line(run, event, {"kept_best_1": {str(num): {"attempt": job.attempt, **facts}}})
        else:
            write_line(run, event, facts, job._replace(rank=int(event.startswith("rank_"))))
    outcomes.look()
    unsettled, ended = outcomes.unsettled(), outcomes.ended()
    assert ended == outcomes_in(root).ended()
    assert unsettled == [each for each in ended if not each.cleared]


def test_a_job_fails_with_its_rank_however_it_ends_itself(tmp_path: Path) -> None:
    """Then it is none of those that are ranked, unless it was pruned."""
    run = a_run(tmp_path)
    write_job(run, 0, "COMPLETED")
    write_job(run, 1, "COMPLETED")
    write_job(run, 2, "FAILED", error=PRUNED["error"])
    for num in (1, 2):
        write_line(run, "rank_ended", {"status": "FAILED"}, a_job(run, num)._replace(rank=1))
    assert [(each.job_num, each.pruned) for each in outcomes_in(tmp_path).ended()] == [(0, False), (2, True)]


def test_a_look_costs_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs there were before."""
    run = a_run(tmp_path)
    for num in range(50):
        write_job(run, num, "COMPLETED", return_value=0.5)
        write_line(run, "run_facts", {"kept_best_1": {str(num): {"attempt": f"{num}.1", "left": 0}}})
    outcomes = outcomes_in(tmp_path)
    assert outcomes.unsettled() == []
    made = []
    really = Outcomes._outcome
    monkeypatch.setattr(Outcomes, "_outcome", lambda self, num: made.append(num) or really(self, num))
    write_job(run, 50, "COMPLETED", return_value=0.5)
    outcomes.look()
    assert [each.job_num for each in outcomes.unsettled()] == made == [50]
    assert len(outcomes.ended()) == 51
    assert made == [50]
