"""`output_guard_callback` where the directory's run was in a job of Slurm's, on a machine that cannot be seen from here."""

import sys

import pytest
from apps import App
from journals import as_of
from slurm import FakeSlurm, slurm

from hydra_callback_kit.journal.reader import read_runs

__all__ = ["slurm"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Slurm's commands are scripts here")


@pytest.mark.parametrize(
    ("says", "let_in", "said"),
    [
        (["7 7 RUNNING 0"], False, "a run that still runs: 1 running"),
        (["7 7 PENDING 1"], False, "a run that still runs: 1 running"),
        (["7 7 NODE_FAIL 0"], True, ""),
        ([], True, ""),
        (None, False, "cannot be seen from here: on node17, silent for "),
    ],
)
def test_slurm_knows_whether_it_still_runs(
    app: App, slurm: FakeSlurm, says: list[str] | None, let_in: bool, said: str
) -> None:
    """It is asked once; where it does not answer, the run counts as running, and what to type is named."""
    app.write(
        "if cfg.x == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\nprint('RAN')",
        "defaults: [{callbacks: [output_guard_callback]}, _self_]\nx: 0",
    )
    app.run("x=1", SLURM_JOB_ID="7", SLURM_CLUSTER_NAME="here")
    as_of("node17", app.directory / "out")
    slurm.says(*(says or ()), code=0 if says is not None else 1)
    second = app.run("x=2")
    assert ("RAN" in second.stdout, second.code) == (let_in, 0 if let_in else 1)
    assert said in second.stderr
    # of a process in a batch script nobody knows more than that the script runs
    assert ("--assume-gone" in second.stderr) is (says in (None, ["7 7 RUNNING 0"]))
    assert slurm.asked() == 1


def test_a_sweep_that_slurm_starts_again_waits_for_its_jobs(app: App, slurm: FakeSlurm) -> None:
    """Jobs of submitit go on without the sweep's own batch job: a second start of all of them is refused."""
    app.write(
        "if cfg.x == 1 and os.environ.get('SLURM_RESTART_COUNT') is None:\n"
        "    os.kill(int(os.environ['SWEEP']), signal.SIGKILL)\n    time.sleep(4)\nprint('RAN')",
        "defaults: [{callbacks: [output_guard_callback]}, _self_]\nx: 0",
        "os.environ.setdefault('SWEEP', str(os.getpid()))",
    )
    launcher = ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5")
    in_slurm = {"SLURM_JOB_ID": "7", "SLURM_CLUSTER_NAME": "here"}
    slurm.says("7 7 RUNNING 1")
    sweep = app.start("-m", *launcher, "x=0,1", **in_slurm)
    sweep.wait(timeout=60)
    again = app.run("-m", *launcher, "x=0,1", **in_slurm, SLURM_RESTART_COUNT="1")
    assert again.code == 1
    assert "a run that still runs" in again.stderr
    sweep.communicate(timeout=60)  # which its jobs keep open
    assert {job.attempts for job in read_runs(app.directory / "out")[-1].jobs} == {1}
