"""End to end: the processes of one job are one run, whoever started them; a single process is none of several."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from apps import HYDRA_VERSION, App
from ranks import (
    RANK,
    STARTED_BY,
    files_of_ours,
    finished,
    links_in,
    slurm_shell,
    srun_rank,
    start_ranks,
    the_only_run,
    torchrun_rank,
)
from terminal import cli

from hydra_callback_kit.journal.reader import read_runs

CONFIG = """
defaults:
  - callbacks: [standard_callbacks, output_guard_callback, progress_callback]
  - _self_
x: 0
"""
LAST = """
def after_rank_0(file):
    until = time.monotonic() + 60
    while rank() and not os.path.exists(file):
        assert time.monotonic() < until, f"no {file}"
        time.sleep(0.01)
"""
HOST = socket.gethostname()
Rank = Callable[[int, int], dict[str, str]]
started_by = pytest.mark.parametrize("rank", STARTED_BY.values(), ids=STARTED_BY)


@started_by
def test_the_ranks_of_a_job_are_one_run(app: App, rank: Rank) -> None:
    """Three ranks in one directory, the guard on: rank 0's value, one attempt, and no word and no file of the others'."""
    app.write(
        "meet('start', 3)\nafter_rank_0('out/results.json')\nreturn {'acc': 0.9 + cfg.x} if rank() == 0 else None",
        CONFIG,
        RANK + LAST,
    )
    zero, *others = start_ranks(app, [rank(number, 3) for number in range(3)], "x=1")
    assert [zero.code, *(other.code for other in others)] == [0, 0, 0], others
    assert "Job 0 COMPLETED" in zero.stdout
    assert {(other.stdout, other.stderr) for other in others} == {("", "")}
    run = the_only_run(app)
    (job,) = run.jobs
    assert (run.status, job.status, job.attempts, job.return_value) == ("COMPLETED", "COMPLETED", 1, {"acc": 1.9})
    assert job.error is None
    assert [(each.rank, each.status, each.host) for each in job.ranks] == [
        (number, "COMPLETED", HOST) for number in range(3)
    ]
    assert files_of_ours(app) == [
        "latest",
        "out/config_resolved.yaml",
        "out/performance.json",
        "out/provenance.json",
        "out/results.json",
    ]
    assert json.loads((app.directory / "latest" / "results.json").read_text("utf-8")) == zero.json("results.json")
    assert [(row["return_value"], row["attempts"]) for row in zero.json("results.json")] == [({"acc": 1.9}, 1)]
    assert "acc" in cli("best", zero.root).out
    assert cli("show", zero.root.parent).out.count("COMPLETED") == 1
    assert "hydra_callback_kit" not in "".join(file.read_text("utf-8") for file in app.directory.rglob("app_rank*.log"))
    shown = cli("show", zero.root, "--ranks").words()
    assert [words[:4] for words in shown if "COMPLETED" in words] == [
        ["0", str(number), "COMPLETED", HOST] for number in range(3)
    ]


@started_by
def test_ranks_that_compute_different_directories_are_one_run(app: App, rank: Rank) -> None:
    """`hydra.run.dir` holds the time, and no two processes start at the same one: rank 0's is the run's."""
    app.write("meet('start')\nreturn {'acc': 0.9} if rank() == 0 else None", CONFIG, RANK)
    done = start_ranks(app, [rank(number, 2) for number in range(2)], "hydra.run.dir=runs/${now:%H-%M-%S-%f}")
    assert [each.code for each in done] == [0, 0], done
    run = the_only_run(app)
    assert (run.status, run.jobs[0].return_value, run.jobs[0].attempts) == ("COMPLETED", {"acc": 0.9}, 1)
    assert [link.resolve() for link in links_in(app.directory)] == [run.root]
    assert {Path(file).parent for file in files_of_ours(app)} <= {Path("runs"), run.root.relative_to(app.directory)}
    assert (done[1].stdout, done[1].stderr) == ("", "")


@started_by
def test_a_sweep_that_every_rank_goes_through_is_one_sweep(app: App, rank: Rank) -> None:
    """`srun -n 2 python app.py -m x=1,2`: each rank runs all jobs, one after another, and each job has one more rank."""
    app.write("meet(cfg.x)\nreturn {'acc': cfg.x} if rank() == 0 else None", CONFIG, RANK)
    done = start_ranks(app, [rank(number, 2) for number in range(2)], "-m", "x=1,2")
    assert [each.code for each in done] == [0, 0], done
    run = the_only_run(app)
    assert (run.status, run.mode, run.planned_jobs) == ("COMPLETED", "MULTIRUN", 2)
    assert [(job.status, job.attempts, job.return_value) for job in run.jobs] == [
        ("COMPLETED", 1, {"acc": 1}),
        ("COMPLETED", 1, {"acc": 2}),
    ]
    both = [(0, "COMPLETED"), (1, "COMPLETED")]
    assert [[(each.rank, each.status) for each in job.ranks] for job in run.jobs] == [both] * 2
    assert [row["return_value"] for row in done[0].json("results.json")] == [{"acc": 1}, {"acc": 2}]


ALONE = {
    "a shell of salloc": slurm_shell(4),
    "a shell in a step of its own": srun_rank(0, 1),
    "an interactive step": srun_rank(0, 1, "4294967290"),
    "torchrun with one process": torchrun_rank(0, 1),
    "a variable that was left": {"LOCAL_RANK": "0", "NODE_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29411"},
}


@pytest.mark.parametrize("environment", ALONE.values(), ids=ALONE)
def test_a_single_process_is_a_run_of_its_own(app: App, environment: dict[str, str]) -> None:
    """It merely carries such variables: its run is as any other, and the guard keeps a second one out."""
    app.write("print('RAN')\nreturn {'acc': 0.9}", CONFIG)
    done = app.run(**environment)
    assert (done.code, done.stdout.count("RAN")) == (0, 1)
    assert the_only_run(app).jobs[0].ranks == ()
    assert done.json("results.json")[0]["return_value"] == {"acc": 0.9}
    again = app.run(**environment)
    assert (again.code, again.stdout.count("RAN")) == (1, 0)
    assert "already holds a run that is COMPLETED" in again.stderr
    moved = app.run("hydra.run.dir=other", **environment)
    assert moved.code == 0
    assert len(read_runs(app.directory / "other")) == 1


WRONG = {
    "raises": ("raise ValueError('no data here')", "FAILED"),
    "exits": ("sys.exit(3)", "INTERRUPTED" if HYDRA_VERSION < (1, 4) else "FAILED"),  # 1.3 calls no end hook then
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", "INTERRUPTED"),
}


@pytest.mark.parametrize(("wrong", "status"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("rank", [torchrun_rank, srun_rank])
def test_a_rank_that_fails_fails_the_job_and_is_named(app: App, rank: Rank, wrong: str, status: str) -> None:
    """Rank 1 goes wrong, nobody ends rank 0, which returns later: all that speaks of the job says which rank, and where."""
    app.write(f"meet('start')\nif rank() == 1:\n    {wrong}\ninput()\nreturn {{'acc': 0.9}}", CONFIG, RANK)
    meeting = str(app.directory / "meeting")
    zero, one = (app.start(MEETING=meeting, **rank(number, 2)) for number in range(2))
    assert finished(app, one).code != 0
    out, err = zero.communicate("\n", timeout=60)
    assert zero.returncode == 0, out + err  # the exit code is the user's own
    run = the_only_run(app)
    (job,) = run.jobs
    assert (run.status, job.status, job.attempts, job.return_value) == (status, status, 1, {"acc": 0.9})
    assert [(each.rank, each.status) for each in job.ranks] == [(0, "COMPLETED"), (1, status)]
    assert job.error is not None
    assert job.error.message.startswith(f"rank 1 on {HOST}: ")
    root = app.directory / "out"
    (row,) = json.loads((root / "results.json").read_text("utf-8"))
    assert row["status"] == status
    failed = cli("failed", root)
    for said in (cli("show", root).out, failed.out, json.dumps(row)):
        assert f"rank 1 on {HOST}" in said
    assert "no data here" in failed.out or "raise" not in wrong


def test_a_rank_that_fails_after_rank_0_has_ended_is_seen(app: App) -> None:
    """Rank 0's files are written by then; whoever asks afterwards is told."""
    app.write(
        "meet('start')\nif rank() == 1:\n    input()\n    raise ValueError('no data here')\nreturn {'acc': 0.9}",
        CONFIG,
        RANK,
    )
    meeting = str(app.directory / "meeting")
    zero, one = (app.start(MEETING=meeting, **torchrun_rank(number, 2)) for number in range(2))
    assert finished(app, zero).code == 0
    root = app.directory / "out"
    assert cli("show", root, "--json").json()["jobs"][0]["return_value"] == {"acc": 0.9}
    one.communicate("\n", timeout=60)
    assert one.returncode == 1
    assert the_only_run(app).jobs[0].status == "FAILED"
    assert f"rank 1 on {HOST}: no data here" in cli("failed", root).out


def test_rank_0_fails_and_the_others_do_not(app: App) -> None:
    """The job's error is rank 0's, as it is without ranks."""
    app.write("meet('start')\nif rank() == 0:\n    raise ValueError('no data here')", CONFIG, RANK)
    done = start_ranks(app, [torchrun_rank(number, 2) for number in range(2)])
    assert [each.code for each in done] == [1, 0]
    (job,) = the_only_run(app).jobs
    assert job.status == "FAILED"
    assert job.error is not None
    assert (job.error.type.rpartition(".")[2], job.error.message) == ("ValueError", "no data here")
    assert [(each.rank, each.status) for each in job.ranks] == [(0, "FAILED"), (1, "COMPLETED")]


def test_while_ranks_run_the_job_runs(app: App) -> None:
    """Rank 1 has begun and rank 0 waits: RUNNING; both are listed."""
    app.write("meet('start')\nprint('HERE', flush=True)\ninput()\nreturn 1", CONFIG, RANK)
    meeting = str(app.directory / "meeting")
    both = [app.start(MEETING=meeting, **torchrun_rank(number, 2)) for number in range(2)]
    for process in both:
        assert process.stdout is not None
        while "HERE" not in process.stdout.readline():
            assert process.poll() is None
    run = the_only_run(app)
    assert (run.status, run.jobs[0].status) == ("RUNNING", "RUNNING")
    assert [(each.rank, each.status, each.pid) for each in run.jobs[0].ranks] == [
        (number, "RUNNING", both[number].pid) for number in range(2)
    ]
    assert [process.communicate("\n", timeout=60) and process.returncode for process in both] == [0, 0]


def test_no_rank_of_a_refused_run_does_anything(app: App) -> None:
    """The directory holds a finished run: rank 0 is refused, and so are the others, whichever comes first."""
    app.write("print('RAN')\nreturn rank()", CONFIG, RANK)
    assert [each.code for each in start_ranks(app, [torchrun_rank(number, 2) for number in range(2)])] == [0, 0]

    def what_is_there() -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in (app.directory / "out").rglob("*") if file.is_file()}

    before = what_is_there()
    other = {"TORCHELASTIC_RUN_ID": "another", "MASTER_PORT": "29412"}
    again = start_ranks(app, [{**torchrun_rank(number, 2), **other} for number in range(2)])
    assert [(each.code != 0, "RAN" in each.stdout) for each in again] == [(True, False)] * 2, again
    assert "already holds a run that is COMPLETED" in again[0].stderr
    assert what_is_there() == before


def test_no_rank_of_a_dry_run_runs(app: App) -> None:
    """The jobs are listed once, by rank 0; none of the ranks runs the task."""
    app.write("print('RAN')\nreturn rank()", CONFIG, RANK)
    done = start_ranks(app, [torchrun_rank(number, 2) for number in range(2)], "callbacks=[dry_run_callback]")
    assert not any("RAN" in each.stdout for each in done), done
    assert not done[1].stdout


def test_a_config_that_is_refused_runs_in_no_rank(app: App) -> None:
    """`validation_callback` judges in every rank, for each has a config of its own; one of them says so."""
    app.write(
        "print('RAN')\nreturn rank()",
        CONFIG + "hydra:\n  callbacks:\n    validation_callback:\n      required: [y]\n",
        RANK,
    )
    option = "callbacks=[validation_callback,output_guard_callback,results_aggregator_callback]"
    done = start_ranks(app, [torchrun_rank(number, 2) for number in range(2)], option)
    assert [(each.code != 0, "RAN" in each.stdout) for each in done] == [(True, False)] * 2, done


RANKS_OF_SUBMITIT = ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5", "hydra.launcher.tasks_per_node=2")
IN_SUBMITIT = """
from submitit import JobEnvironment
def rank():
    return JobEnvironment().global_rank
"""


def test_submitit_with_two_tasks_a_job(app: App) -> None:
    """Each task goes through the hooks: one attempt, rank 0's value, though rank 1 ends last."""
    app.write(
        """
        place = os.path.join(os.environ["PLACE"], f"{cfg.x}.done")
        if rank() == 0:
            open(place, "w").close()
            return {"acc": cfg.x}
        while not os.path.exists(place):
            time.sleep(0.01)
        """,
        CONFIG,
        IN_SUBMITIT,
    )
    done = app.run("-m", *RANKS_OF_SUBMITIT, "x=1,2", PLACE=str(app.directory))
    assert done.code == 0, done.stderr
    run = the_only_run(app)
    assert run.status == "COMPLETED"
    assert [(job.status, job.attempts, job.return_value) for job in run.jobs] == [
        ("COMPLETED", 1, {"acc": 1}),
        ("COMPLETED", 1, {"acc": 2}),
    ]
    assert [[each.rank for each in job.ranks] for job in run.jobs] == [[0, 1], [0, 1]]
    assert [row["return_value"] for row in done.json("results.json")] == [{"acc": 1}, {"acc": 2}]


@pytest.mark.parametrize("bad", [0, 1])
def test_submitit_with_a_task_that_raises(app: App, bad: int) -> None:
    """Hydra reads rank 0's result alone; the record does not."""
    app.write(
        f"if rank() == {bad} and cfg.x == 1:\n    raise ValueError('no data here')\nreturn {{'acc': 0.9}}",
        CONFIG,
        IN_SUBMITIT,
    )
    done = app.run("-m", *RANKS_OF_SUBMITIT, "x=1,2")
    assert done.code == (1 if bad == 0 else 0)
    failed, fine = the_only_run(app).jobs
    assert (failed.status, fine.status) == ("FAILED", "COMPLETED")
    assert failed.error is not None
    assert failed.error.message == ("no data here" if bad == 0 else f"rank 1 on {HOST}: no data here")


def test_what_all_ranks_use_adds_up(app: App) -> None:
    """`resource_monitor_callback` measures in each of them, into files of their own, and the job has the sum."""
    app.write(
        "held = bytearray(60_000_000)\nmeet('start')\nuntil = time.process_time() + 0.5\n"
        "while time.process_time() < until:\n    pass\nmeet('end')",
        CONFIG.replace("progress_callback", "resource_monitor_callback"),
        RANK,
    )
    done = start_ranks(
        app, [torchrun_rank(number, 2) for number in range(2)], "hydra.callbacks.resource_monitor_callback.interval_s=0.05"
    )
    assert [each.code for each in done] == [0, 0], done
    root = app.directory / "out"
    files = sorted(file.name for file in root.glob("resources*.csv"))
    assert files == ["resources.csv", "resources_rank1.csv"]
    (job,) = the_only_run(app).jobs
    each = [rank.facts["resources"]["peak_memory_bytes"] for rank in job.ranks]
    assert job.facts["resources"]["peak_memory_bytes"] == sum(each)
    assert min(each) > 60_000_000


BARE = [{"RANK": str(number), "WORLD_SIZE": "2"} for number in range(2)]


def test_ranks_need_no_parent_in_common(app: App) -> None:
    """Each is started by a shell of its own, as by `timeout` or `uv run` in a loop, and nothing but its number is said."""
    app.write(
        "meet('start')\nif rank() == 1:\n    raise ValueError('no data here')\nmeet('end', 1)\nreturn 1",
        CONFIG,
        RANK,
    )
    lines = [f"{sys.executable} app.py >out{number} 2>&1; echo $?" for number in range(2)]
    meeting = {"MEETING": str(app.directory / "meeting")}
    shells = [
        subprocess.Popen(
            ["/bin/sh", "-c", line], cwd=app.directory, env={**os.environ, **meeting, **bare}, stdout=subprocess.PIPE
        )
        for line, bare in zip(lines, BARE, strict=True)
    ]
    assert [shell.communicate(timeout=60)[0].strip() for shell in shells] == [b"0", b"1"]
    (job,) = the_only_run(app).jobs
    assert (job.status, [rank.status for rank in job.ranks]) == ("FAILED", ["COMPLETED", "FAILED"])


def test_facts_that_a_ranks_task_adds_are_that_ranks(app: App) -> None:
    """They are no columns of the job."""
    app.write(
        "meet('start')\nhydra_callback_kit.add_job_facts({'who': rank()})", CONFIG, RANK + "\nimport hydra_callback_kit"
    )
    done = start_ranks(app, [torchrun_rank(number, 2) for number in range(2)])
    assert [each.code for each in done] == [0, 0], done
    (job,) = the_only_run(app).jobs
    assert job.facts["who"] == 0
    assert job.ranks[1].facts == {"who": 1}


def test_a_rank_that_fails_after_rank_0_leaves_files_that_can_be_made_again(app: App) -> None:
    """They say COMPLETED, and `show` that they are out of date."""
    app.write(
        "meet('start')\nafter_rank_0('out/results.json')\nif rank() == 1:\n    raise ValueError('late')\nreturn 1",
        CONFIG,
        RANK + LAST,
    )
    done = start_ranks(app, [torchrun_rank(number, 2) for number in range(2)])
    assert [each.code for each in done] == [0, 1], done
    results = app.directory / "out" / "results.json"
    assert [row["status"] for row in json.loads(results.read_text("utf-8"))] == ["COMPLETED"]
    assert "out of date" in cli("show", app.directory / "out").out
    assert cli("show", app.directory / "out", "--remake").code == 0
    assert [row["status"] for row in json.loads(results.read_text("utf-8"))] == ["FAILED"]
    assert "out of date" not in cli("show", app.directory / "out").out


def test_a_job_runs_while_one_of_its_ranks_does(app: App) -> None:
    """Rank 0 was killed, for want of memory say, and rank 1 waits for it: nobody else gets the directory."""
    app.write(
        "meet('start')\nif rank() == 0 and cfg.x == 0:\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "print('HERE', flush=True)\nif rank() == 1:\n    input()",
        CONFIG,
        RANK,
    )
    meeting = str(app.directory / "meeting")
    zero, one = (app.start(MEETING=meeting, **torchrun_rank(number, 2)) for number in range(2))
    assert finished(app, zero).code == -signal.SIGKILL
    run = the_only_run(app)
    assert (run.status, run.jobs[0].status) == ("RUNNING", "RUNNING")
    assert "a run that still runs" in app.run("x=1").stderr
    assert cli("rerun", app.directory / "out").out == ""
    one.communicate("\n", timeout=60)
    assert the_only_run(app).jobs[0].status == "INTERRUPTED"


def test_what_merely_looks_like_a_rank_says_that_it_is_not_on_record(app: App) -> None:
    """A shell that has the variables of a rank that is no more."""
    app.write("print('RAN')", "defaults: [{callbacks: [results_aggregator_callback]}, _self_]")
    alone = app.run(**BARE[1])
    assert (alone.code, "RAN" in alone.stdout) == (0, True)
    assert "This process is rank 1 by its environment, and the run of its rank 0 was not found" in alone.stdout
