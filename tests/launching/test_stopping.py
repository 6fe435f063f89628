"""A run is ended by what the record says of its processes, and of its jobs in Slurm."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import a_run, write_job
from slurm import FakeSlurm, slurm

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.handed_on import write_handed_on
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord, RankRecord, RunRecord
from hydra_callback_kit.journal.signalling import descendants
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.launching.stopping import Stopping

__all__ = ["slurm"]

SCANCEL = """
signal = "--signal=INT" in sys.argv
left = [line for line in read('says').splitlines() if line.split()[0] not in sys.argv or (signal and read('stubborn'))]
open({directory!r} + '/says', 'w').write('\\n'.join(left))
sys.exit(int(read('scancel_code')))
"""


@pytest.fixture
def cancelling(slurm: FakeSlurm) -> FakeSlurm:
    """A Slurm that cancels jobs."""
    squeue = (slurm.directory / "squeue").read_text().splitlines(keepends=True)
    head = "".join(squeue[:4]).replace("squeue.asked", "scancel.asked")
    (slurm.directory / "scancel").write_text(head + SCANCEL.format(directory=str(slurm.directory)))
    (slurm.directory / "scancel").chmod(0o755)
    (slurm.directory / "stubborn").write_text("")
    (slurm.directory / "scancel_code").write_text("0")
    return slurm


def a_sweep(root: Path) -> None:
    """A sweep of which two jobs run on other machines, a third has ended and a fourth waits; its own process is gone."""
    writer._files.clear()
    run = a_run(root)
    facts = {"mode": "MULTIRUN", "launcher_class": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"}
    write_line(run, "run_started", {**facts, "planned_jobs": 4})
    for number in range(3):
        write_job(run, number, "COMPLETED" if number == 2 else None)
    journal = next((root / ".callbacks").glob("*.jsonl"))
    text = journal.read_text()
    for number in range(3):
        text = text.replace(f'"job_id":"{number}"', f'"job_id":"12_{number}"')
    parts = text.splitlines(keepends=True)
    here = parts[0].split('"host":"')[1].split('"')[0]
    journal.write_text("".join([parts[0], *(line.replace(f'"host":"{here}"', '"host":"node1"') for line in parts[1:])]))
    with journal.open("a") as file:
        file.write(parts[0].replace('"event":"run_started"', '"event":"run_ended"'))
    for number in range(4):
        (root / ".submitit" / f"12_{number}").mkdir(parents=True)


def stopped(root: Path, after_s: float) -> tuple[RunRecord, list[str]]:
    """The record afterwards, and what was said."""
    said: list[str] = []
    run = Stopping(lambda: read_run(root, sight=Sight(batch_system=Slurm())), said.append, after_s).end()
    return run, said


def commands(slurm: FakeSlurm) -> list[str]:
    """What scancel was asked."""
    return (slurm.directory / "scancel.asked").read_text().splitlines()


def test_jobs_of_slurm_are_ended_by_it(tmp_path: Path, cancelling: FakeSlurm) -> None:
    """Those that wait first, before Slurm starts them in the place of others; those that run gently, and all at once."""
    a_sweep(tmp_path)
    cancelling.says("12_0 12 RUNNING 0", "12_1 13 RUNNING 0", "12_3 14 PENDING 0", "99 99 RUNNING 0")
    run, said = stopped(tmp_path, 30)
    assert commands(cancelling) == ["12_3", "--signal=INT 12_0 12_1"]
    assert said == ["Cancelled: Slurm's job 12_3.", "Interrupted: Slurm's jobs 12_0, 12_1."]
    assert run.status == "INTERRUPTED"
    assert (cancelling.directory / "says").read_text() == "99 99 RUNNING 0"


def test_jobs_that_go_on_are_cancelled(tmp_path: Path, cancelling: FakeSlurm) -> None:
    """Once the time is over; what Slurm refuses is said, with what to type."""
    a_sweep(tmp_path)
    (cancelling.directory / "stubborn").write_text("yes")
    cancelling.says("12_0 12 RUNNING 0", "12_1 13 RUNNING 0")
    run, said = stopped(tmp_path, 0.2)
    assert commands(cancelling) == ["--signal=INT 12_0 12_1", "12_0 12_1"]
    assert said[1:] == ["Cancelled: Slurm's jobs 12_0, 12_1.", "Slurm is ending what is left, which may take a while."]
    assert run.status == "INTERRUPTED"


def test_the_rest_is_told_while_the_runs_own_process_leaves(tmp_path: Path, cancelling: FakeSlurm) -> None:
    """Else Slurm would start meanwhile what waits."""
    a_sweep(tmp_path)
    cancelling.says("12_0 12 RUNNING 0", "12_3 14 PENDING 0")
    said: list[str] = []
    with a_process(STUBBORN) as (_, who):

        def read() -> RunRecord:
            run = read_run(tmp_path, sight=Sight(batch_system=Slurm()))
            run.process, run.over = who, not is_alive(who)
            run.status = run.status if run.over else "RUNNING"
            return run

        Stopping(read, said.append, 0.3).end()
    assert said == [
        f"Interrupted: the run's process (process {who.pid}).",
        "Cancelled: Slurm's job 12_3.",
        "Interrupted: Slurm's job 12_0.",
        f"Killed: the run's process (process {who.pid}).",
    ]


def test_what_ends_between_two_looks_has_ended(tmp_path: Path, cancelling: FakeSlurm) -> None:
    """The record was read, the jobs said their last word, and Slurm had none of them left when it was asked."""
    a_sweep(tmp_path)
    cancelling.says()
    looks: list[RunRecord] = []

    def read() -> RunRecord:
        looks.append(read_run(tmp_path, sight=Sight(batch_system=Slurm())))
        looks[-1].status = looks[-1].status if len(looks) > 1 else "RUNNING"
        return looks[-1]

    assert Stopping(read, lambda _: None, 30).end().status == "INTERRUPTED"


def test_what_slurm_does_not_confirm_is_said(tmp_path: Path, cancelling: FakeSlurm) -> None:
    """With what to type; it may be so all the same, as where Slurm is asked again and again."""
    a_sweep(tmp_path)
    (cancelling.directory / "scancel_code").write_text("1")
    cancelling.says("12_0 12 RUNNING 0")
    run, said = stopped(tmp_path, 30)
    typed = "scancel --signal=INT 12_0"
    assert said == [f"Slurm did not say that Slurm's job 12_0 was interrupted. If it goes on, type: {typed}"]
    assert run.status == "INTERRUPTED"


def test_a_job_that_rerun_has_submitted_is_cancelled(tmp_path: Path, cancelling: FakeSlurm) -> None:
    """It waits by the id that `rerun --sbatch` has put on record."""
    writer._files.clear()
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "planned_jobs": 1})
    write_job(run, 0, "FAILED")
    write_line(run, "run_ended", {})
    write_handed_on(run._replace(rerun=True), {0: 1}, "77", "here")
    cancelling.says("77 77 PENDING 0")
    record, said = stopped(tmp_path, 30)
    assert said == ["Cancelled: Slurm's job 77."]
    assert (record.status, record.handed_on) == ("FAILED", ())


GENTLE = """
import sys, time
try:
    print("up", flush=True)
    time.sleep(300)
except KeyboardInterrupt:
    print("gently", flush=True)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(300)
"""


@contextlib.contextmanager
def a_process(does: str) -> Iterator[tuple[subprocess.Popen[str], ProcessIdentity]]:
    """A process that is up, and who it is by the system."""
    with subprocess.Popen([sys.executable, "-c", does], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process, next(each for each in descendants([this_process()]) if each.pid == process.pid)
        finally:
            process.kill()


def a_record(root: Path, processes: dict[int, ProcessIdentity], **more: object) -> RunRecord:
    """A run of which nothing runs but these jobs."""
    jobs = tuple(
        JobRecord(number, "RUNNING" if is_alive(who) else "INTERRUPTED", host=who.host, pid=who.pid, born=who.born)
        for number, who in processes.items()
    )
    for job in jobs:
        job.ranks = more.get("ranks", ())  # type: ignore[assignment]  # a tuple of ranks
    runs = any(job.status == "RUNNING" for job in jobs)
    return RunRecord("a", root, "MULTIRUN", "RUNNING" if runs else "INTERRUPTED", jobs, over=True)


@pytest.mark.parametrize(
    ("uploaded", "does"),
    [({"to": "s3://b/a"}, "still uploads its files"), ({"to": "s3://b/a", "files": 3}, "goes on with something else")],
)
def test_what_keeps_the_runs_process_is_said(tmp_path: Path, uploaded: dict[str, object], does: str) -> None:
    """The run has ended, and its process has not."""
    said: list[str] = []
    with a_process(STUBBORN) as (_, who):

        def read() -> RunRecord:
            run = RunRecord("a", tmp_path, "RUN", "INTERRUPTED" if said else "RUNNING", (), process=who)
            run.facts = {"uploaded": uploaded}
            return run

        Stopping(read, said.append, 1.0).end()
    assert said[-1] == f"The run has ended, and its process ({who.pid}) {does}."


def test_a_job_that_comes_up_late_is_ended_gently_as_well(tmp_path: Path) -> None:
    """The first has had its time already when the second is first heard of, which has its own."""
    said: list[str] = []
    with a_process(STUBBORN) as (_, first), a_process(GENTLE) as (late, second):

        def read() -> RunRecord:
            comes = any(word.startswith("Killed") for word in said)
            return a_record(tmp_path, {0: first, 1: second} if comes or not is_alive(first) else {0: first})

        run = Stopping(read, said.append, 0.3).end()
        assert late.communicate(timeout=30)[0] == "gently\n"
    names = [f"job 0 (process {first.pid})", f"job 1 (process {second.pid})"]
    assert said == [f"Interrupted: {names[0]}.", f"Killed: {names[0]}.", f"Interrupted: {names[1]}."]
    assert run.status == "INTERRUPTED"


def test_each_rank_is_told(tmp_path: Path) -> None:
    """Those of this machine that are on record: nobody else may tell them."""
    said: list[str] = []
    with a_process(GENTLE) as (zero, first), a_process(GENTLE) as (one, second):

        def read() -> RunRecord:
            ranks = [RankRecord(0, "RUNNING", first.host, first.pid, born=first.born)]
            ranks.append(RankRecord(1, "RUNNING", second.host, second.pid, born=second.born))
            ranks.append(RankRecord(2, "RUNNING", "elsewhere", second.pid, born=second.born))
            return a_record(tmp_path, {0: first}, ranks=tuple(ranks))

        Stopping(read, said.append, 30).end()
        assert [each.communicate(timeout=30)[0] for each in (zero, one)] == ["gently\n"] * 2
    assert sorted(said) == [
        f"Interrupted: job 0 (process {first.pid}).",
        f"Interrupted: rank 1 of job 0 (process {second.pid}).",
    ]
