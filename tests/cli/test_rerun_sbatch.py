"""End to end: jobs are handed to Slurm, one by one, and none a second time. The Slurm is an imitation."""

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from apps import App
from terminal import COMMAND, cli, environment

from hydra_callback_kit.journal.reader import read_run

CONFIG = "defaults: [{callbacks: [results_aggregator_callback, output_guard_callback]}, _self_]\nx: 0\ndb: {password: none}"
FAILS_ONCE = """
if not os.path.exists("again"):
    raise ValueError("boom")
return cfg.x
"""
SBATCH = """
import json, os, sys
with open("{log}", "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if "--partition=none" in sys.argv:
    sys.exit("sbatch: error: invalid partition specified: none")
print(sum(1 for _ in open("{log}")) + 100)
"""


class Slurm:
    """A directory with an `sbatch` that writes down what it gets."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.log = directory / "sbatch.log"
        self.log.touch()
        self.program("sbatch", SBATCH.format(log=self.log))

    def program(self, name: str, source: str) -> None:
        """Puts a program there."""
        file = self.bin / name
        file.write_text(f"#!{sys.executable}\n{source}", "utf-8")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    @property
    def path(self) -> str:
        """The PATH with it."""
        return f"{self.bin}{os.pathsep}{os.environ['PATH']}"

    def submitted(self) -> list[list[str]]:
        """The arguments of each submission."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@pytest.fixture
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Slurm:
    """An imitation of Slurm."""
    return Slurm(tmp_path_factory.mktemp("slurm"))


def test_jobs_are_submitted_once(app: App, slurm: Slurm) -> None:
    """Each job that is left becomes one of Slurm's, in its directory; until it has started it is not submitted again."""
    app.write(FAILS_ONCE, CONFIG)
    done = app.sweep("submitit_local", "x=0,'a b'")
    (app.directory / "again").touch()
    given = ("--sbatch", "--partition=gpu --comment='it is late'")

    listed = cli("rerun", "out", *given, cwd=app.directory, PATH=slurm.path)
    assert listed.code == 0, listed.err
    assert slurm.submitted() == []
    assert [shlex.split(line)[0] for line in listed.out.splitlines()] == ["sbatch"] * 2

    executed = cli("rerun", "out", *given, "--execute", cwd=app.directory, PATH=slurm.path)
    assert (executed.code, executed.out) == (0, "job 0 is queued as 101\njob 1 is queued as 102\n"), executed.err
    assert slurm.submitted() == [shlex.split(line)[1:] for line in listed.out.splitlines()]
    *options, wrapped = slurm.submitted()[1]
    assert options == [
        *("--parsable", "--job-name=app_1", f"--output={done.root}/1/slurm-%j.out", f"--chdir={app.directory}"),
        *("--partition=gpu", "--comment=it is late"),
    ]
    shown = cli("show", "out", cwd=app.directory)
    assert "queued     job 0 as 101, job 1 as 102\n" in shown.out
    assert shown.out.startswith("app  sweep RUNNING: 2 failed, 2 may still be queued\n")
    assert '"batch_job": "102"' in cli("show", "out", "--json", cwd=app.directory).out

    again = cli("rerun", "out", *given, "--execute", cwd=app.directory, PATH=slurm.path)
    assert "Left out: job 1, for it may still be queued as 102." in again.err
    assert len(slurm.submitted()) == 2
    assert cli("rerun", "out", cwd=app.directory, PATH=slurm.path).code == 1  # nor is it started here

    script = wrapped.removeprefix("--wrap=")
    subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=app.directory,
        env=app.environment(SLURM_JOB_ID="102"),
        check=True,
        capture_output=True,
    )
    run = read_run(done.root)
    assert run.jobs[1].job_id == "102"
    assert " 102 (first " in cli("show", "out", cwd=app.directory).out
    assert [(job.status, job.attempts) for job in run.jobs] == [("FAILED", 1), ("COMPLETED", 2)]
    assert run.jobs[1].return_value == "a b"
    assert "queued     job 0 as 101\n" in cli("show", "out", cwd=app.directory).out


def test_what_sbatch_refuses_is_said(app: App, slurm: Slurm) -> None:
    """One that Slurm refuses is not queued; nor is there a Slurm everywhere. Secrets are shown to nobody."""
    app.write(FAILS_ONCE, CONFIG)
    app.sweep("basic", "x=0", "db.password=swordfish")
    given = ("db.password=open_sesame", "--execute")
    refused = cli("rerun", "out", *given, "--sbatch", "--partition=none", cwd=app.directory, PATH=slurm.path)
    assert (refused.code, refused.out) == (1, "")
    assert "job 0 was not submitted: sbatch: error: invalid partition specified: none" in refused.err
    assert "sesame" not in refused.err
    nowhere = cli("rerun", "out", *given, "--sbatch", "", cwd=app.directory, PATH="/nowhere")
    assert nowhere.code == 1
    assert "sbatch cannot be started here" in nowhere.err
    assert read_run(app.directory / "out").handed_on == ()
    for wrong in ("--array=1-3", "-a 1-3", "--wrap=ls", "'"):
        assert cli("rerun", "out", *given, "--sbatch", wrong, cwd=app.directory, PATH=slurm.path).code == 2
    assert cli("rerun", "out", *given, "--sbatch", "", "--launcher", cwd=app.directory, PATH=slurm.path).code == 2


def test_jobs_that_never_started_and_single_runs(app: App, slurm: Slurm) -> None:
    """A job without a directory prints into the sweep's; a single run has the app's name."""
    app.write("sys.exit(3)", CONFIG)
    done = app.run("-m", "x=0,1")  # on Hydra 1.3 and 1.4 the basic launcher stops there
    submitted = cli("rerun", "out", "--missing", "--sbatch", "", "--execute", cwd=app.directory, PATH=slurm.path)
    assert submitted.code == 0, submitted.err
    assert [words[2] for words in slurm.submitted()] == [
        f"--output={done.root}/0/slurm-%j.out",
        f"--output={done.root}/slurm-%j.out",
    ]
    assert "Left out: job 1" in cli("rerun", "out", "--missing", cwd=app.directory).err
    single = app.run("hydra.run.dir=100%")
    assert single.code == 3
    cli("rerun", "100%", "--sbatch", "", "--execute", cwd=app.directory, PATH=slurm.path)
    assert slurm.submitted()[2][1:3] == ["--job-name=app", f"--output={app.directory}/100%%/slurm-%j.out"]


def test_of_several_at_once_one_submits_a_job(app: App, slurm: Slurm) -> None:
    """Three people type the same at the same time, and sbatch takes its time: each job is submitted once."""
    app.write(FAILS_ONCE, CONFIG)
    app.sweep("basic", "x=0,1,2,3")
    slurm.program("sbatch", "import time\ntime.sleep(0.3)\n" + SBATCH.format(log=slurm.log))
    command = [*COMMAND, "rerun", "out", "--sbatch", "", "--execute"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    at_once = [subprocess.Popen(command, cwd=app.directory, env=environment(PATH=slurm.path), **pipes) for _ in range(3)]
    said = [process.communicate(timeout=120) for process in at_once]
    assert [process.returncode for process in at_once] == [0] * 3, said
    assert sorted(words[1] for words in slurm.submitted()) == [f"--job-name=app_{num}" for num in range(4)]
    assert sum(errors.count("Left out: job") for _, errors in said) == 8


def test_what_a_killed_one_has_left_is_submitted(app: App, slurm: Slurm) -> None:
    """As soon as its process is known to be gone; until then it has the job."""
    app.write(FAILS_ONCE, CONFIG)
    app.sweep("basic", "x=0")
    asked = slurm.bin / "asked"
    slurm.program("sbatch", f"import time\nopen({str(asked)!r}, 'w').close()\ntime.sleep(60)")
    command = [*COMMAND, "rerun", "out", "--sbatch", "", "--execute"]
    killed = subprocess.Popen(command, cwd=app.directory, env=environment(PATH=slurm.path), start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not asked.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        slurm.program("sbatch", SBATCH.format(log=slurm.log))
        early = cli(*command[len(COMMAND) :], cwd=app.directory, PATH=slurm.path)
        assert f"Left out: job 0, for another rerun has it, process {killed.pid} on " in early.err
    finally:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    late = cli(*command[len(COMMAND) :], cwd=app.directory, PATH=slurm.path)
    assert (late.code, late.out) == (0, "job 0 is queued as 101\n"), late.err


def test_one_that_failed_again_meanwhile_is_submitted_once(app: App, slurm: Slurm) -> None:
    """It has more attempts than when the jobs were listed: what is on record of its submission goes by those."""
    app.write("raise ValueError('boom')", CONFIG)
    done = app.sweep("basic", "x=0,1")
    line = shlex.join(shlex.split(cli("rerun", "out", cwd=app.directory).out.splitlines()[1]))
    slow = f"import subprocess\nif '--job-name=app_0' in sys.argv:\n    subprocess.run({line!r}, shell=True)\n"
    slurm.program("sbatch", f"import sys\n{slow}" + SBATCH.format(log=slurm.log))
    command = ("rerun", "out", "--sbatch", "", "--execute")
    first = cli(*command, cwd=app.directory, PATH=slurm.path)
    assert first.code == 0, first.err
    assert [job.attempts for job in read_run(done.root).jobs] == [1, 2]
    again = cli(*command, cwd=app.directory, PATH=slurm.path)
    assert "Left out: job 1, for it may still be queued as 102." in again.err
    assert len(slurm.submitted()) == 2
