"""End to end: what a run or sweep says of its source and surroundings, and the link that leads to it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from apps import App, without_numbers
from repositories import Repository, fake_git

from hydra_callback_kit.configs.identity import rerun_overrides
from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [provenance_callback, latest_run_callback, logging_callback]
  - _self_
x: 0
name: ${hydra:job.name}
text: "1e-5"
db:
  password: swordfish
  url: u:${db.password}@h
nope: ${nowhere}
"""
BODY = 'if cfg.x == 1:\n    raise ValueError("boom")\nreturn cfg.x'
OPTION = "hydra.callbacks.provenance_callback"
FILES = ["config_resolved.yaml", "git.patch", "provenance.json"]


@pytest.fixture
def repository(app: App) -> Repository:
    """The app, written and committed; what Hydra writes is ignored."""
    app.write(BODY, CONFIG)
    repository = Repository.made(app.directory, "-b", "trunk")
    repository.commit(**{".gitignore": "out\noutputs\nmultirun\nbin\n__pycache__\n*.latest\nlatest\n"})
    return repository


def ours_in(root: Path) -> list[str]:
    """Our files at the root and below."""
    return sorted(str(file.relative_to(root)) for name in FILES for file in root.rglob(name))


def test_a_sweep_says_once_what_is_needed_to_repeat_it(app: App, repository: Repository, launcher: str) -> None:
    """A dirty work tree, a failing job: three files at the root under each launcher, the link, and no secret in them."""
    app.write(BODY + " + 1", CONFIG)
    repository.git("remote", "add", "origin", "https://me:swordfish@example.com/x.git")
    asked = f"{OPTION}.environment=[APP_*,NOT_THERE]"
    done = app.sweep(
        launcher,
        "x=0,1",
        "db.password=swordfish",
        asked,
        APP_AUTH_TOKEN="swordfish",  # noqa: S106  it is none
        APP_MODE="fast",
    )
    assert done.code == 1
    assert ours_in(done.root) == FILES
    assert (app.directory / "latest").readlink() == Path("out")
    provenance = done.json("provenance.json")
    commit = repository.git("rev-parse", "HEAD")
    git = provenance["git"]
    assert (git["commit"], git["branch"], git["remote"]) == (commit, "trunk", "https://example.com/x.git")
    assert (git["dirty"], git["changed"], git["untracked_count"]) == (True, ["app.py"], 0)
    assert (git["patch"], git["patch_cut"], provenance["notes"]) == ("git.patch", False, [])
    assert provenance["command"][:3] == [sys.executable, "app.py", "-m"]
    assert provenance["environment"] == {"APP_MODE": "fast", "APP_AUTH_TOKEN": "<redacted>", "NOT_THERE": None}
    assert provenance["packages"]["hydra-core"] == provenance["hydra_version"]
    assert provenance["host"] == socket.gethostname()
    run = read_run(done.root)
    assert provenance["run_id"] == run.run_id
    assert run.facts["git"] == {"commit": commit, "branch": "trunk", "dirty": True, "remote": git["remote"]}
    for file in (done.root / "provenance.json", done.root / "config_resolved.yaml", *done.root.glob(".callbacks/*")):
        assert "swordfish" not in file.read_text("utf-8"), file
    now = (app.directory / "app.py").read_bytes()
    repository.git("stash", "-q")
    repository.git("apply", str(done.root / "git.patch"))
    assert (app.directory / "app.py").read_bytes() == now


def test_the_files_are_there_before_the_job_is(app: App, repository: Repository) -> None:
    """The job is killed at once: nothing is lost. The config is what the job saw, and the default link leads to it."""
    app.write("os.kill(os.getpid(), signal.SIGKILL)", CONFIG)
    done = app.run("x=3", "hydra.run.dir='outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}'")
    assert done.code == -9
    root = app.directory / "outputs" / "latest"
    assert ours_in(root.resolve()) == FILES
    config = yaml.safe_load(without_numbers((root / "config_resolved.yaml").read_text("utf-8")))
    assert config == {
        "x": 3,
        "name": "app",
        "text": "1e-5",
        "db": {"password": "<redacted>", "url": "u:<redacted>@h"},
        "nope": "${nowhere}",
    }


def test_a_directory_used_again_shows_the_latest_run(app: App, repository: Repository) -> None:
    """A patch of an earlier run does not stay; a job that runs again changes nothing, and does not move the link."""
    app.write(BODY + " + 1", CONFIG)
    first = app.sweep("basic", "x=0,2")
    repository.git("checkout", "-q", "app.py")
    done = app.sweep("basic", "x=0,2")
    assert ours_in(done.root) == ["config_resolved.yaml", "provenance.json"]
    written = done.json("provenance.json")
    assert written["git"]["dirty"] is False
    assert (first.code, done.code) == (0, 0)
    app.run("hydra.run.dir=another")
    overrides = rerun_overrides(written["run_id"], done.root, 1, done.root / "1")
    assert app.run("x=2", *overrides).code == 0
    assert done.json("provenance.json") == written
    assert (app.directory / "latest").readlink() == Path("another")
    assert read_run(done.root).jobs[1].attempts == 2


def test_a_dirty_work_tree_stops_the_run(app: App, repository: Repository, launcher: str) -> None:
    """With require_clean: no job starts and nothing of ours is written but why; a clean one runs, untracked files or not."""
    app.write('print("job ran", flush=True)', CONFIG)
    done = app.sweep(launcher, "x=0,2", f"{OPTION}.require_clean=true")
    assert done.code == 1
    assert "app.py" in done.stderr
    assert "require_clean" in done.stderr
    assert "Traceback" not in done.stderr
    assert ours_in(app.directory) == []
    assert "job ran" not in done.stdout
    run = read_run(done.root)
    assert (run.jobs, run.status) == ((), "FAILED")
    assert "app.py" in run.facts["aborted"]
    repository.commit()
    repository.write("untracked.txt", "")
    done = app.sweep(launcher, "x=0,2", f"{OPTION}.require_clean=true")
    assert done.code == 0
    assert "untracked.txt" in done.stdout


HANGS = "sleep 600"


def test_without_an_answer_of_gits_the_run_goes_on(app: App, repository: Repository) -> None:
    """A git that hangs is a note in the log and in the file; the app's source is asked about, wherever it is started."""
    path = fake_git(app.directory / "bin", HANGS)
    done = app.run(f"{OPTION}.git_timeout_s=0.1", PATH=path)
    assert done.code == 0, done.stderr
    assert done.json("provenance.json")["git"] is None
    assert "git_timeout_s" in done.json("provenance.json")["notes"][0]
    assert done.stdout.count("git_timeout_s") == 1
    assert "git" not in read_run(done.root).facts


@pytest.mark.parametrize("why", ["hangs", "no repository", "no git", "no commit"])
def test_require_clean_stops_where_it_cannot_be_known(app: App, why: str) -> None:
    """The message says what was in the way."""
    app.write('print("job ran", flush=True)', CONFIG)
    variables = {"GIT_CEILING_DIRECTORIES": str(app.directory.parent)}
    if why == "hangs":
        variables["PATH"] = fake_git(app.directory / "bin", HANGS)
    elif why == "no git":
        variables["PATH"] = os.devnull
    elif why == "no commit":
        Repository.made(app.directory)
    timeout_s = 0.1 if why == "hangs" else 60
    done = app.run(f"{OPTION}.require_clean=true", f"{OPTION}.git_timeout_s={timeout_s}", **variables)
    assert done.code == 1
    said = {"hangs": "git_timeout_s", "no repository": "no git repository", "no git": "not installed"}
    assert said.get(why, why) in done.stderr
    assert "job ran" not in done.stdout


def test_a_started_module_or_script_is_looked_for_where_it_lies(app: App, repository: Repository, tmp_path: Path) -> None:
    """Started from another directory, another repository even: the commit is that of the app's source."""
    elsewhere = Repository.made(tmp_path / "out" / "elsewhere")
    script = os.path.relpath(app.directory / "app.py", elsewhere.directory)
    command = app.command(f"{OPTION}.max_patch_bytes=0")
    command[1] = script
    repository.write("config.yaml", CONFIG + "\nmore: 1\n")
    subprocess.run(command, cwd=elsewhere.directory, env=app.environment(), capture_output=True, timeout=120, check=True)
    provenance = json.loads((elsewhere.directory / "out" / "provenance.json").read_text("utf-8"))
    assert provenance["git"]["work_tree"] == str(app.directory)
    assert provenance["cwd"] == str(elsewhere.directory)
    assert (provenance["git"]["dirty"], provenance["git"]["patch"]) == (True, None)
