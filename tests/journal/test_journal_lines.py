"""What is looked for in a journal's lines, without a record of it all."""

from pathlib import Path

from journals import a_job, a_run, write_job

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import latest_facts
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.journal.written import written_in


def sweep(root: Path) -> RunIdentity:
    """A run that states a fact of itself and of two of its jobs, again and again."""
    writer._files.clear()
    run = a_run(root)
    for best in (1, float("nan")):
        write_line(run, "run_facts", {"best": best, "other": 0})
    for num in (0, 1, 10):
        write_job(run, num, "COMPLETED", return_value=num)
        for best in (num, [num]):
            write_line(run, "job_facts", {"best": best}, a_job(run, num))
    write_line(run, "job_facts", {"note": '"best"'}, a_job(run, 0))
    return run


def facts_of(run: RunIdentity, *jobs: int) -> str:
    """The last values of the fact, as text, for NaN is not equal to itself."""
    return str(dict(sorted(latest_facts(run.root, run.run_id, "best", jobs).items(), key=str)))


def test_the_latest_fact_of_the_run_and_of_the_jobs_that_are_asked_for(tmp_path: Path) -> None:
    """Not of job 10, whose number begins like that of job 1."""
    run = sweep(tmp_path)
    assert facts_of(run) == "{None: nan}"
    assert facts_of(run, 1) == "{1: [1], None: nan}"
    assert facts_of(run, 0, 1, 10, 11) == "{0: [0], 1: [1], 10: [10], None: nan}"
    assert latest_facts(tmp_path, run.run_id, "nobody", [0]) == {}
    assert latest_facts(tmp_path, "20260102T000000-bb", "best", [0]) == {}


def test_what_cannot_be_read_or_is_of_another_run_states_nothing(tmp_path: Path) -> None:
    """In whatever order the files are: of two lines the later one counts."""
    run = sweep(tmp_path)
    (file,) = (tmp_path / ".callbacks").glob("*.jsonl")
    lines = file.read_text("ascii").splitlines()
    strange = [lines[0].replace(run.run_id, "20260102T000000-bb").replace("2026", "2027"), '{"best":', ""]
    file.with_name(f"{run.run_id}.a-1-2.jsonl").write_text("\n".join([*lines[::-1], *strange]), "ascii")
    file.with_name(f"{run.run_id}.b-1-2.jsonl").mkdir()
    assert facts_of(run, 1) == "{1: [1], None: nan}"
    file.unlink()
    assert facts_of(run, 1) == "{1: [1], None: nan}"


def test_what_a_run_has_written_by_job(tmp_path: Path) -> None:
    """Whoever says it: the run, a job's start, its end, or a fact that was added."""
    run = sweep(tmp_path)
    write_line(run, "run_facts", {"files": {"results.json": {}}, "tensorboard": {"directory": "boards"}})
    write_line(run, "job_facts", {"files": {"points.csv": {}, "a.txt": {}}}, a_job(run, 1))
    write_line(run, "job_facts", {"captured_output": {"files": {"0/output.log": 5}}}, a_job(run, 1))
    write_line(run, "job_facts", {"files": 3, "tensorboard": [], "captured_output": {"files": None}}, a_job(run, 0))
    assert written_in(tmp_path, run.run_id) == {
        None: {"results.json", "boards"},
        0: set(),
        1: {"points.csv", "a.txt", "output.log"},
        10: set(),
    }
