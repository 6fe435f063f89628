"""End to end: a job that ran as several processes is not run again as one without a word."""

import shlex
import subprocess
import sys

from apps import App
from ranks import torchrun_rank
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

CONFIG = "defaults: [{callbacks: [results_aggregator_callback]}, _self_]\nx: 0"
FAILS_ONCE = "if not os.path.exists('again'):\n    raise ValueError('boom')"


def start_ranks(app: App, command: str) -> None:
    """Starts two ranks as a loop of the shell does."""
    started = [
        subprocess.Popen(["/bin/sh", "-c", command], cwd=app.directory, env=app.environment(**torchrun_rank(rank, 2)))
        for rank in range(2)
    ]
    for process in started:
        process.wait(timeout=60)


def test_ranks_that_a_loop_started(app: App) -> None:
    """The line is printed with a word; it is not executed. Started once for each rank it is another attempt."""
    app.write(FAILS_ONCE, CONFIG)
    start_ranks(app, shlex.join([sys.executable, "app.py", "hydra.run.dir=out"]))
    word = "ob 0 ran as 2 ranks, and this command starts one process: start the line once for each rank"
    listed = cli("rerun", "out", cwd=app.directory)
    assert listed.code == 0
    assert len(listed.out.splitlines()) == 1
    assert f"J{word}" in listed.err
    (app.directory / "again").touch()
    for more in ((), ("--sbatch", "")):
        refused = cli("rerun", "out", "--execute", *more, cwd=app.directory, PATH="/nowhere")
        assert (refused.code, refused.out) == (1, "")
        assert f"Left out: j{word}" in refused.err
    start_ranks(app, listed.out)
    (job,) = read_run(app.directory / "out").jobs
    assert (job.status, job.attempts, job.world_size, len(job.ranks)) == ("COMPLETED", 2, 2, 2)


def test_ranks_that_submitit_started(app: App) -> None:
    """--launcher starts them again, and says nothing."""
    app.write(FAILS_ONCE, CONFIG)
    done = app.sweep("submitit_local", "x=0,1", "hydra.launcher.tasks_per_node=2")
    (app.directory / "again").touch()
    refused = cli("rerun", "out", "--execute", cwd=app.directory)
    assert refused.code == 1
    assert (
        "Left out: job 0 ran as 2 ranks, and this command starts one process: --launcher starts it as it was." in refused.err
    )
    again = cli("rerun", "out", "--launcher", "--execute", cwd=app.directory)
    assert again.code == 0, again.err
    assert "as 2 ranks" not in again.err
    found = [(job.status, job.attempts, job.world_size) for job in read_run(done.root).jobs]
    assert found == [("COMPLETED", 2, 2)] * 2
