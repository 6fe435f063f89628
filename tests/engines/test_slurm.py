"""On a real Slurm: what is said of each job is true while it waits, runs, is killed and runs again; none is run twice."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import HYDRA_VERSION, App
from engines.slurm import ON_SLURM, answer, cancel_all, kill_node, start_node, state, wait_for_state, wait_until_idle
from engines.sweeping import ONCE, Sweep, until

pytestmark = pytest.mark.slurm

TWO_AT_A_TIME = "hydra.launcher.array_parallelism=2"
LEFT = "FAILED" if HYDRA_VERSION >= (1, 4) else "INTERRUPTED"
"""What the record says of a job that leaves by `sys.exit`."""


@pytest.fixture
def sweep(app: App) -> Iterator[Sweep]:
    """A sweep on Slurm; all that it has started is gone at the end."""
    made = Sweep(app, ON_SLURM)
    yield made
    made.go()
    if made.process is not None and made.process.poll() is None:
        made.kill()
    cancel_all(app.directory)


@pytest.mark.in_ci
def test_twelve_jobs_with_everything_on(sweep: Sweep) -> None:
    """Some run and the others are queued, and this is what is said; at the end all files tell all."""
    sweep.write()
    sweep.start("x=range(12)", "hydra.launcher.array_parallelism=9")  # one more than a node has CPUs: they are on both
    begun = [sweep.begun(x) for x in range(9)]
    assert set(sweep.statuses().values()) == {"RUNNING"}
    assert sweep.shown()["status"] == "RUNNING"
    sweep.nothing_is_run_twice()
    sweep.go()
    assert sweep.ended() == 0, sweep.said()
    done = dict.fromkeys(range(12), "COMPLETED")
    assert sweep.statuses() == sweep.tells() == sweep.tells("performance.json") == done
    rows = json.loads((sweep.root / "results.json").read_text())
    assert [row["return_value"] for row in rows] == [{"double": 2 * x} for x in range(12)]
    assert all(row["attempts"] == 1 and row["facts"]["resources"]["samples"] >= 1 for row in rows)
    assert [row["host"] for row in rows[:9]] == [job.host for job in begun]
    assert {row["host"] for row in rows} == {"n1", "n2"}
    assert [row["job_id"] for row in rows[:9]] == [job.batch_job for job in begun]
    assert all(row["facts"]["batch"]["node_list"] == row["host"] for row in rows)
    assert "12/12 jobs done" in sweep.said()
    assert "Please report this as a bug" not in sweep.said()
    assert (sweep.app.directory / "latest").resolve() == sweep.root
    sweep.nothing_is_run_twice()
    assert all(name in sweep.command("show").output for name in ("n1", "n2"))


@pytest.mark.parametrize(
    ("strikes", "status"),
    [
        pytest.param('raise ValueError("boom")', "FAILED", id="raises"),
        pytest.param("sys.exit(3)", LEFT, id="exits"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", "INTERRUPTED", id="killed", marks=pytest.mark.in_ci),
        pytest.param("os.kill(os.getpid(), signal.SIGSEGV)", "INTERRUPTED", id="crashes"),
    ],
)
def test_a_job_goes_wrong(sweep: Sweep, strikes: str, status: str) -> None:
    """The job that goes wrong is told at once, those beside it go on, and the files tell all at the end."""
    sweep.write(f"if cfg.x == 1:\n    {strikes}")
    sweep.start("x=0,1,2,3", TWO_AT_A_TIME, *ONCE)
    job = sweep.begun(1)
    sweep.begun(0)
    sweep.begun(2)  # it takes the place of the one that is gone
    sweep.until(lambda: state(job.batch_job) not in ("RUNNING", "COMPLETING"), "Slurm to notice")
    assert sweep.statuses() == {0: "RUNNING", 1: status, 2: "RUNNING"}
    sweep.nothing_is_run_twice(1)
    sweep.go()
    assert sweep.ended() == 1
    wait_until_idle(sweep.app.directory)
    sweep.files_tell({0: "COMPLETED", 1: status, 2: "COMPLETED", 3: "COMPLETED"})
    sweep.nothing_is_run_twice(1)
    assert "_log.err" in sweep.command("failed").output


def test_a_killed_job_is_tried_again(sweep: Sweep) -> None:
    """Beside those that go on, though submitit has given up; each of these runs once."""
    sweep.write("if cfg.x == 1 and not (Path(SCENE) / 'again').exists():\n    os.kill(os.getpid(), signal.SIGKILL)")
    sweep.start("x=0,1,2", TWO_AT_A_TIME)
    sweep.begun(1)
    sweep.until(lambda: sweep.statuses()[1] == "INTERRUPTED", "the end of the killed job")
    (sweep.app.directory / "again").touch()
    sweep.go()
    assert sweep.ended() == 0, sweep.said()
    assert sweep.statuses() == sweep.tells() == dict.fromkeys(range(3), "COMPLETED")
    assert [job["attempts"] for job in sweep.shown()["jobs"]] == [1, 2, 1]


@pytest.mark.in_ci
def test_a_job_is_cancelled(sweep: Sweep) -> None:
    """It is RUNNING until Slurm has killed it, then INTERRUPTED, and the reason is Slurm's; the others go on."""
    sweep.write()
    sweep.start("x=0,1,2,3", TWO_AT_A_TIME, *ONCE)
    job = sweep.begun(0)
    sweep.begun(1)
    answer("scancel", job.batch_job)
    wait_for_state(job.batch_job, "CANCELLED")
    sweep.until(lambda: sweep.statuses()[0] != "RUNNING", "the end of the cancelled job")
    assert sweep.statuses()[0] == "INTERRUPTED"
    sweep.begun(2)
    sweep.nothing_is_run_twice(0)
    assert "CANCELLED" in sweep.command("failed").output
    assert sweep.ended() == 1  # submitit gives up at the first job that has no result
    assert sweep.statuses() == {0: "INTERRUPTED", 1: "RUNNING", 2: "RUNNING"}
    sweep.nothing_is_run_twice(0)
    sweep.go()
    wait_until_idle(sweep.app.directory)
    sweep.files_tell({0: "INTERRUPTED", 1: "COMPLETED", 2: "COMPLETED", 3: "COMPLETED"})
    sweep.nothing_is_run_twice(0)


@pytest.mark.in_ci
def test_a_detached_sweep_is_stopped(sweep: Sweep) -> None:
    """The command returns once Slurm has the jobs; `stop` interrupts those that run and cancels those that wait."""
    sweep.write(config="defaults: [callbacks: [detach_callback, results_aggregator_callback]]\nx: 0")
    sweep.start("x=0,1,2", TWO_AT_A_TIME)
    assert sweep.ended() == 0, sweep.said()
    sweep.begun(0)
    sweep.begun(1)
    assert sweep.shown()["status"] == "RUNNING"
    stopped = sweep.command("stop", "--after", "60")
    assert stopped.exit_code == 0, stopped.output
    wait_until_idle(sweep.app.directory)
    assert sweep.statuses() == {0: "INTERRUPTED", 1: "INTERRUPTED"}
    assert not (sweep.app.directory / "ended").exists()


def test_a_queued_job_is_cancelled(sweep: Sweep) -> None:
    """A job that will never start is no longer one that may still be queued."""
    sweep.write()
    sweep.start("x=0,1,2,3", TWO_AT_A_TIME, *ONCE)
    array = sweep.begun(0).batch_job.partition("_")[0]
    sweep.begun(1)
    answer("scancel", f"{array}_3")
    assert sweep.would_run_again("--missing") in ([], [3])
    sweep.go()
    wait_until_idle(sweep.app.directory)
    sweep.interrupt()  # submitit asks an accounting that this Slurm has not, and would wait for ever
    assert sweep.statuses() == dict.fromkeys(range(3), "COMPLETED")
    assert sweep.would_run_again() == []
    assert sweep.would_run_again("--missing") == [3]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(("scontrol", "requeue"), id="scontrol", marks=pytest.mark.in_ci),
        pytest.param(("scancel", "--signal=USR2"), id="submitit"),  # Slurm's warning that the time is nearly up
    ],
)
def test_a_job_is_requeued(sweep: Sweep, again: tuple[str, ...]) -> None:
    """It runs, waits and runs again, and never has it failed; its second start is attempt 2 of one job."""
    sweep.write()
    sweep.start("x=0,1", "hydra.launcher.max_num_timeout=1")
    sweep.begun(0)
    job = sweep.begun(1)
    subprocess.run([*again, job.batch_job], check=False)  # scancel ends with an error where the job is gone at once
    wait_for_state(job.batch_job, "PENDING")
    seen = set()

    def is_back() -> bool:
        seen.add(sweep.statuses()[1])
        sweep.nothing_is_run_twice()
        return (sweep.app.directory / "started" / "1-0-1").exists()

    sweep.until(is_back, "the requeued job to start again")
    assert seen == {"RUNNING"}
    assert "1 failed" not in sweep.said()
    sweep.go()
    assert sweep.ended() == 0
    assert sweep.statuses() == sweep.tells() == dict.fromkeys(range(2), "COMPLETED")
    assert [job["attempts"] for job in sweep.shown()["jobs"]] == [1, 2]
    assert "2/2 jobs done, in" in sweep.said()
    sweep.nothing_is_run_twice()


def test_a_job_meets_its_time_limit_and_is_requeued(sweep: Sweep) -> None:
    """Slurm's own limit of two minutes: submitit hears of it in time, and has the job started again."""
    sweep.write()
    sweep.start(
        "x=0,1", "hydra.launcher.timeout_min=2", "hydra.launcher.signal_delay_s=70", "hydra.launcher.max_num_timeout=1"
    )
    sweep.begun(0, restart=1)
    sweep.begun(1, restart=1)
    assert sweep.statuses() == dict.fromkeys(range(2), "RUNNING")
    sweep.nothing_is_run_twice()
    sweep.go()
    assert sweep.ended() == 0
    assert sweep.statuses() == sweep.tells() == dict.fromkeys(range(2), "COMPLETED")
    assert [job["attempts"] for job in sweep.shown()["jobs"]] == [2, 2]


def test_a_job_meets_its_time_limit_for_good(sweep: Sweep) -> None:
    """What submitit does not start again ends as it says, and `failed` tells why; the job that Slurm kills as well."""
    sweep.write("if cfg.x == 1:\n    import signal\n    signal.signal(signal.SIGUSR2, signal.SIG_IGN)")
    sweep.start("x=0,1", *ONCE, "hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=10")
    jobs = [sweep.begun(x) for x in range(2)]
    sweep.until(lambda: sweep.statuses()[0] != "RUNNING", "submitit to give up")
    assert sweep.statuses() == {0: "FAILED", 1: "RUNNING"}
    sweep.nothing_is_run_twice(0)
    until(lambda: state(jobs[1].batch_job) == "TIMEOUT", lambda: state(jobs[1].batch_job))
    sweep.until(lambda: sweep.statuses()[1] != "RUNNING", "the end of the other")
    assert sweep.ended() == 1
    sweep.files_tell({0: "FAILED", 1: "INTERRUPTED"})
    assert "TIMEOUT" in sweep.command("failed").output
    sweep.nothing_is_run_twice(0, 1)


def _on(node: str) -> tuple[str, str]:
    """Sends jobs to a node that is there to be killed."""
    return "hydra.launcher.partition=frail", f"+hydra.launcher.additional_parameters.nodelist={node}"


def test_a_node_crashes_and_its_job_is_requeued(sweep: Sweep) -> None:
    """Until Slurm notices, nobody knows; then the job waits for the node, and runs there again."""
    sweep.write()
    sweep.start("x=0,1", *_on("n3"))
    job = sweep.begun(0)
    assert (job.host, sweep.begun(1).host) == ("n3", "n3")
    kill_node("n3")
    try:
        assert sweep.statuses() == dict.fromkeys(range(2), "RUNNING")
        sweep.nothing_is_run_twice()
        wait_for_state(job.batch_job, "PENDING")
        assert sweep.statuses() == dict.fromkeys(range(2), "RUNNING")
        sweep.nothing_is_run_twice()
    finally:
        start_node("n3")
    sweep.begun(0, restart=1)
    sweep.begun(1, restart=1)
    sweep.go()
    assert sweep.ended() == 0
    assert sweep.statuses() == sweep.tells() == dict.fromkeys(range(2), "COMPLETED")
    assert [row["attempts"] for row in json.loads((sweep.root / "results.json").read_text())] == [2, 2]


def test_a_node_crashes_for_good(sweep: Sweep) -> None:
    """A job that Slurm does not start again is gone as soon as Slurm knows it, and the reason is Slurm's."""
    sweep.write()
    sweep.start("x=0,1", *ONCE, *_on("n4"), "+hydra.launcher.additional_parameters.no_requeue=true")
    jobs = [sweep.begun(x) for x in range(2)]
    kill_node("n4")
    try:
        assert sweep.statuses() == dict.fromkeys(range(2), "RUNNING")
        sweep.nothing_is_run_twice()
        wait_for_state(jobs[0].batch_job, "NODE_FAIL")
        assert sweep.statuses() == dict.fromkeys(range(2), "INTERRUPTED")
        sweep.nothing_is_run_twice(0, 1)
        assert "NODE_FAIL" in sweep.command("failed").output
    finally:
        start_node("n4")
    assert sweep.ended() == 1
    sweep.files_tell(dict.fromkeys(range(2), "INTERRUPTED"))


@pytest.mark.parametrize("how", ["Ctrl-C", pytest.param("SIGKILL", marks=pytest.mark.in_ci)])
def test_the_sweeps_process_ends_and_its_jobs_go_on(sweep: Sweep, how: str) -> None:
    """Those that run are RUNNING, those that wait may still be queued, and no advice runs one of them a second time."""
    sweep.write()
    sweep.start("x=0,1,2,3", TWO_AT_A_TIME)
    sweep.begun(0)
    sweep.begun(1)
    assert (sweep.interrupt() if how == "Ctrl-C" else sweep.kill()) == (-2 if how == "Ctrl-C" else -9)
    assert sweep.statuses() == {0: "RUNNING", 1: "RUNNING"}
    shown = sweep.command("show").output
    assert "queued" in shown
    assert "not started" not in shown
    sweep.nothing_is_run_twice()
    sweep.command("rerun", "--missing", "--execute", "--yes")
    assert sweep.statuses() == {0: "RUNNING", 1: "RUNNING"}
    other = sweep.app.run("-m", "x=9", "~hydra.callbacks.resume_callback")
    assert "already holds a run that still runs" in other.stderr  # the guard lets no other in
    sweep.go()
    wait_until_idle(sweep.app.directory)
    assert all(job["attempts"] == 1 for job in sweep.shown()["jobs"])
    expected = dict.fromkeys(range(4), "COMPLETED")
    if how == "Ctrl-C":
        sweep.files_tell(expected)
    assert sweep.statuses() == expected
    assert sweep.shown()["status"] == "COMPLETED"
    sweep.nothing_is_run_twice()


def test_a_queued_sweep_without_a_parent_is_cancelled(sweep: Sweep) -> None:
    """Once Slurm has none of its jobs any more, they are known not to be there."""
    sweep.write()
    sweep.start("x=0,1,2,3", TWO_AT_A_TIME)
    sweep.begun(0)
    sweep.begun(1)
    sweep.kill()
    cancel_all(sweep.app.directory)
    wait_until_idle(sweep.app.directory)
    assert sweep.statuses() == {0: "INTERRUPTED", 1: "INTERRUPTED"}
    assert sweep.would_run_again() == [0, 1]
    assert sweep.would_run_again("--missing") == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("hydra.launcher.tasks_per_node=2", id="on_one_node", marks=pytest.mark.in_ci),
        pytest.param("hydra.launcher.nodes=2", id="on_two_nodes"),
    ],
)
def test_two_ranks_a_job(sweep: Sweep, where: str) -> None:
    """A job of two processes is one job with one attempt, and what rank 0 returns is its value."""
    sweep.write()
    sweep.start("x=0,1,2", where)
    hosts = {sweep.begun(x, rank).host for x in range(3) for rank in range(2)}
    assert sweep.statuses() == dict.fromkeys(range(3), "RUNNING")
    sweep.go()
    assert sweep.ended() == 0, sweep.said()
    rows = json.loads((sweep.root / "results.json").read_text())
    assert [(row["status"], row["attempts"]) for row in rows] == [("COMPLETED", 1)] * 3
    assert [row["return_value"] for row in rows] == [{"double": 2 * x} for x in range(3)]
    assert "3/3 jobs done, in" in sweep.said()
    ranks = sweep.command("show", "--ranks").output
    assert all(host in ranks for host in hosts)
    assert "Please report this as a bug" not in sweep.said()
    sweep.nothing_is_run_twice()


@pytest.mark.parametrize(
    "strikes",
    [
        pytest.param('raise ValueError("no data")', id="raises", marks=pytest.mark.in_ci),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", id="killed"),
    ],
)
def test_a_rank_goes_wrong(sweep: Sweep, strikes: str) -> None:
    """The job has FAILED though rank 0 returned, and it is said which rank it was, and where."""
    sweep.write(f"if cfg.x == 1 and rank == 1:\n    {strikes}")
    sweep.start("x=0,1", *ONCE, "hydra.launcher.tasks_per_node=2")
    host = sweep.begun(1, rank=1).host
    sweep.go()
    sweep.ended()
    wait_until_idle(sweep.app.directory)
    statuses = sweep.statuses()
    assert statuses[0] == "COMPLETED"
    # srun ends rank 0 as well where a rank is killed: whether that had reached its end is a matter of chance
    assert statuses[1] in ({"FAILED"} if "raise" in strikes else {"FAILED", "INTERRUPTED"})
    assert "rank 1" in sweep.command("failed").output
    assert host in sweep.command("failed").output
    sweep.files_tell(statuses)
    sweep.nothing_is_run_twice(1)


def test_a_job_of_two_ranks_is_requeued(sweep: Sweep) -> None:
    """Both ranks start again, and it is attempt 2 of one job."""
    sweep.write()
    sweep.start("x=0", "hydra.launcher.tasks_per_node=2")
    sweep.begun(0, rank=1)
    answer("scontrol", "requeue", sweep.begun(0).batch_job)
    sweep.begun(0, rank=0, restart=1)
    sweep.begun(0, rank=1, restart=1)
    assert sweep.statuses() == {0: "RUNNING"}
    sweep.go()
    assert sweep.ended() == 0
    assert [(job["status"], job["attempts"]) for job in sweep.shown()["jobs"]] == [("COMPLETED", 2)]


DONE_AT_ONCE = """if cfg.x == 0:
    note("ended", 0)
    return {"double": 0}"""
"""What the first job of a sweep does."""


def _log_of(sweep: Sweep, job: str) -> str:
    """What a batch job has printed."""
    log = sweep.app.directory / f"slurm-{job}.out"
    return log.read_text("utf-8") if log.exists() else ""


def _batch_script(sweep: Sweep, command: list[str], *options: str) -> str:
    """Submits a command as a batch job, and returns its id."""
    script = Path(sweep.app.directory / "job.sh")
    script.write_text("#!/bin/sh\n" + " ".join(command) + "\n", "utf-8")
    return answer("sbatch", "--parsable", f"--chdir={sweep.app.directory}", *options, str(script))


@pytest.mark.parametrize("tasks", [1, 2])
def test_a_single_run_as_a_batch_job_is_requeued(sweep: Sweep, tasks: int) -> None:
    """The guard lets the requeued run in, and both of its ranks: it goes on as attempt 2."""
    sweep.write()
    job = _batch_script(sweep, ["srun", *sweep.app.command("x=1")], f"--ntasks={tasks}")
    for rank in range(tasks):
        sweep.begun(1, rank)
    assert sweep.shown()["status"] == "RUNNING"
    assert "already holds a run that still runs" in sweep.app.run("x=2").stderr
    answer("scontrol", "requeue", job)
    for rank in range(tasks):
        sweep.begun(1, rank, restart=1)
    assert sweep.shown()["status"] == "RUNNING"
    sweep.go()
    wait_until_idle(sweep.app.directory)
    shown = sweep.shown()
    assert (shown["status"], shown["jobs"][0]["attempts"]) == ("COMPLETED", 2)
    assert shown["jobs"][0]["return_value"] == {"double": 2}
    assert state(job) == "COMPLETED"


def test_a_sweep_within_a_batch_job_is_cancelled(sweep: Sweep) -> None:
    """Its process was on another machine, and Slurm knows that it is gone."""
    sweep.write()
    job = _batch_script(sweep, sweep.app.command("-m", "x=0,1"))
    sweep.begun(0)
    assert sweep.shown()["status"] == "RUNNING"
    sweep.nothing_is_run_twice()
    answer("scancel", job)
    wait_for_state(job, "CANCELLED")
    assert sweep.statuses()[0] == "INTERRUPTED"
    assert sweep.shown()["status"] == "INTERRUPTED"
    assert sweep.would_run_again("--missing") == [0, 1]


def test_a_sweep_within_a_batch_job_is_requeued(sweep: Sweep) -> None:
    """It goes on as one sweep: what has completed is not run again, and what Slurm has killed is."""
    sweep.write(DONE_AT_ONCE)
    job = _batch_script(sweep, sweep.app.command("-m", "x=0,1,2"))
    sweep.begun(1)
    answer("scontrol", "requeue", job)
    sweep.begun(1, restart=1)
    assert sweep.statuses() == {0: "COMPLETED", 1: "RUNNING"}
    sweep.nothing_is_run_twice()
    sweep.go()
    wait_until_idle(sweep.app.directory)
    done = dict.fromkeys(range(3), "COMPLETED")
    assert sweep.statuses() == sweep.tells() == done
    assert [each["attempts"] for each in sweep.shown()["jobs"]] == [1, 2, 1]
    assert sweep.shown()["status"] == "COMPLETED"
    assert state(job) == "COMPLETED"


def test_a_sweep_on_slurm_within_a_batch_job_is_requeued(sweep: Sweep) -> None:
    """Its jobs go on meanwhile: they are neither started a second time nor taken for done."""
    sweep.write(DONE_AT_ONCE)
    job = _batch_script(sweep, sweep.app.command("-m", *ON_SLURM, "x=0,1,2"))
    for x in range(3):
        sweep.begun(x)
    answer("scontrol", "requeue", job)
    sweep.until(lambda: "may still run" in _log_of(sweep, job), "it to go on")
    assert sweep.statuses() == {0: "COMPLETED", 1: "RUNNING", 2: "RUNNING"}
    sweep.go()
    wait_until_idle(sweep.app.directory)
    assert sweep.statuses() == dict.fromkeys(range(3), "COMPLETED")
    assert [each["attempts"] for each in sweep.shown()["jobs"]] == [1, 1, 1]
    assert state(job) == "FAILED"  # the exit code tells that something was left out
