"""Commands without a path: the run that is meant, and that it is said."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from apps import App
from terminal import Said, cli

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback]
  - _self_
x: 0
"""


@pytest.fixture
def project(app: App) -> Path:
    """Where a single run, and later a sweep with a job that failed, were started, each into its usual place."""
    app.write("if cfg.x == 2: raise ValueError('boom')\nreturn {'acc': cfg.x / 10}", CONFIG)
    assert app.run("hydra.run.dir=outputs/one").code == 0
    assert app.run("-m", "x=1,2,3", "hydra.sweep.dir=multirun/all").code == 1
    return app.directory


def last(said: Said) -> str:
    """The last line on stderr."""
    return said.err.splitlines()[-1]


def test_the_latest_run_below(project: Path) -> None:
    """For every command that takes one run, and for what it is asked."""
    said = cli("show", cwd=project)
    assert (said.code, said.err) == (0, "The latest run here: multirun/all\n")
    assert said.out.startswith("app  sweep FAILED: 2 completed, 1 failed\n")
    assert [row[0] for row in cli("show", "--where", "x>1", "--status", "completed", cwd=project).words()[-1:]] == ["2"]
    assert cli("show", "--json", cwd=project).json()["mode"] == "MULTIRUN"
    for command in (["best"], ["failed"], ["table", "--rows", "x"], ["collect", "-o", "all.csv"], ["report"]):
        done = cli(*command, cwd=project)
        assert (done.code, done.err.splitlines()[0]) == (0, "The latest run here: multirun/all"), command
    assert "ValueError: boom" in cli("failed", cwd=project).out
    assert (project / "all.csv").read_text("utf-8").count("\n") == 4
    assert (project / "multirun/all/report.html").exists()
    assert [row[3:5] for row in cli("show", "--since", "1h", cwd=project).words()[1:]] == [
        ["multirun/all", "2"],
        ["outputs/one", "1"],
    ]


def test_rerun_takes_overrides_all_the_same(project: Path) -> None:
    """What looks like an override is one, and what exists is a path."""
    said = cli("rerun", "x=5", "+y=1", cwd=project)
    assert (said.code, said.err) == (0, "The latest run here: multirun/all\n")
    assert " x=5 +y=1 " in said.out
    assert cli("rerun", "multirun/all", "x=5", "+y=1", cwd=project).out == said.out
    (project / "multirun" / "all").rename(project / "lr=1")
    assert cli("rerun", "lr=1", cwd=project).out == cli("rerun", cwd=project).out
    assert "Path 'nowhere' does not exist." in cli("rerun", "nowhere", "x=5", cwd=project).err


def test_within_a_run_it_is_that_run(project: Path) -> None:
    """In its directory, in a job's, and below."""
    assert last(cli("best", cwd=project / "multirun" / "all")) == "The run of this folder: ."
    inside = project / "outputs" / "one" / "checkpoints" / "last"
    inside.mkdir(parents=True)
    assert cli("show", cwd=inside).out.startswith("app  run COMPLETED")
    assert last(cli("show", cwd=inside)) == "The run that this folder lies in: ../.."
    assert last(cli("failed", cwd=project / "multirun" / "all" / "0")) == "The run that this folder lies in: .."


def test_where_there_is_none(tmp_path: Path) -> None:
    """It is said where was looked, and what to do."""
    for command in (["show"], ["best"], ["failed"], ["rerun"], ["collect", "-o", "x.csv"], ["show", "--since", "2h"]):
        said = cli(*command, cwd=tmp_path)
        assert (said.code, said.out) == (1, "")
        assert "No run recorded by hydra-callback-kit " in said.err


def test_the_others_are_not_read(project: Path) -> None:
    """An older journal that cannot be read is nobody's business."""
    (older,) = (project / "outputs" / "one" / ".callbacks").glob("*.jsonl")
    older.write_bytes(b"no line\n")
    assert cli("show", cwd=project).err == "The latest run here: multirun/all\n"
    assert "cannot be read" in cli("show", ".", cwd=project).err


def test_a_file_of_somebody_elses_is_no_run_that_is_the_latest(project: Path) -> None:
    """Whatever it is called; and the list does not say that it leaves a run out."""
    (project / "other" / ".callbacks").mkdir(parents=True)
    (project / "other" / ".callbacks" / "notes.jsonl").write_text('{"note": 1}\n', "utf-8")
    assert cli("show", cwd=project).err == "The latest run here: multirun/all\n"
    listed = cli("show", ".", "--all", cwd=project)
    assert "multirun/all" in listed.out
    assert "not shown" not in listed.out


def test_in_a_folder_that_was_removed(tmp_path: Path) -> None:
    """It says so, whatever the command."""
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir ../gone; exec {shlex.quote(sys.executable)} -m hydra_callback_kit"
    for asked in ("show", "best", "show ."):
        done = subprocess.run(["/bin/sh", "-c", f"{command} {asked}"], cwd=gone, capture_output=True, text=True, check=False)
        gone.mkdir()
        assert (done.returncode, done.stderr.splitlines()[-1]) == (
            1,
            "Error: The current folder was removed. Go to another one: cd ~",
        )
