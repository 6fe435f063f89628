"""End to end: torchrun, which starts every rank, ends the others when one fails, and starts all of them again.

Each test runs with a program that does the same in its place, and once more with the real one: with `-m torch`, in an
environment that has torch.
"""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from apps import App, Finished
from ranks import RANK, TORCHRUN, ended_by_ctrl_c, files_of_ours, finished, links_in, the_only_run
from terminal import cli

from hydra_callback_kit.journal.reader import read_runs

CONFIG = """
defaults:
  - callbacks: [standard_callbacks, output_guard_callback]
  - _self_
x: 0
"""
HOST = socket.gethostname()
GLOO = """
import torch.distributed

def rank():
    return int(os.environ["RANK"])

def meet(place):
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo")
    torch.distributed.barrier()
"""
RESTARTS = "\nRESTARTS = int(os.environ['TORCHELASTIC_RESTART_COUNT'])\n"


@dataclass(frozen=True)
class Torchrun:
    """A program that starts the ranks of an app, and what the app has to know to be one."""

    app: App
    program: Path
    has_torch: bool

    @property
    def on_path(self) -> dict[str, str]:
        """What makes a command of it, and keeps its processes to one thread each."""
        return {"PATH": f"{self.program.parent}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}

    def write(self, body: str, preamble: str = "", *, over_gloo: bool = False) -> None:
        """Writes the app, whose ranks `meet`: by files, or over torch's gloo, which does not survive each restart."""
        self.app.write(body, CONFIG, (GLOO if over_gloo and self.has_torch else RANK) + RESTARTS + preamble)

    def start(self, *arguments: str, restarts: int = 0) -> "subprocess.Popen[str]":
        """Starts two ranks."""
        words = ["--nproc-per-node", "2", "--max-restarts", str(restarts)]
        command = [str(self.program), *words, *self.app.command(*arguments)[1:]]
        place = self.app.directory / "meetings" / os.urandom(4).hex()
        return self.app.start_command(command, MEETING=str(place), **self.on_path)

    def run(self, *arguments: str, restarts: int = 0) -> Finished:
        """Starts two ranks, and waits for the end."""
        return finished(self.app, self.start(*arguments, restarts=restarts))


@pytest.fixture(params=["imitated", pytest.param("real", marks=pytest.mark.torch)])
def torchrun(app: App, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Torchrun:
    """Starts apps of two ranks."""
    if request.param == "real":
        return Torchrun(app, Path(sys.executable).parent / "torchrun", has_torch=True)
    program = tmp_path_factory.mktemp("bin") / "torchrun"
    program.write_text(f"#!{sys.executable}\n{TORCHRUN}", "utf-8")
    program.chmod(0o755)
    return Torchrun(app, program, has_torch=False)


@pytest.mark.parametrize("directory", ["out", "out/${now:%H-%M-%S-%f}"], ids=["one directory", "one for each"])
def test_one_run(torchrun: Torchrun, directory: str) -> None:
    """Where each rank would have a directory of its own, too: rank 0's value in it, and one of everything."""
    torchrun.write("meet('start')\nreturn {'acc': 0.9} if rank() == 0 else None", over_gloo=True)
    done = torchrun.run(f"hydra.run.dir={directory}", "x=1")
    assert done.code == 0, done.stderr
    assert done.stdout.count("Job 0 COMPLETED") == 1
    assert done.stdout.count("Run starts in") == 1
    run = the_only_run(torchrun.app)
    (job,) = run.jobs
    assert (run.status, job.attempts, job.return_value, job.overrides) == ("COMPLETED", 1, {"acc": 0.9}, {"x": 1})
    assert [(rank.rank, rank.status, rank.host) for rank in job.ranks] == [(0, "COMPLETED", HOST), (1, "COMPLETED", HOST)]
    root = run.root.relative_to(torchrun.app.directory)
    (link,) = links_in(torchrun.app.directory)
    assert link.resolve() == run.root
    names = ("config_resolved.yaml", "performance.json", "provenance.json", "results.json")
    assert files_of_ours(torchrun.app) == sorted(
        [str(link.relative_to(torchrun.app.directory)), *(str(root / name) for name in names)]
    )
    assert cli("best", run.root).code == 0


def test_what_was_typed_is_on_record(torchrun: Torchrun) -> None:
    """The command with `torchrun` in it, and how many ranks there were; what is run again is run so."""
    torchrun.write("meet('start')\nif cfg.x == 1:\n    raise ValueError('no data here')")
    assert torchrun.run("x=1").code == 1
    run = the_only_run(torchrun.app)
    (job,) = run.jobs
    assert job.world_size == 2
    provenance = json.loads((run.root / "provenance.json").read_text("utf-8"))
    typed = ["torchrun", "--nproc-per-node", "2", "--max-restarts", "0", "app.py", "x=1", "hydra.run.dir=out"]
    assert (provenance["command"], provenance["world_size"]) == (typed, 2)
    assert f"  command    {' '.join(typed)}\n" in cli("show", run.root).out
    torchrun.write("meet('start')\nreturn {'acc': 0.9}")
    place = str(torchrun.app.directory / "meetings" / "again")
    rerun = cli("rerun", run.root, "--execute", cwd=torchrun.app.directory, MEETING=place, **torchrun.on_path)
    assert rerun.code == 0, rerun.out + rerun.err
    (job,) = the_only_run(torchrun.app).jobs
    assert (job.status, job.attempts, job.world_size, job.return_value) == ("COMPLETED", 2, 2, {"acc": 0.9})


def test_a_restart_is_another_attempt(torchrun: Torchrun) -> None:
    """Rank 1 fails the first time, and torchrun starts both again: the guard lets them in, and the job has completed."""
    torchrun.write(
        "meet(RESTARTS)\nif RESTARTS == 0 and rank() == 1:\n    raise RuntimeError('node lost')\n"
        "meet('end')\nreturn {'acc': 0.9} if rank() == 0 else None"
    )
    done = torchrun.run(restarts=1)
    assert done.code == 0, done.stdout + done.stderr
    (job,) = the_only_run(torchrun.app).jobs
    assert (job.status, job.attempts, job.return_value, job.error) == ("COMPLETED", 2, {"acc": 0.9}, None)
    assert [(rank.rank, rank.status) for rank in job.ranks] == [(0, "COMPLETED"), (1, "COMPLETED")]
    (row,) = json.loads((torchrun.app.directory / "out" / "results.json").read_text("utf-8"))
    assert (row["status"], row["attempts"], row["return_value"]) == ("COMPLETED", 2, {"acc": 0.9})


@pytest.mark.parametrize("directory", ["out", "out/${now:%H-%M-%S-%f}"], ids=["one directory", "one for each"])
def test_restarts_that_do_not_help(torchrun: Torchrun, directory: str) -> None:
    """Rank 0 fails each time. A directory that holds the time is another one at each start: what failed there has failed."""
    torchrun.write("meet(RESTARTS)\nif rank() == 0:\n    raise RuntimeError('node lost')\nmeet('never')")
    assert torchrun.run(f"hydra.run.dir={directory}", restarts=1).code == 1
    runs = [run for file in torchrun.app.directory.rglob(".callbacks") for run in read_runs(file.parent)]
    assert {run.status for run in runs} == {"FAILED"}
    assert sum(run.jobs[0].attempts for run in runs) == 2
    assert {run.jobs[0].error.message for run in runs} == {"node lost"}
    if directory == "out":
        assert len(runs) == 1


@pytest.mark.parametrize("bad", [0, 1])
def test_a_rank_raises(torchrun: Torchrun, bad: int) -> None:
    """The other one is ended by torchrun while it waits: the job is FAILED, and the rank that failed is named."""
    torchrun.write(f"meet('start')\nif rank() == {bad}:\n    raise ValueError('no data here')\nmeet('end')\nreturn 1")
    assert torchrun.run().code == 1
    (run,) = read_runs(torchrun.app.directory / "out")
    (job,) = run.jobs
    assert (run.status, job.status, job.attempts) == ("FAILED", "FAILED", 1)
    assert job.error is not None
    assert job.error.message == ("no data here" if bad == 0 else f"rank 1 on {HOST}: no data here")
    assert "ValueError" in job.error.type
    assert job.error.message in cli("show", run.root).out
    assert job.error.message in cli("failed", run.root).out
    assert "in main\n        raise ValueError('no data here')\n" in cli("failed", run.root, "--traceback").out


@pytest.mark.parametrize("bad", [0, 1])
def test_a_rank_is_killed(torchrun: Torchrun, bad: int) -> None:
    """As by the kernel for its memory: nobody says anything any more, and the job is INTERRUPTED."""
    torchrun.write(f"meet('start')\nif rank() == {bad}:\n    os.kill(os.getpid(), signal.SIGKILL)\nmeet('end')\nreturn 1")
    assert torchrun.run().code == 1
    run = the_only_run(torchrun.app)
    assert (run.status, run.jobs[0].status, run.jobs[0].attempts) == ("INTERRUPTED", "INTERRUPTED", 1)
    assert [(rank.rank, rank.status) for rank in run.jobs[0].ranks] == [(0, "INTERRUPTED"), (1, "INTERRUPTED")]
    assert cli("failed", run.root).code == 0
    torchrun.write("meet('start')\nreturn 1")
    assert torchrun.run().code == 0  # what was interrupted may be started again


def test_rank_0_may_come_last(torchrun: Torchrun) -> None:
    """It takes longer to begin than the others, who leave nothing that it would take for another run's."""
    torchrun.write("meet('start')\nreturn {'acc': 0.9} if rank() == 0 else None", preamble="\nrank() or time.sleep(4)\n")
    done = torchrun.run()
    assert done.code == 0, done.stdout + done.stderr
    (job,) = the_only_run(torchrun.app).jobs
    assert (job.status, job.return_value, len(job.ranks)) == ("COMPLETED", {"acc": 0.9}, 2)


def test_rank_1_fails_before_rank_0_has_begun(torchrun: Torchrun) -> None:
    """Rank 0 is ended before it says anything; torchrun starts both again, and nothing that was left keeps them out."""
    preamble = "\nif rank() == 0 and RESTARTS == 0:\n    time.sleep(60)\n"
    torchrun.write("if RESTARTS == 0:\n    raise ValueError('no data here')\nreturn {'acc': 0.9}", preamble=preamble)
    done = torchrun.run(restarts=1)
    assert done.code == 0, done.stdout + done.stderr
    assert the_only_run(torchrun.app).jobs[0].return_value == {"acc": 0.9}


def test_two_of_them_exclude_each_other(torchrun: Torchrun) -> None:
    """Of two that start at once in one directory one runs, with both of its ranks; no rank of the other does."""
    torchrun.write("print(f'RAN {os.environ[\"MEETING\"]}', flush=True)\nmeet('start')\nreturn {'acc': 0.9}")
    both = [torchrun.start() for _ in range(2)]
    done = [finished(torchrun.app, process) for process in both]
    assert sorted(each.code for each in done) == [0, 1], done
    refused, ran = sorted(done, key=lambda each: -each.code)
    assert (refused.stdout.count("RAN"), ran.stdout.count("RAN")) == (0, 2)
    assert "already holds a run that " in refused.stdout + refused.stderr
    run = the_only_run(torchrun.app)
    assert (run.status, run.jobs[0].attempts, len(run.jobs[0].ranks)) == ("COMPLETED", 1, 2)
    later = torchrun.run("x=2")
    assert (later.code, later.stdout.count("RAN")) == (1, 0)
    assert "already holds a run that is COMPLETED" in later.stdout + later.stderr


def test_a_sweep(torchrun: Torchrun) -> None:
    """Both ranks go through all jobs; that of the second is not taken for the first's."""
    torchrun.write("meet(cfg.x)\nreturn {'acc': cfg.x} if rank() == 0 else None", over_gloo=True)
    done = torchrun.run("-m", "x=1,2", "hydra.sweep.dir=out/${now:%H-%M-%S-%f}")
    assert done.code == 0, done.stderr
    run = the_only_run(torchrun.app)
    assert [(job.status, job.attempts, job.return_value) for job in run.jobs] == [
        ("COMPLETED", 1, {"acc": 1}),
        ("COMPLETED", 1, {"acc": 2}),
    ]
    assert [[rank.rank for rank in job.ranks] for job in run.jobs] == [[0, 1], [0, 1]]
    assert cli("best", run.root).code == 0


def test_ctrl_c(torchrun: Torchrun) -> None:
    """It reaches every rank: the run is INTERRUPTED, and may be started again."""
    torchrun.write("meet('start')\nprint('HERE', flush=True)\ntime.sleep(60)")
    run = ended_by_ctrl_c(torchrun.app, torchrun.start())
    assert (run.status, run.jobs[0].status) == ("INTERRUPTED", "INTERRUPTED")
    torchrun.write("meet('start')\nreturn 1")
    assert torchrun.run().code == 0
