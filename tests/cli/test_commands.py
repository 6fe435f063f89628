"""The commands on journals as they may be: of sweeps that ended, were killed, still run, were moved or have broken lines."""

import csv
import dataclasses
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hydra_callback_kit import JournalNotFoundError, MetricNotFoundError, load_run
from hydra_callback_kit.cli.main import COMMANDS, main
from hydra_callback_kit.cli.screen import fitting
from hydra_callback_kit.journal.finder import run_directories
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.views.commands import Commands, NotRecordedError
from hydra_callback_kit.views.plain_table import Column, plain_table
from hydra_plugins.hydra_callback_kit._configs import dataclass_of
from hydra_plugins.hydra_callback_kit.config import OPTIONS


def hck(*arguments: str | Path, code: int = 0) -> Result:
    """Runs a command in this process, in a pipe."""
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


JOBS = (("COMPLETED", 0.5), ("COMPLETED", float("nan")), ("FAILED", None))


def write_run(
    root: Path,
    run_id: str = "20260101T000000000000-0000000a",
    *,
    ended: bool = True,
    jobs: Sequence[tuple[str, float | None]] = JOBS,
    **facts: Any,
) -> Path:
    """A sweep of four planned jobs: one completed, one with NaN, one failed, one never started."""
    run = RunIdentity(run_id, root, "MULTIRUN")
    planned = {"planned_jobs": 4, "planned_overrides": ["x=1,2,3,4", "lr=0.1"], "overrides": ["x=1,2,3,4", "lr=0.1"]}
    started = {"mode": "MULTIRUN", "job_name": "app", "cwd": str(root.parent), "program": ["python", "app.py"]}
    write_line(run, "run_started", {**started, "command": ["python", "app.py", "-m", "-cn", "big"], **planned, **facts})
    for num, (status, value) in enumerate(jobs):
        job = JobIdentity(run, num, str(num), os.getpid(), str(num), "app", (), root / str(num))
        write_line(run, "job_started", {"overrides": [f"x={num + 1}", "lr=0.1"], "output_dir": str(num)}, job)
        error = {"type": "ValueError", "message": "boom\nbang", "traceback": "Traceback: boom"}
        end = {"error": error} if status == "FAILED" else {"return_value": {"loss": value, "steps": num}}
        write_line(run, "job_facts", {"config": {"x": num + 1, "lr": 0.1, "optim": {"name": run_id[-1]}}}, job)
        write_line(run, "job_ended", {"status": status, "duration_s": 0.5, **end}, job)
    if ended:
        write_line(run, "run_ended", {"duration_s": 3.0})
    return root


def rows_of(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_help_names_each_command_as_it_names_itself() -> None:
    """The first lines that `--help` shows without importing the commands are theirs."""
    for name, line in COMMANDS.items():
        assert line in " ".join(hck("--help").output.split())
        assert line in " ".join(hck(name, "--help").output.split())
    assert "Did you mean show?" in hck("shwo", code=2).output
    assert "Did you mean" not in hck("xyz", code=2).output


def test_every_callback_is_described(tmp_path: Path) -> None:
    """List has a line for each; list NAME has each parameter with its meaning, and YAML that can be pasted."""
    listed = hck("list").output
    for option in OPTIONS:
        assert f"\n{option} " in listed
        described = json.loads(hck("list", option, "--json").output)
        assert all(parameter["meaning"] and parameter["type"] for parameter in described["parameters"])
        assert {parameter["name"] for parameter in described["parameters"]} == {
            field.name for field in dataclasses.fields(dataclass_of(option)) if not field.name.startswith("_")
        }
        assert f"callbacks: [{option}]" in described["example"] or option in described["example"]
        for parameter in described["parameters"]:
            assert parameter["name"] in hck("list", option).output
    assert "The set of logging_callback, performance_callback, " in hck("list", "standard_callbacks").output
    assert "callbacks: [standard_callbacks]" in hck("list", "standard_callbacks").output
    assert "Did you mean logging_callback?" in hck("list", "loging_callback", code=2).output


def test_show_a_sweep(tmp_path: Path) -> None:
    """Counts with what never started; only what was varied and numbers are columns; sorting puts NaN and failures last."""
    root = write_run(tmp_path / "sweep")
    shown = hck("show", root).output
    assert shown.startswith("app  sweep FAILED: 2 completed, 1 failed, 1 not started\n")
    assert [line.split() for line in shown.splitlines()[-4:]] == [
        ["job", "status", "x", "took", "loss", "steps"],
        ["0", "COMPLETED", "1", "500", "ms", "0.5", "0"],
        ["1", "COMPLETED", "2", "500", "ms", "nan", "1"],
        ["2", "FAILED", "3", "500", "ms"],
    ]
    by_steps = hck("show", root, "--sort-by", "steps").output.splitlines()
    assert [line.split()[0] for line in by_steps[-3:]] == ["1", "0", "2"]
    for part in ("los", "l", "oss", "lsos"):
        assert "Did you mean loss? Metrics are: loss, steps" in hck("show", root, "--sort-by", part, code=1).output
    assert [line.split()[:4] for line in by_steps[-4:-3]] == [["job", "status", "x", "took"]]
    assert hck("show", root, "--sort-by", "steps", "--failed").output.splitlines()[-1].split()[0] == "2"
    assert [line.split()[0] for line in hck("show", root, "--failed").output.splitlines()[-2:]] == ["job", "2"]
    described = json.loads(hck("show", root, "--json").output)
    assert (described["status"], described["planned_jobs"], described["jobs_failed"]) == ("FAILED", 4, 1)
    assert described["jobs"][1]["return_value"] == {"loss": "NaN", "steps": 1}
    assert described["jobs"][2]["output_dir"] == str(root / "2")
    assert "--watch" in hck("show", root, "--watch", code=2).output


def test_a_folder_above_lists_runs_newest_first(tmp_path: Path) -> None:
    """Also below another run, and among many files; hidden directories and links are not entered."""
    write_run(tmp_path / "a" / "old")
    write_run(tmp_path / "new", "20260102T000000000000-0000000b", ended=False)
    write_run(tmp_path / "new", "20260101T120000000000-0000000c")
    write_run(tmp_path / "new" / "0" / "inner", "20260103T000000000000-0000000d")
    write_run(tmp_path / ".hidden", "20260103T000000000000-0000000e")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "data").mkdir()
    for num in range(1_000):
        (tmp_path / "data" / f"{num}.txt").touch()
    listed = hck("show", tmp_path).output.splitlines()
    assert [line.split()[3] for line in listed[1:]] == ["new/0/inner", "new", "new", "a/old"]
    assert [run["run_id"][-1] for run in json.loads(hck("show", tmp_path, "--json").output)] == ["d", "b", "c", "a"]
    assert list(run_directories(tmp_path)) == [tmp_path / "a" / "old", tmp_path / "new", tmp_path / "new" / "0" / "inner"]
    assert "other runs  20260101T120000000000-0000000c" in hck("show", tmp_path / "new").output
    earlier = hck("show", tmp_path / "new", "--run", "20260101T120000000000-0000000c").output
    assert earlier.startswith("app  sweep FAILED")
    assert "Recorded are" in hck("show", tmp_path / "new", "--run", "nonsense", code=2).output
    assert "give the path of one of them" in hck("best", tmp_path, code=2).output


def test_nothing_to_show(tmp_path: Path) -> None:
    """Exit code 1 and what was looked for; a path that is not there, or a job's own directory, is told apart."""
    assert ".callbacks" in hck("show", tmp_path, code=1).output
    root = write_run(tmp_path / "sweep")
    (root / "0").mkdir()
    assert f"inside the run {root}" in " ".join(hck("failed", root / "0", code=1).output.split())
    hck("show", tmp_path / "nowhere", code=2)
    assert "No job failed" in hck("show", write_single(tmp_path / "run"), "--failed", code=1).output
    assert "1 completed" in hck("failed", tmp_path / "run", code=1).output
    assert json.loads(hck("failed", tmp_path / "run", "--json", code=1).stdout) == []
    assert json.loads(hck("show", tmp_path / "run", "--failed", "--json", code=1).stdout)["jobs"] == []
    assert "holds 2 runs" in hck("show", tmp_path, "--failed", code=2).output


def write_single(root: Path) -> Path:
    """A single run that completed."""
    run = RunIdentity("20260105T000000000000-0000000f", root, "RUN")
    job = JobIdentity(run, 0, "1", os.getpid(), None, "app", (), root)
    write_line(run, "run_started", {"mode": "RUN", "overrides": ["x=1"], "hydra_version": "1.3.2"})
    write_line(run, "job_started", {"overrides": ["x=1"], "output_dir": "."}, job)
    write_line(run, "job_ended", {"status": "COMPLETED", "duration_s": 0.5, "return_value": {"loss": 0.25}}, job)
    write_line(run, "run_ended", {"duration_s": 1.0})
    return root


def test_broken_lines_are_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    """By each command that reads a journal: on stderr, with file and line number, and the exit code stays."""
    root = write_run(tmp_path / "sweep")
    (file,) = (root / ".callbacks").iterdir()
    file.write_bytes(file.read_bytes() + b"{broken\n" + b'{"v":1,"torn')
    for command in (["show"], ["failed"], ["best", "--sort-by", "loss"], ["collect", "-o", str(tmp_path / "x.csv")]):
        result = hck(command[0], root, *command[1:])
        assert f"{file}:12: " in result.stderr
        assert "2 completed" in result.stdout or command[0] != "show"


def test_failed(tmp_path: Path) -> None:
    """Number, overrides, the first line of the error and the directory; the traceback if asked; rows for machines."""
    root = write_run(tmp_path / "sweep")
    assert hck("failed", root).output == f"job 2 FAILED: x=3 lr=0.1\n  ValueError: boom\n  {root / '2'}\n"
    assert "    Traceback: boom\n" in hck("failed", root, "--traceback").output
    (row,) = json.loads(hck("failed", root, "--json").output)
    assert (row["job_num"], row["error"]["message"]) == (2, "boom\nbang")


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """Nor do line breaks break a table; what `rerun` prints for a shell is the value itself."""
    run = RunIdentity("20260105T000000000000-0000000f", tmp_path, "MULTIRUN")
    write_line(
        run, "run_started", {"mode": "MULTIRUN", "program": ["app"], "command": ["app", "x=\x1b[31m"], "cwd": str(tmp_path)}
    )
    for num, value in enumerate(["\x1b]0;title\x07", "a\nb\rc"]):
        job = JobIdentity(run, num, str(num), os.getpid(), str(num), "app", (), tmp_path / str(num))
        write_line(run, "job_started", {"overrides": [f"x='{value}'"], "output_dir": str(num)}, job)
        error = {"type": "ValueError", "message": f"{value} in 東京\u200d", "traceback": f"Traceback\n{value}"}
        write_line(run, "job_ended", {"status": "FAILED", "duration_s": 0.5, "error": error}, job)
    for command in (["show"], ["failed"], ["failed", "--traceback"]):
        printed = hck(command[0], tmp_path, *command[1:]).output
        assert not set("\x1b\x07\r") & set(printed)
        assert r"\x1b]0;title\x07" in printed
    assert r"'a\nb\rc'" in hck("show", tmp_path).output
    assert "in 東京\u200d" in hck("failed", tmp_path).output
    assert "'x='\"'\"'\x1b]0;title\x07'\"'\"''" in hck("rerun", tmp_path).stdout


def test_best(tmp_path: Path) -> None:
    """The best completed job that has a number, and the command that runs it again as a run of its own."""
    root = write_run(
        tmp_path / "sweep", hydra_overrides=["hydra.mode=MULTIRUN", "hydra.sweep.dir=a", "hydra.job.chdir=true"]
    )
    best = hck("best", root, "--sort-by", "loss").output
    assert best.startswith("job 0: x=1 lr=0.1\n")
    assert 'returned   {"loss": 0.5, "steps": 0}' in best
    assert best.rstrip().endswith("app.py --config-name big x=1 lr=0.1 hydra.job.chdir=true hydra.mode=RUN")
    assert json.loads(hck("best", root, "--sort-by", "steps", "--json").output)["job_num"] == 1
    assert json.loads(hck("best", root, "--sort-by", "steps", "--mode", "min", "--json").output)["job_num"] == 0
    assert "loss, steps" in hck("best", root, code=2).output
    assert "loss, steps" in hck("best", root, "--sort-by", "acc", code=1).output
    assert "job 0" in hck("best", write_single(tmp_path / "run")).output
    assert "No job returned a number" in hck("best", write_run(tmp_path / "none", jobs=()), code=1).output


def test_collect(tmp_path: Path) -> None:
    """One sweep has the columns of results.csv; several have one more, which says which, in every format."""
    one = write_run(tmp_path / "runs" / "a" / "x")
    write_run(tmp_path / "runs" / "b", "20260102T000000000000-0000000b")
    hck("collect", one, "-o", tmp_path / "one.csv", "-o", tmp_path / "one.json")
    assert list(rows_of(tmp_path / "one.csv")[0])[:5] == ["job_num", "job_id", "job_name", "status", "x"]
    assert json.loads((tmp_path / "one.json").read_text("utf-8"))[0]["config"]["lr"] == 0.1
    hck(
        "collect",
        tmp_path / "runs",
        one,
        "-o",
        tmp_path / "all.csv",
        "-o",
        tmp_path / "all.md",
        "-o",
        tmp_path / "all.jsonl",
    )
    table = rows_of(tmp_path / "all.csv")
    assert [(row["sweep"], row["x"]) for row in table] == [(sweep, x) for sweep in ("b", "a/x") for x in "123"]
    rows = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    assert [row["sweep"] for row in rows] == [row["sweep"] for row in table]
    assert "| a/x " in (tmp_path / "all.md").read_text("utf-8")
    hck("collect", one, "-o", tmp_path / "lean.json", "--no-config")
    assert "config" not in json.loads((tmp_path / "lean.json").read_text("utf-8"))[0]
    assert ".parquet" in hck("collect", one, "-o", tmp_path / "x.xls", code=2).output
    assert "cannot be written" in hck("collect", one, "-o", tmp_path / "one.csv" / "x.csv", code=1).output


def test_compare(tmp_path: Path) -> None:
    """Overrides, configs and metrics that differ, side by side; what is the same is left out; a job's directory will do."""
    one = write_run(tmp_path / "one")
    two = write_run(tmp_path / "two", "20260102T000000000000-0000000b", overrides=["x=1,2,3,4", "lr=0.2"])
    found = json.loads(hck("compare", one, two, "--json").output)["differences"]
    assert {(each["section"], each["key"]): each["values"] for each in found} == {
        ("overrides", "lr"): ["0.1", "0.2"],
        ("config", "optim.name"): ["a", "b"],
    }
    assert ["overrides", "lr", "0.1", "0.2"] in [line.split() for line in hck("compare", one, two).output.splitlines()]
    (one / "0").mkdir()
    (one / "1").mkdir()
    jobs = json.loads(hck("compare", one / "0", one / "1", "--json").output)["differences"]
    assert {each["key"]: each["values"] for each in jobs} == {"x": [1, 2], "loss": [0.5, "NaN"], "steps": [0, 1]}
    single = {
        each["key"]: each["values"]
        for each in json.loads(hck("compare", one, write_single(tmp_path / "3"), "--json").output)["differences"]
    }
    assert single["loss"] == [0.5, 0.25]
    assert single["hydra_version"] == [None, "1.3.2"]
    assert "do not differ" in hck("compare", one, one).output
    hck("compare", one, code=2)


def test_what_rerun_chooses(tmp_path: Path) -> None:
    """Failed and interrupted jobs unless one of them is asked for; missing ones besides; and reasons why it cannot."""
    running = write_run(tmp_path / "running", ended=False)
    assert "still RUNNING" in hck("rerun", running, "--missing", code=2).output
    root = write_run(tmp_path / "sweep")

    def nums(*options: str) -> list[str]:
        return [line.partition("hydra.job.num=")[2].split()[0] for line in hck("rerun", root, *options).stdout.splitlines()]

    assert nums() == nums("--failed") == ["2"]
    assert nums("--missing") == nums("--missing", "--failed") == ["2", "3"]
    assert nums("--missing", "--interrupted") == ["3"]
    hck("rerun", root, "--interrupted", code=1)
    line = hck("rerun", root, "--missing", "--interrupted", "lr=0.3", "+y=1").stdout
    assert " --config-name big x=4 lr=0.3 +y=1 hydra.mode=RUN hydra.sweep.dir=" in line
    assert " 'hydra.run.dir=${hydra.sweep.dir}/${hydra.sweep.subdir}' " in line
    hck("rerun", root, "lr=[", code=2)


def test_what_cannot_be_run_again(tmp_path: Path) -> None:
    """Each reason says what to do about it."""
    root = write_run(tmp_path / "optuna", planned_jobs=None, sweeper="optuna", cwd="/nowhere")
    assert "--cwd" in hck("rerun", root, code=2).output
    hck("rerun", root, "--cwd", tmp_path)
    assert "(optuna) chooses them as it goes" in " ".join(hck("rerun", root, "--missing", code=2).output.split())
    secret = write_run(tmp_path / "secret", planned_overrides=["token=<redacted 12345>", "lr=0.1"])
    assert "varies a secret value" in " ".join(hck("rerun", secret, "--missing", code=2).output.split())
    lost = write_run(tmp_path / "lost", program=None)
    assert "how the run was started" in " ".join(hck("rerun", lost, code=2).output.split())
    with pytest.raises(NotRecordedError):
        Commands(load_run(lost))
    assert "'x=[' is no override such as key=value" in hck("rerun", secret, "x=[", code=2).output
    assert "'lr=5,6' stands for several jobs" in hck("rerun", secret, "lr=5,6", code=2).output
    shuffled = write_run(tmp_path / "shuffled", planned_overrides=["x=shuffle(7,8,9,10)"])
    assert "the sweep was shuffled" in " ".join(hck("rerun", shuffled, "--missing", code=2).output.split())


def test_an_override_that_takes_the_place_of_another_keeps_its_plus(tmp_path: Path) -> None:
    """As Hydra wants it: `+key` for a key that the config does not have."""
    run = load_run(write_run(tmp_path / "sweep"))
    job = dataclasses.replace(run.jobs[0], task_overrides=("+a.b=1", "++c=2", "d=3", "~e=4"))
    words = Commands(run, ["a.b=5", "c=6", "d=7", "e=8", "+f=9"]).another_attempt(job).words
    assert [word for word in words if "hydra." not in word][-5:] == ["+a.b=5", "++c=6", "d=7", "e=8", "+f=9"]
    assert "++a.b=5" in Commands(run, ["++a.b=5"]).another_attempt(job).words


def test_load_run(tmp_path: Path) -> None:
    """The Python API: typed records, the best job, and rows that all have the same columns."""
    run = load_run(str(write_run(tmp_path / "sweep")))
    assert (run.status, len(run.jobs), [job.job_num for job in run.failed]) == ("FAILED", 3, [2])
    assert run.best("loss").overrides == {"x": 1, "lr": 0.1}
    assert run.best("steps").job_num == run.best("return_value.steps").job_num == 1
    assert run.best("steps", mode="min").job_num == 0
    with pytest.raises(ValueError, match="'max' or 'min'"):
        run.best("steps", mode="MAX")
    with pytest.raises(MetricNotFoundError) as raised:
        run.best("accuracy")
    for error in (raised.value, pickle.loads(pickle.dumps(raised.value))):
        assert (error.metric, error.known) == ("accuracy", ["loss", "steps"])
    assert [row["return_value.steps"] for row in run.rows()] == [0, 1, None]
    assert len({tuple(row) for row in run.rows()}) == 1
    assert load_run(tmp_path / "sweep", run.run_id) == run
    with pytest.raises(JournalNotFoundError) as not_found:
        load_run(tmp_path)
    assert pickle.loads(pickle.dumps(not_found.value)).root == not_found.value.root == tmp_path


def test_a_narrow_screen_drops_the_last_columns_that_are_not_needed() -> None:
    """What was varied stays; a pipe has every column."""
    columns = [
        Column("job", ["1"]),
        Column("long_name", ["x"]),
        Column("a", ["1"], needed=False),
        Column("b", ["2"], needed=False),
    ]
    assert [column.head for column in fitting(columns, 17)[0]] == ["job", "long_name", "a"]
    assert [column.head for column in fitting(columns, 5)[1]] == ["a", "b"]
    assert plain_table(columns) == ["job  long_name  a  b", "1    x          1  2"]


@pytest.mark.parametrize("command", ["show", "failed", "collect", "compare", "report"])
def test_what_reads_a_journal_does_not_wait_for_hydra(command: str) -> None:
    """Importing it takes as long as reading 10,000 jobs, and only the commands that make commands need it."""
    code = f"import hydra_callback_kit.cli.{command}_command, sys; sys.exit('hydra' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_help_waits_for_nothing_that_reads_journals(asked: str) -> None:
    """No command is imported for it: their first lines stand beside their names."""
    code = f"""
import atexit, sys
from hydra_callback_kit.cli.main import main
heavy = ("hydra_callback_kit.journal.records", "hydra_callback_kit.remote", "rich", "hydra", "omegaconf")
atexit.register(lambda: print("imported:", *[name for name in heavy if name in sys.modules]))
main([{asked!r}])
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.endswith("imported:\n")


def test_what_was_launched_and_left_no_line_is_not_called_not_started(tmp_path: Path) -> None:
    """It left no record here: counted, named and listed; while the sweep runs its lines may still come."""
    root = write_run(tmp_path / "out", launcher="ray", ended=False)
    run = RunIdentity("20260101T000000000000-0000000a", root, "MULTIRUN")
    launched = {"1": ["x=2", "lr=0.1"], "3": ["x=4", "lr=0.1"]}
    write_line(run, "jobs_launched", {"launched": launched})
    assert "2 completed, 1 failed, 1 not started\n" in hck("show", root).output  # they share the disk
    write_line(run, "jobs_launched", {"launched": launched, "elsewhere": True})
    assert "2 completed, 1 failed, 1 without a record so far\n" in hck("show", root).output
    assert "no record" not in hck("failed", root).output
    write_line(run, "run_ended", {"duration_s": 3.0})
    assert "2 completed, 1 failed, 1 left no record here\n" in hck("show", root).output
    failed = hck("failed", root).output
    assert "job 3 left no record here: x=4 lr=0.1\n" in failed
    assert "handed to the launcher (ray) and did not come back" in failed
    assert str(root / ".callbacks") in failed
    assert json.loads(hck("show", root, "--json").output)["jobs_without_record"] == [3]
    assert "Left out: 1 that left no record here; --missing includes them." in hck("rerun", root).output
    assert " x=4 " in hck("rerun", root, "--missing").output
    (read,) = load_run(root).launched.items() - {(1, ("x=2", "lr=0.1"))}
    assert read == (3, ("x=4", "lr=0.1"))


def test_the_jobs_of_a_sweeper_that_chooses_are_missing_if_they_were_launched(tmp_path: Path) -> None:
    """What it was going to choose next nobody knows; without a conductor nothing is known."""
    root = write_run(tmp_path / "out", planned_jobs=None, planned_overrides=None, jobs=JOBS[:2])
    hck("rerun", root, "--missing", code=2)
    run = RunIdentity("20260101T000000000000-0000000a", root, "MULTIRUN")
    assert load_run(root).status == "COMPLETED"
    write_line(run, "jobs_launched", {"launched": {str(num): [f"x={num}"] for num in range(3)}})
    assert load_run(root).status == "INTERRUPTED"
    assert "2 completed, 1 not started\n" in hck("show", root).output
    assert " x=2 " in hck("rerun", root, "--missing").output
