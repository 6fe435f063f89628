"""Jobs that go on when the process of their sweep is gone, and jobs that are put back into the queue."""

import signal
import subprocess
import time

import pytest
from apps import HYDRA_VERSION, ON_LAUNCHER, App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord


def the_end(app: App) -> RunRecord:
    """The sweep's record, once nothing of it runs any more."""
    deadline = time.monotonic() + 60
    while (run := read_run(app.directory / "out")).status == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.1)
    return run


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_jobs_that_outlive_their_sweep_are_running_and_left_alone(app: App, by: signal.Signals) -> None:
    """Ctrl-C, or a kill, ends the sweep's process, and submitit's jobs go on until they have completed."""
    app.write(
        "here = pathlib.Path(hydra.utils.get_original_cwd())\n(here / f'begun{cfg.x}').touch()\n"
        "while not (here / 'go').exists(): time.sleep(0.05)\nreturn cfg.x",
        "defaults: [{callbacks: [results_aggregator_callback]}, _self_]\nx: 0",
        "import pathlib",
    )
    sweep = subprocess.Popen(
        app.command("-m", "x=0,1", *ON_LAUNCHER["submitit_local"]),
        cwd=app.directory,
        env=app.environment(),
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while len(list(app.directory.glob("begun*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        sweep.send_signal(by)
        assert sweep.wait(60) != 0
        assert "sweep RUNNING: 2 running\n" in cli("show", "out", cwd=app.directory).out
        assert "sweep RUNNING: 2 running\n" in cli("show", "out", "--assume-gone", cwd=app.directory).out
        for options in ((), ("--assume-gone",)):
            again = cli("rerun", "out", *options, cwd=app.directory)
            assert (again.out, "Left out: 2 that still run." in again.err) == ("", True)
    finally:
        (app.directory / "go").touch()
    run = the_end(app)
    assert (run.status, [job.return_value for job in run.jobs]) == ("COMPLETED", [0, 1])


def test_a_job_that_submitit_puts_back_runs_again(app: App) -> None:
    """As after its time limit or a preemption: no failure, whatever Hydra calls for it, and the second attempt counts."""
    app.write(
        """
        begun = pathlib.Path(hydra.utils.get_original_cwd(), "begun")
        if cfg.x == 1 and not begun.exists():
            begun.touch()
            os.kill(os.getpid(), signal.SIGUSR2)
            time.sleep(30)
        return cfg.x
        """,
        "defaults: [{callbacks: [logging_callback, progress_callback, results_aggregator_callback]}, _self_]\nx: 0",
        "import pathlib",
    )
    done = app.sweep("submitit_local", "x=0,1")
    assert done.code == 0, done.stderr
    assert [(job["status"], job["attempts"]) for job in done.json("results.json")] == [("COMPLETED", 1), ("COMPLETED", 2)]
    assert "2/2 jobs done, in " in done.stderr
    assert "FAILED" not in done.log(1)
    if HYDRA_VERSION >= (1, 4):  # 1.3 calls no end hook
        assert "Job 1 goes back into the queue, to run again" in done.log(1)
