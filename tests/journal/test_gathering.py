"""The files of a run's processes become one, whoever still lives, dies or reads meanwhile; the record stays what it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from journals import a_run, write_job

from hydra_callback_kit.journal import gathering, reader, writer
from hydra_callback_kit.journal.follower import RunFollower
from hydra_callback_kit.journal.gathering import WORTH_IT, gather
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.life import HERE, Found, Sight
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.writer import write_line

JOBS = WORTH_IT + 5


def here() -> Sight:
    """Nobody is asked."""
    return HERE


@pytest.fixture
def gone() -> int:
    """The id of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def run(tmp_path: Path, gone: int) -> RunIdentity:
    """A sweep of many processes, all gone but this one, which has started it; each has a file of its own."""
    writer._files.clear()
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "command": ["app.py"], "launcher": "submitit_slurm"})
    for num in range(JOBS):
        write_job(run, num, "COMPLETED" if num % 3 else "FAILED", return_value=num)
        written_by(run, num, gone)
    write_line(run, "run_ended", {"duration_s": 3.0})
    return run


def written_by(run: RunIdentity, num: int, pid: int, host: str = "") -> Path:
    """Takes the job's lines out of this process's file, as if another process had written them."""
    own = writer.journal_file(run)
    mine, theirs = [], []
    for line in own.read_text("utf-8").splitlines(keepends=True):
        (theirs if f'"job":{num},' in line else mine).append(line)
    own.write_text("".join(mine), "utf-8")
    writer._files.clear()
    process = this_process()
    text = "".join(theirs).replace(f'"pid":{process.pid},', f'"pid":{pid},')
    text = text.replace(f'"host":"{process.host}"', f'"host":"{host or process.host}"')
    file = own.with_name(f"{run.run_id}.host-{pid}-{num:04}.jsonl")
    file.write_text(text, "utf-8")
    return file


def files(run: RunIdentity) -> set[str]:
    """The names of all that lies there."""
    return {file.name for file in (run.root / ".callbacks").iterdir()}


def told(run: RunIdentity) -> RunRecord:
    """The record; which file a broken line stands in is no matter."""
    return read_run(run.root)


def test_many_files_become_one(run: RunIdentity) -> None:
    """Beside that of the process that does it, which goes on to write."""
    before = told(run)
    assert len(files(run)) == JOBS + 1
    gather(run, here)
    own, whole = sorted(files(run), key=lambda name: "gathered" in name)
    assert own == writer.journal_file(run).name
    assert whole.startswith(f"{run.run_id}.gathered-")
    assert told(run) == before
    write_line(run, "run_facts", {"more": 1})
    assert told(run).facts["more"] == 1


def test_what_was_gathered_before_is_gathered_again(run: RunIdentity, gone: int) -> None:
    """After a sweep that went on there is one file as well."""
    gather(run, here)
    for num in range(JOBS, 2 * JOBS):
        write_job(run, num, "COMPLETED")
        written_by(run, num, gone)
    before = told(run)
    gather(run, here)
    assert len(files(run)) == 2
    assert told(run) == before


def test_few_stay_as_they_are(run: RunIdentity) -> None:
    """Whoever looks at them finds a process in each."""
    for file in sorted((run.root / ".callbacks").glob("*.host-*"))[: JOBS - WORTH_IT + 1]:
        file.unlink()
    before = files(run)
    gather(run, here)
    assert files(run) == before


def test_the_files_of_the_living_and_of_those_whom_nobody_sees_stay(run: RunIdentity, gone: int) -> None:
    """They may still be written; so does what is no file of ours."""
    stay = set()
    for num, (pid, host) in enumerate([(os.getpid(), ""), (gone, "elsewhere")], start=JOBS):
        write_job(run, num, "COMPLETED")
        stay.add(written_by(run, num, pid, host).name)
    link = run.root / ".callbacks" / f"{run.run_id}.link.jsonl"
    link.symlink_to(run.root / "x.jsonl")
    (run.root / "x.jsonl").write_text("", "utf-8")
    odd = link.with_name(f"{run.run_id}.odd.jsonl")
    odd.write_text("what is this\n", "utf-8")
    before = told(run)
    gather(run, here)
    assert {*stay, link.name, odd.name} <= files(run)
    assert len(files(run)) == 6
    assert told(run) == before


@pytest.mark.parametrize(("state", "left"), [("gone", 2), ("runs", JOBS + 1)])
def test_slurm_is_asked_for_whom_nobody_sees(run: RunIdentity, gone: int, state: str, left: int) -> None:
    """Each job of it is known by its number."""

    class Asked:
        def about(self, job: str, owner: int, cluster: str | None) -> Found:
            return Found(state, 0)  # type: ignore[arg-type]  # one of the states

    for file in (run.root / ".callbacks").glob("*.host-*"):
        file.write_text(file.read_text("utf-8").replace(f'"host":"{this_process().host}"', '"host":"n1"'), "utf-8")
    gather(run, lambda: Sight(batch_system=Asked()))
    assert len(files(run)) == left


def test_a_line_that_a_killed_process_could_not_end(run: RunIdentity) -> None:
    """It is no line before, and none after; one that lacks its newline alone is one."""
    torn, whole, *_ = sorted((run.root / ".callbacks").glob("*.host-*"))
    with torn.open("ab") as file:
        file.write(b'{"v":1,"time":"2026')
    whole.write_bytes(whole.read_bytes()[:-1])
    before = told(run)
    gather(run, here)
    assert len(files(run)) == 2
    assert told(run) == before
    assert not before.broken_lines


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("when", ["fsync", "rename", "unlink"])
def test_who_dies_in_the_middle_of_it_loses_nothing(run: RunIdentity, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Whatever is there twice then counts once, and the next one who gathers clears it up."""
    before = told(run)

    def dies(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(gathering.os if when == "fsync" else Path, when, dies)
        with pytest.raises(Killed):
            gather(run, here)
    assert told(run) == before
    gather(run, here)
    assert told(run) == before
    assert len({name for name in files(run) if name.endswith(".jsonl")}) == 2


def test_a_file_that_grew_meanwhile_stays(run: RunIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was taken for gone has written more."""
    late, *_ = sorted((run.root / ".callbacks").glob("*.host-*"))
    line = (
        late.read_text("utf-8").splitlines()[-1].replace('"return_value":0', '"return_value":7').replace(":00:00", ":00:01")
    )
    rename = Path.rename

    def grows(file: Path, target: Path) -> Path:
        with late.open("a", encoding="utf-8") as journal:
            journal.write(line + "\n")
        return rename(file, target)

    monkeypatch.setattr(Path, "rename", grows)
    gather(run, here)
    assert late.name in files(run)
    assert len(files(run)) == 3


def test_where_nothing_can_be_written_all_stays(run: RunIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, say; the run has ended all the same."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = files(run)
    monkeypatch.setattr(gathering.os, "fsync", full)
    gather(run, here)
    assert files(run) == before


def in_the_middle(run: RunIdentity, monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    """Has another process gather the files after they were listed for a reader."""
    lists = getattr(module, name)

    def listed(*arguments: object) -> object:
        found = lists(*arguments)
        monkeypatch.setattr(module, name, lists)
        gather(run, here)
        return found

    monkeypatch.setattr(module, name, listed)


def test_a_reader_who_has_listed_them_before_misses_nothing(run: RunIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks for what they have become."""
    before = told(run)
    in_the_middle(run, monkeypatch, reader, "files_by_run")
    after = told(run)
    assert len(files(run)) == 2
    assert after == before


def test_who_follows_them_misses_nothing(run: RunIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether they were read before or not."""
    from hydra_callback_kit.journal import follower  # noqa: PLC0415  whose name a variable has

    before = RunFollower(run.root, run.run_id)
    before.look()
    in_the_middle(run, monkeypatch, follower, "files_of_run")
    fresh = RunFollower(run.root, run.run_id)
    fresh.look()
    assert len(files(run)) == 2
    before.look()
    assert fresh.jobs() == before.jobs()
    assert sum(map(len, fresh.jobs().values())) == JOBS
    assert all(fresh.attempts(num) == 1 for num in range(JOBS))
