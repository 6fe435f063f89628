"""Jobs that were handed on: who still waits, and what a stranger's line about it is worth."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from journals import a_run, as_of, lines_of, rewritten, write_job, write_sweep

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.handed_on import write_handed_on
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import attempts_at
from hydra_callback_kit.journal.life import Found, Sight
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.queue import Queue
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.writer import write_line


def handed_on(root: Path) -> RunIdentity:
    """A sweep of which two jobs were handed to Slurm; one has started since."""
    run = write_sweep(root)
    write_handed_on(run, {1: 1, 3: 1}, "77")
    return run


def test_a_job_is_queued_until_it_starts(tmp_path: Path) -> None:
    """Of the two that were handed to Slurm one has started since; neither is an attempt for that."""
    run = read_run(handed_on(tmp_path).root)
    assert [(job.job_num, job.batch_job, job.attempts) for job in run.handed_on] == [(1, "77", 1)]
    assert (run.queue, run.status) == (Queue(perhaps=frozenset([1])), "RUNNING")
    assert [job.attempts for job in run.jobs] == [1, 1, 1, 2]
    assert attempts_at(tmp_path, run.run_id, 1) == 1
    assert "jobs" not in run.facts
    assert repr(rewritten(tmp_path, lines_of(tmp_path)[::-1])) == repr(run)  # NaN is not equal to itself


def test_jobs_that_a_process_is_to_start_wait_while_it_lives(tmp_path: Path) -> None:
    """A sweep that goes on has yet to start them; if it is gone, nobody does."""
    handed_on(tmp_path)
    write_handed_on(a_run(tmp_path), {4: 0})
    assert [(job.job_num, job.process) for job in read_run(tmp_path).handed_on][1:] == [(4, this_process())]
    assert read_run(tmp_path).queue.there == {4}
    nobody = Sight(is_alive=lambda process: False)
    assert [job.job_num for job in read_run(tmp_path, sight=nobody).handed_on] == [1]
    write_job(a_run(tmp_path), 4, "COMPLETED")
    assert [job.job_num for job in read_run(tmp_path).handed_on] == [1]


class Slurm:
    """What the batch system knows."""

    def __init__(self, **jobs: str) -> None:
        self.jobs = jobs

    def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
        """As in `life.BatchSystem`."""
        state = self.jobs.get(f"j{job}", "gone")
        return None if state == "unknown" else Found(state, 0)


@pytest.mark.parametrize(
    ("state", "assume_gone", "there", "perhaps"),
    [
        ("waits", False, {1}, set()),
        ("waits", True, {1}, set()),
        ("gone", False, set(), set()),
        ("unknown", False, set(), {1}),
        ("unknown", True, set(), set()),
    ],
)
def test_slurm_is_asked(tmp_path: Path, *, state: str, assume_gone: bool, there: set[int], perhaps: set[int]) -> None:
    """What it says counts; where nobody knows, the job may wait, unless it is said to be gone."""
    run = read_run(handed_on(tmp_path).root, sight=Sight(batch_system=Slurm(j77=state), assume_gone=assume_gone))
    assert run.queue == Queue(frozenset(there), frozenset(perhaps))
    assert len(run.handed_on) == len(there | perhaps)


def test_what_a_dead_sweep_has_left_in_the_queue(tmp_path: Path) -> None:
    """The jobs of one that went on are submitit's next ones: their ids are the names of its next folders."""
    run = a_run(tmp_path)
    writer._files.clear()
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_slurm", "planned_jobs": 3})
    for num in range(3):
        write_job(run, num, "FAILED")
        (tmp_path / ".submitit" / f"50_{num}").mkdir(parents=True)
    write_handed_on(run, {0: 1, 2: 1})
    (tmp_path / ".submitit" / "70_0").mkdir()
    (tmp_path / ".submitit" / "70").mkdir()  # that of the array's script
    slurm = Slurm(j70_0="waits")
    alive = read_run(tmp_path, sight=Sight(batch_system=slurm))
    assert alive.queue.there == {0, 2}
    dead = read_run(tmp_path, sight=Sight(is_alive=lambda process: False, batch_system=slurm))
    assert (dead.queue, dead.over) == (Queue(frozenset([0])), True)
    unknown = read_run(tmp_path, sight=Sight(is_alive=lambda process: False))
    assert unknown.queue == Queue(perhaps=frozenset([0]))


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"jobs": 1},
        {"jobs": [1]},
        {"jobs": [["1", 1]]},
        {"jobs": [[-1, 0]]},
        {"jobs": [[True, 0]]},
        {"jobs": [[1, 0, 0]]},
    ],
)
def test_what_no_writer_writes_is_passed_by(tmp_path: Path, facts: dict[str, object]) -> None:
    """Whatever stands there."""
    write_sweep(tmp_path)
    lines = lines_of(tmp_path)
    odd = json.loads(lines[0]) | {"event": "jobs_handed_on", "facts": facts}
    assert rewritten(tmp_path, [*lines, json.dumps(odd).encode() + b"\n"]).handed_on == ()


@pytest.mark.parametrize(
    ("command", "host", "waits"),
    [("submitit.core._submit", "", True), ("pass", "", False), ("submitit", "elsewhere", True)],
)
def test_what_a_dead_sweep_has_left_to_processes_of_this_machine(
    tmp_path: Path, command: str, host: str, waits: bool
) -> None:
    """A process of submitit's may still start the job; on another machine nobody can look."""
    run = a_run(tmp_path)
    writer._files.clear()
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_local", "planned_jobs": 1})
    write_job(run, 0, "FAILED")
    waiting = f"import time; {command!r}; print('waits', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", waiting], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # just begun it has no command line yet
    try:
        (tmp_path / ".submitit" / "1").mkdir(parents=True)
        write_handed_on(run, {0: 1})
        (tmp_path / ".submitit" / str(process.pid)).mkdir()
        if host:
            as_of(host, tmp_path)
        dead = read_run(tmp_path, sight=Sight(is_alive=lambda process: False))
    finally:
        process.kill()
        process.communicate()
    assert [job.job_num for job in dead.handed_on] == [0] * waits
    assert dead.queue.there == frozenset()


def test_what_another_launcher_has_left_nobody_starts(tmp_path: Path) -> None:
    """Joblib's workers die with the sweep; RQ's live on."""
    for launcher, left in (("joblib", []), ("rq", [0])):
        run = a_run(tmp_path / launcher)
        write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": launcher, "planned_jobs": 1})
        write_job(run, 0, "FAILED")
        write_handed_on(run, {0: 1})
        dead = read_run(run.root, sight=Sight(is_alive=lambda process: False))
        assert [job.job_num for job in dead.handed_on] == left
