"""End to end: Lightning's strategy `ddp`, which starts the script again for each further rank, sweeps and all.

Each test runs with a trainer that starts its ranks as Lightning's does, and once more with the real one, two processes on a
CPU that meet over gloo: with `-m torch`, in an environment that has torch and lightning.
"""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass

import pytest
from apps import App, Finished
from ranks import LIGHTNING, ended_by_ctrl_c, files_of_ours, finished, links_in, the_only_run
from terminal import cli

CONFIG = """
defaults:
  - callbacks: early_stopping
  - override hydra/callbacks: [standard_callbacks, output_guard_callback, progress_callback]
  - _self_
lr: 0.1
bad: none
hydra:
  run:
    dir: logs/train/runs/${now:%H-%M-%S-%f}
  sweep:
    dir: logs/train/multiruns/${now:%H-%M-%S-%f}
    subdir: ${hydra.job.num}
"""
"""As the lightning template has it: a group `callbacks` of its own, and directories that hold the time."""

TRAINER = """
class Trainer:
    def __init__(self, epoch):
        self.epoch = epoch
        self.parent = os.getppid()
    @property
    def global_rank(self):
        return rank()
    def fit(self, name):
        self.started = fit(f"{name}-start")
        self.epoch()
        meet(f"{name}-end", look=self.look)
    def look(self):
        if any(process.poll() for process in self.started):
            os.kill(os.getpid(), signal.SIGKILL)  # as Lightning does from 2.6 on
        if rank() and os.getppid() != self.parent:
            raise RuntimeError("Connection closed by peer")
"""
REAL = """
import warnings
warnings.simplefilter("ignore")
import lightning.pytorch
from lightning.pytorch.demos.boring_classes import BoringModel

class Trainer:
    def __init__(self, epoch):
        class Model(BoringModel):
            def on_train_epoch_end(self):
                epoch()
                self.trainer.strategy.barrier()
        self.model = Model()
        quiet = dict.fromkeys(["enable_progress_bar", "enable_model_summary", "enable_checkpointing", "logger"], False)
        self.trainer = lightning.pytorch.Trainer(
            strategy="ddp", devices=2, accelerator="cpu", max_epochs=1, limit_train_batches=1, limit_val_batches=0, **quiet
        )
    @property
    def global_rank(self):
        return self.trainer.global_rank
    def fit(self, name):
        self.trainer.fit(self.model)
        assert self.trainer.world_size == 2
"""

BODY = """
def epoch():
    if cfg.bad == f"{trainer.global_rank} raises":
        raise ValueError("no data here")
    if cfg.bad == f"{trainer.global_rank} is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if cfg.bad == "waits":
        print("HERE", flush=True)
        time.sleep(60)

trainer = Trainer(epoch)
trainer.fit(cfg.lr)
return {"val": {"loss": 1 - cfg.lr}} if trainer.global_rank == 0 else None
"""
HOST = socket.gethostname()


@dataclass(frozen=True)
class Training:
    """The app, as it is typed."""

    app: App

    def __call__(self, *words: str) -> Finished:
        """Types it, and waits for all that it has started."""
        return finished(self.app, self.start(*words))

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Types it."""
        meeting = str(self.app.directory / "meetings" / os.urandom(4).hex())
        return self.app.start_command([sys.executable, "app.py", *words], MEETING=meeting, OMP_NUM_THREADS="1")


@pytest.fixture(params=["imitated", pytest.param("real", marks=pytest.mark.torch)])
def train(app: App, request: pytest.FixtureRequest) -> Training:
    """The app, with a trainer of either kind."""
    (app.directory / "callbacks").mkdir()
    (app.directory / "callbacks" / "early_stopping.yaml").write_text("early_stopping:\n  monitor: val/loss\n", "utf-8")
    app.write(BODY, CONFIG, LIGHTNING + TRAINER if request.param == "imitated" else REAL)
    return Training(app)


def test_a_single_run_is_one_run(app: App, train: Training) -> None:
    """The guard lets both ranks in; `show`, `best`, `latest` and the provenance speak of the run that was typed."""
    done = train("lr=0.3")
    assert done.code == 0, done.stdout + done.stderr
    assert done.stdout.count("Run starts in") == 1
    assert done.stdout.count("Job 0 COMPLETED") == 1
    run = the_only_run(app)
    (job,) = run.jobs
    assert (run.status, job.status, job.attempts, job.overrides) == ("COMPLETED", "COMPLETED", 1, {"lr": 0.3})
    assert (job.job_name, job.return_value, job.world_size) == ("app", {"val": {"loss": 0.7}}, 2)
    assert [(rank.rank, rank.status, rank.host) for rank in job.ranks] == [(0, "COMPLETED", HOST), (1, "COMPLETED", HOST)]
    (link,) = links_in(app.directory)
    assert (str(link.relative_to(app.directory)), link.resolve()) == ("logs/train/runs/latest", run.root)
    root = run.root.relative_to(app.directory)
    ours = ("config_resolved.yaml", "performance.json", "provenance.json", "results.json")
    assert files_of_ours(app) == sorted(["logs/train/runs/latest", *(str(root / name) for name in ours)])
    typed = [sys.executable, "app.py", "lr=0.3"]
    assert json.loads((link / "provenance.json").read_text("utf-8"))["command"] == typed
    shown = cli("show", link).out
    assert "COMPLETED" in shown
    assert f"  command    {' '.join(typed)}\n" in shown
    assert '"loss": 0.7' in shown
    assert "0.7" in cli("best", link).out
    assert len([words for words in cli("show", app.directory / "logs").words() if "COMPLETED" in words]) == 1
    again = train("lr=0.3", f"hydra.run.dir={run.root}")
    assert again.code == 1
    assert "already holds a run that is COMPLETED" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_sweep_is_one_sweep(app: App, train: Training) -> None:
    """Rank 1 goes through a sweep of its own, in a directory of its own: on record it is the second rank of each job."""
    done = train("-m", "lr=0.1,0.3")
    assert done.code == 0, done.stdout + done.stderr
    assert done.stdout.count("Sweep starts in") == 1
    assert done.stdout.count("Results of 2 jobs") == 1
    run = the_only_run(app)
    assert (run.status, run.mode, run.planned_jobs) == ("COMPLETED", "MULTIRUN", 2)
    assert [(job.status, job.attempts, job.return_value, job.overrides, job.subdir) for job in run.jobs] == [
        ("COMPLETED", 1, {"val": {"loss": 0.9}}, {"lr": 0.1}, "0"),
        ("COMPLETED", 1, {"val": {"loss": 0.7}}, {"lr": 0.3}, "1"),
    ]
    both = [(0, "COMPLETED"), (1, "COMPLETED")]
    assert [[(rank.rank, rank.status) for rank in job.ranks] for job in run.jobs] == [both, both]
    (link,) = links_in(app.directory)
    assert (str(link.relative_to(app.directory)), link.resolve()) == ("logs/train/multiruns/latest", run.root)
    root = run.root.relative_to(app.directory)
    ours = ("config_resolved.yaml", "performance.json", "provenance.json", "results.json")
    assert files_of_ours(app) == sorted(["logs/train/multiruns/latest", *(str(root / name) for name in ours)])
    rows = json.loads((link / "results.json").read_text("utf-8"))
    assert [row["return_value"]["val"]["loss"] for row in rows] == [0.9, 0.7]
    assert "lr=0.3" in cli("best", link).out
    assert len([words for words in cli("show", app.directory / "logs").words() if "COMPLETED" in words]) == 1


@pytest.mark.parametrize("bad", [0, 1])
def test_a_rank_raises(app: App, train: Training, bad: int) -> None:
    """The other one waits for it, and fails or is killed by the trainer: the job is FAILED by the rank that raised."""
    assert train(f"bad='{bad} raises'").code != 0
    run = the_only_run(app)
    (job,) = run.jobs
    assert (run.status, job.status, job.attempts) == ("FAILED", "FAILED", 1)
    assert job.error is not None
    assert job.error.message == ("no data here" if bad == 0 else f"rank 1 on {HOST}: no data here")
    assert job.error.message in cli("failed", run.root).out
    assert job.error.message in cli("show", run.root).out


@pytest.mark.parametrize("bad", [0, 1])
def test_a_rank_is_killed(app: App, train: Training, bad: int) -> None:
    """As by the kernel for its memory: the job has not completed, and the ranks are told apart."""
    assert train(f"bad='{bad} is killed'").code != 0
    run = the_only_run(app)
    (job,) = run.jobs
    assert job.status in {"FAILED", "INTERRUPTED"}
    assert run.status == job.status
    assert {rank.rank: rank.status for rank in job.ranks}[bad] == "INTERRUPTED"
    assert f"rank {bad} on {HOST} INTERRUPTED" in cli("show", run.root).out


def test_what_both_ranks_use_adds_up(app: App, train: Training) -> None:
    """Each is measured into a file of its own in the run's directory, and the job has the sum."""
    done = train("hydra/callbacks=[resource_monitor_callback]", "hydra.callbacks.resource_monitor_callback.interval_s=0.05")
    assert done.code == 0, done.stdout + done.stderr
    run = the_only_run(app)
    assert sorted(file.name for file in run.root.glob("resources*.csv")) == ["resources.csv", "resources_rank1.csv"]
    (job,) = run.jobs
    each = [rank.facts["resources"]["peak_memory_bytes"] for rank in job.ranks]
    assert job.facts["resources"]["peak_memory_bytes"] == sum(each)
    assert min(each) > 10_000_000


def test_ctrl_c(app: App, train: Training) -> None:
    """It reaches both: the run is INTERRUPTED, and its directory may be used again."""
    run = ended_by_ctrl_c(app, train.start("bad=waits", "hydra.run.dir=logs/here"))
    assert run.jobs[0].status in {"INTERRUPTED", "FAILED"}
