"""The journal: what is written is read back, in any order, repeated, torn or broken."""

import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of
from journals import a_job, a_run, lines_of, rewritten, write_job, write_sweep

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.journal import reader, writer
from hydra_callback_kit.journal.format import MAX_LINE, JournalNotFoundError
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import attempts_at, facts_in
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.reader import last_run_id, read_journal, read_run, read_runs, run_ids
from hydra_callback_kit.journal.values import Cut
from hydra_callback_kit.journal.writer import write_line


def test_a_sweep_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Statuses, values, errors, attempts, facts and directories."""
    write_sweep(tmp_path)
    run = read_run(tmp_path)
    assert (run.mode, run.status, run.duration_s, run.facts["command"]) == ("MULTIRUN", "FAILED", 3.0, ["app.py"])
    assert [(job.job_num, job.status, job.attempts) for job in run.jobs] == [
        (0, "COMPLETED", 1),
        (1, "FAILED", 1),
        (2, "INTERRUPTED", 1),
        (3, "COMPLETED", 2),
    ]
    first, second, third, last = run.jobs
    assert first.return_value != first.return_value
    assert first.facts == {"cpu_s": 1.5}
    assert second.error is not None
    assert second.error.headline == "ValueError: boom"
    assert (third.ended_at, third.duration_s) == (None, None)
    assert (last.return_value, last.overrides, last.output_dir) == ({"a": 1}, {"x": 3}, tmp_path / "3")
    assert (last.host, last.pid) == (this_process().host, os.getpid())
    assert not run.broken_lines


@pytest.mark.parametrize("line", [b"{}", b"[]", b'"x"', b"nonsense", b'{"v":99}', b"\xff\xfe", b"[" * 100_000])
def test_a_broken_line_is_named_and_the_rest_is_read(tmp_path: Path, line: bytes) -> None:
    """Whatever stands there."""
    write_sweep(tmp_path)
    run = rewritten(tmp_path, [line + b"\n", *lines_of(tmp_path)])
    (broken,) = run.broken_lines
    assert broken.line_number == 1
    assert len(run.jobs) == 4


def test_a_newer_schema_is_named(tmp_path: Path) -> None:
    """Lines of a later release are not misread."""
    write_sweep(tmp_path)
    newer = json.dumps({**json.loads(lines_of(tmp_path)[0]), "v": 2}).encode() + b"\n"
    assert "schema version 2" in rewritten(tmp_path, [*lines_of(tmp_path), newer]).broken_lines[0].reason


def test_a_job_runs_while_its_process_lives(tmp_path: Path) -> None:
    """Without an end: RUNNING while the process is there or cannot be seen, INTERRUPTED once it is gone or the run ended."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN"})
    write_job(run, 0, None)
    for alive, status in ((True, "RUNNING"), (None, "RUNNING"), (False, "INTERRUPTED")):
        record = read_run(tmp_path, sight=Sight(is_alive=lambda process, alive=alive: alive))
        assert (record.jobs[0].status, record.status) == (status, status)
    known = read_run(tmp_path, sight=Sight(is_alive=lambda process: True), has_ended=True)  # as the run's own process knows
    assert (known.jobs[0].status, known.status) == ("INTERRUPTED", "INTERRUPTED")
    write_line(run, "run_ended", {})
    assert read_run(tmp_path, sight=Sight(is_alive=lambda process: True)).jobs[0].status == "INTERRUPTED"


def test_a_run_whose_process_cannot_be_seen_is_what_its_jobs_are(tmp_path: Path) -> None:
    """Once all that were planned have ended, in a pod that is no more, say, or by `rerun`; until then it may still run."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "planned_jobs": 2})

    def seen(alive: bool | None) -> str:
        return read_run(tmp_path, sight=Sight(is_alive=lambda process: alive)).status

    assert [seen(None), seen(True), seen(False)] == ["RUNNING", "RUNNING", "INTERRUPTED"]
    write_job(run, 0, "FAILED")
    assert [seen(None), seen(True), seen(False)] == ["RUNNING", "RUNNING", "INTERRUPTED"]
    write_job(run, 1, "COMPLETED")
    assert [seen(None), seen(True), seen(False)] == ["FAILED", "RUNNING", "FAILED"]
    write_job(run, 0, "COMPLETED", attempt="2")
    assert [seen(None), seen(True), seen(False)] == ["COMPLETED", "RUNNING", "COMPLETED"]


def test_a_run_in_which_no_job_ran_is_not_complete(tmp_path: Path) -> None:
    """Its end is on record all the same: Ctrl-C, or an app that could not set up its log."""
    run = RunIdentity("20260101T000000-aa", tmp_path, "RUN")
    write_line(run, "run_started", {"mode": "RUN"})
    write_line(run, "run_ended", {})
    assert read_run(tmp_path).status == "INTERRUPTED"


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, or one that has just vanished."""
    write_sweep(tmp_path)
    gone = tmp_path / ".callbacks" / "20260101T000000-aa.other-1-ab.jsonl"
    gone.symlink_to("nowhere")
    monkeypatch.setattr(reader, "files_by_run", lambda root: {"20260101T000000-aa": sorted((root / ".callbacks").iterdir())})
    run = read_run(tmp_path)
    assert [(line.file, line.reason) for line in run.broken_lines] == [(gone, "No such file or directory")]
    assert len(run.jobs) == 4


def test_several_runs_of_a_directory_stay_apart(tmp_path: Path) -> None:
    """The latest is read unless another is named; none is lost."""
    write_sweep(tmp_path)
    later = a_run(tmp_path, "20260202T000000-bb")
    write_job(later, 7, "COMPLETED")
    assert [job.job_num for job in read_run(tmp_path).jobs] == [7]
    assert len(read_run(tmp_path, "20260101T000000-aa").jobs) == 4
    assert [run.run_id for run in read_runs(tmp_path)] == ["20260101T000000-aa", "20260202T000000-bb"]


def test_a_list_needs_less_of_a_journal(tmp_path: Path) -> None:
    """Lines that add what is left out are not parsed; what is left of the record is the same, and a broken line is named."""
    run = write_sweep(tmp_path)
    for num in range(3):
        write_line(run, "job_facts", {"config": {"x": num}, "config_as_written": ["x"]}, a_job(run, num))
    write_line(run, "job_facts", {"params": 7, "config": {"x": 0}}, a_job(run, 0))
    write_line(run, "run_facts", {"files": {"results.json": "1:2"}})
    without = ("config", "config_as_written", "files")
    (whole,), (part,) = read_runs(tmp_path), read_runs(tmp_path, without=without)
    assert [job.facts for job in part.jobs] == [
        {name: fact for name, fact in job.facts.items() if name not in without} for job in whole.jobs
    ]
    assert part.jobs[0].facts["params"] == 7
    for job in (*whole.jobs, *part.jobs):
        job.facts.clear()
        job.return_value = None  # one is NaN, which is unlike itself
    assert part == whole
    (file,) = (tmp_path / ".callbacks").iterdir()
    line = next(each for each in file.read_bytes().splitlines() if b'"facts":{"config"' in each)
    file.write_bytes(file.read_bytes() + line.replace(b'"facts"', b'"fac\n"', 1) + b"\n")
    assert len(read_journal(tmp_path, without=without).broken_lines) == 2


def test_older_runs_of_a_directory_are_left_out(tmp_path: Path) -> None:
    """By the names of their files, which are not read."""
    write_sweep(tmp_path)
    write_job(a_run(tmp_path, "20260202T000000-bb"), 7, "COMPLETED")
    (older,) = (tmp_path / ".callbacks").glob("20260101T*.jsonl")
    older.write_bytes(b"no line\n")
    assert [run.run_id for run in read_runs(tmp_path, since="20260201T")] == ["20260202T000000-bb"]
    assert not read_journal(tmp_path, since="20260201T").broken_lines


def test_a_directory_without_a_journal(tmp_path: Path) -> None:
    """The error says which directory was looked into, and what for."""
    with pytest.raises(JournalNotFoundError, match=r"\.callbacks") as caught:
        read_run(tmp_path)
    assert caught.value.root == tmp_path
    assert read_runs(tmp_path) == []
    write_sweep(tmp_path)
    with pytest.raises(JournalNotFoundError, match="20260101T000000-aa") as caught:
        read_run(tmp_path, "unknown")
    assert caught.value.known == ("20260101T000000-aa",)


def test_a_write_cut_short_does_not_swallow_the_next_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full in the middle of a line: the error is logged once, and that line is written with the next one."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {})
    real_write = os.write
    monkeypatch.setattr(writer.os, "write", lambda descriptor, data: real_write(descriptor, data[:20]))
    write_job(run, 0, None)
    monkeypatch.undo()
    write_job(run, 1, "COMPLETED")
    assert [job.job_num for job in read_run(tmp_path).jobs] == [0, 1]


@pytest.mark.parametrize("how", ["emptied", "removed", "directory removed"])
def test_what_vanishes_is_written_again(tmp_path: Path, how: str) -> None:
    """An app that clears its output directory does not clear the record of the run that is going on."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN"})
    write_job(run, 0, "COMPLETED")
    file = writer.journal_file(run)
    if how == "emptied":
        file.write_bytes(b"")
    elif how == "removed":
        file.unlink()
    else:
        shutil.rmtree(tmp_path / ".callbacks")
    write_job(run, 1, "COMPLETED")
    assert [(job.job_num, job.status) for job in read_run(tmp_path).jobs] == [(0, "COMPLETED"), (1, "COMPLETED")]
    assert len(file.read_bytes().splitlines()) == 5


def test_what_could_not_be_written_is_written_as_the_process_ends(tmp_path: Path) -> None:
    """The disk was full at the last line, and has room again when the process ends."""
    code = """
import os, sys
from pathlib import Path
from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.identity import RunIdentity
run = RunIdentity("20260101T000000-aa", Path(sys.argv[1]), "RUN")
writer.write_line(run, "run_started", {"mode": "RUN"})
real, writer.os.write = os.write, lambda descriptor, data: 0
writer.write_line(run, "run_ended", {"duration_s": 1.0})
writer.os.write = real
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True)
    assert read_run(tmp_path).duration_s == 1.0


def test_a_directory_that_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One error with the path and what to do, however many lines are lost; nothing is raised."""
    (tmp_path / ".callbacks").write_text("a file stands in the way")
    write_sweep(tmp_path)
    (message,) = [record.getMessage() for record in caplog.records]
    assert str(tmp_path) in message
    assert "The job is not affected" in message


def test_many_processes_lose_no_line(tmp_path: Path) -> None:
    """Eight processes write at once; each has a file of its own."""
    code = f"""
from pathlib import Path
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.writer import write_line
for number in range(200):
    write_line(RunIdentity("20260101T000000-aa", Path({str(tmp_path)!r}), "MULTIRUN"), "run_facts", {{str(number): number}})
"""
    writers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(8)]
    assert [process.wait(60) for process in writers] == [0] * 8
    assert len(list((tmp_path / ".callbacks").iterdir())) == 8
    assert len(lines_of(tmp_path)) == 1600
    assert not read_run(tmp_path).broken_lines


@pytest.mark.parametrize("order", [("1", "2", "3"), ("3", "1", "2")])
def test_the_last_attempt_counts_whatever_the_clocks_say(tmp_path: Path, order: tuple[str, ...]) -> None:
    """An attempt that follows others has a number; the clock of its machine may be behind, and a line may be damaged."""
    writer._files.clear()
    run = a_run(tmp_path)
    for attempt in order:
        job = a_job(run, 0, attempt)
        number = {} if attempt == "1" else {"attempt_number": int(attempt)}
        write_line(run, "job_started", number, job)
        write_line(run, "job_ended", {"status": "COMPLETED" if attempt == "3" else "FAILED", "return_value": attempt}, job)
    (record,) = read_run(tmp_path).jobs
    assert (record.status, record.return_value, record.attempts) == ("COMPLETED", "3", 3)
    assert attempts_at(tmp_path, run.run_id, 0) == 3
    assert attempts_at(tmp_path, run.run_id, 1) == 0
    for damaged in (-1, 10**30, True, "4", None, 1.5):
        write_line(run, "job_started", {"attempt_number": damaged}, a_job(run, 0, "odd"))
        assert read_run(tmp_path).jobs[0].return_value == "3"


def test_what_is_no_file_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """A pipe, a directory and a link that leads nowhere, by names of journals: nobody waits, and nothing is lost."""
    run = write_sweep(tmp_path)
    journal = tmp_path / ".callbacks"
    os.mkfifo(journal / f"{run.run_id}.pipe.jsonl")
    (journal / f"{run.run_id}.directory.jsonl").mkdir()
    (journal / f"{run.run_id}.link.jsonl").symlink_to("nowhere")
    os.mkfifo(journal / "another.jsonl")
    record = read_run(tmp_path, run.run_id)
    assert len(record.jobs) == 4
    assert {(line.file.name.split(".")[1], line.reason) for line in record.broken_lines} == {
        ("pipe", "not a regular file"),
        ("directory", "not a regular file"),
        ("link", "No such file or directory"),
        ("jsonl", "not a regular file"),
    }
    assert len(read_journal(tmp_path).broken_lines) == 4
    assert list(facts_in(tmp_path, "command")) == [["app.py"]]


def test_a_line_has_a_bound_that_the_writer_keeps(tmp_path: Path) -> None:
    """A line without an end is never held whole; it is one broken line, and those before and after it count."""
    run = write_sweep(tmp_path)
    (file,) = (tmp_path / ".callbacks").iterdir()
    whole = file.read_bytes()
    with file.open("ab") as opened:
        opened.truncate(len(whole) + 8 * MAX_LINE)  # with a hole, which takes no room on the disk
        opened.write(whole.splitlines(keepends=True)[1] + whole)
    tracemalloc.start()
    record = read_run(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MAX_LINE
    assert [(line.line_number, line.reason.partition(",")[0]) for line in record.broken_lines] == [
        (len(whole.splitlines()) + 1, f"longer than {MAX_LINE} bytes")
    ]
    assert len(record.jobs) == 4

    long = {str(num) + "😀" * 9_000: 1 for num in range(300)}
    write_line(run, "job_facts", {"long": long, "short": 1}, a_job(run, 2))
    assert max(map(len, file.read_bytes().splitlines()[-1:])) < MAX_LINE
    facts = read_run(tmp_path).jobs[2].facts
    assert facts["short"] == 1
    assert isinstance(facts["long"], Cut)


def test_a_line_that_was_torn_and_written_again_is_none_that_is_lost(tmp_path: Path) -> None:
    """Where the disk was full for a moment the line stands there twice, the first time half; any other half is broken."""
    write_sweep(tmp_path)
    lines = lines_of(tmp_path)
    again = [*lines[:3], lines[3][:40] + b"\n", *lines[3:]]
    assert not rewritten(tmp_path, again).broken_lines
    assert [line.line_number for line in rewritten(tmp_path, [*again, lines[3][:40] + b"\n", lines[2]]).broken_lines] == [
        len(again) + 1
    ]


def test_a_number_too_long_for_python_in_the_place_of_a_text(tmp_path: Path) -> None:
    """It has no digits that may be written, and is shown as it stands."""
    run = a_run(tmp_path)
    huge = {"repr": "0x" + "f" * 6_000, "type": "int"}
    for facts in ({"overrides": [huge], "error": {"type": huge, "message": [huge]}}, {"overrides": [huge, 1], "x": huge}):
        write_line(run, "job_facts", {}, a_job(run, 0), encoded=facts)
    job = read_run(tmp_path).jobs[0]
    assert all("0xfff" in text for text in (job.task_overrides[0], job.error.type, job.error.message))


def test_a_job_that_adds_facts_in_a_loop_is_read_in_a_moment(tmp_path: Path) -> None:
    """A line more takes no longer than the one before: no line is looked at again for it."""
    run, job = a_run(tmp_path), a_job(a_run(tmp_path), 0)
    writer._files.clear()
    for epoch in range(300):
        write_line(run, "job_facts", {"epoch": epoch, "loss": 1 / (epoch + 1)}, job)
        write_line(run, "job_started", {"attempt_number": epoch + 1}, a_job(run, 1, str(epoch)))
    looked_at = 0

    def counted(*_: object) -> None:
        nonlocal looked_at
        looked_at += 1

    sys.setprofile(counted)
    try:
        record = read_run(tmp_path)
    finally:
        sys.setprofile(None)
    assert record.jobs[0].facts == {"epoch": 299, "loss": 1 / 300}
    assert record.jobs[1].attempts == 300
    assert looked_at < 600 * 150  # as many for each of the lines


@pytest.mark.parametrize(
    "how", ["pipe", "directory", "empty", "torn", "empty and later", "torn and later", "copied", "merged"]
)
def test_a_file_that_lies_beside_the_journal_hides_no_run(tmp_path: Path, how: str) -> None:
    """A run is there because a line says so, not a file's name; what cannot be read is named."""
    run = write_sweep(tmp_path)
    journal = tmp_path / ".callbacks"
    (own,) = journal.iterdir()
    if how == "pipe":
        os.mkfifo(journal / "z.jsonl")
    elif how == "directory":
        (journal / "z.jsonl").mkdir()
    elif how in ("copied", "merged"):
        shutil.copy(own, journal / "zz-backup.jsonl")
        if how == "merged":
            own.unlink()
    else:
        name = "29990101T000000000000-aa.x-1-2.jsonl" if how.endswith("later") else "z.jsonl"
        (journal / name).write_text("x" if how.startswith("torn") else "")
    for record in (read_run(tmp_path), read_run(tmp_path, run.run_id), read_runs(tmp_path)[0]):
        assert (record.run_id, len(record.jobs), record.count("COMPLETED")) == (run.run_id, 4, 2)
    assert run.run_id in run_ids(tmp_path)
    assert len(read_run(tmp_path).broken_lines) == (how in ("pipe", "directory"))


def test_the_run_that_started_last_is_the_latest_whatever_the_clocks_say(tmp_path: Path) -> None:
    """The one before it ran on a machine whose clock is ahead; a name that no clock gives is left alone."""
    write_line(a_run(tmp_path, "29990101T000000123456-aa"), "run_started", {"mode": "RUN"})
    config = config_of(tmp_path)
    run = identify_run(config)
    assert run.run_id.startswith("29990101T000000123457-")
    write_line(run, "run_started", {"mode": "RUN"})
    assert read_run(tmp_path).run_id == run.run_id
    (tmp_path / ".callbacks" / "29990101T999999999999-aa.x-1-2.jsonl").touch()
    assert identify_run(config_of(tmp_path)).run_id < "2999"


def test_a_secret_that_is_given_again_counts_as_the_one_before(tmp_path: Path) -> None:
    """Each run has numbers of its own, and a rerun is another run; nothing that is grouped by overrides falls apart."""
    writer._files.clear()
    run = a_run(tmp_path)
    for attempt, number, facts in (("1", 11111, {}), ("2", 22222, {"rerun": True, "attempt_number": 2})):
        overrides = [f"+db.password=<redacted {number}>", f"x={attempt}", "token=open"]
        write_line(run, "job_started", {"overrides": overrides, **facts}, a_job(run, 0, attempt))
    assert read_run(tmp_path).jobs[0].task_overrides == ("+db.password=<redacted 11111>", "x=2", "token=open")


def test_a_job_that_was_run_again_keeps_its_first_id(tmp_path: Path) -> None:
    """Under the name that it has now, and beside it the one that it had first."""
    run = a_run(tmp_path)
    for attempt, job_id in enumerate(("123_0", "123_0", "140"), start=1):
        write_line(run, "job_started", {"job_id": job_id, "attempt_number": attempt}, a_job(run, 0, str(attempt)))
    write_line(run, "job_started", {"job_id": "123_1"}, a_job(run, 1))
    again, once = read_run(tmp_path).jobs
    assert (again.job_id, again.first_job_id, again.attempts) == ("140", "123_0", 3)
    assert (once.job_id, once.first_job_id) == ("123_1", None)


@pytest.mark.parametrize("batch", [None, {"system": "slurm", "job": "46"}, {"system": "slurm"}, "46", {"job": "46"}])
def test_what_rerun_has_submitted_is_called_as_slurm_calls_it(tmp_path: Path, batch: Any) -> None:
    """And where it was run again elsewhere, as `rerun` calls it."""
    run = a_run(tmp_path)
    write_line(run, "job_started", {"job_id": "45_0", "batch": {"system": "slurm", "job": "45"}}, a_job(run, 0, "1"))
    called = {"job_id": "20260101T000000000000-aabbccdd_0", "rerun": True, "attempt_number": 2, "batch": batch}
    write_line(run, "job_started", called, a_job(run, 0, "2"))
    (job,) = read_run(tmp_path).jobs
    is_slurms = isinstance(batch, dict) and len(batch) > 1
    assert (job.job_id, job.first_job_id) == ("46" if is_slurms else called["job_id"], "45_0")


@pytest.mark.parametrize(
    "launched", [{"x": []}, {"-1": []}, {"1": "x=1"}, {"9" * 40: []}, [], "1", None, {"7": [{"a": 1}, 2, None]}]
)
def test_what_is_no_list_of_launched_jobs_is_passed_by(tmp_path: Path, launched: object) -> None:
    """Whatever stands there, the rest is read."""
    run = write_sweep(tmp_path)
    write_line(run, "jobs_launched", {}, encoded={"launched": launched})
    read = read_run(tmp_path)
    assert {num: read.launched[num] for num in range(4)} == {num: (f"x={num}",) for num in range(4)}
    assert all(type(word) is str for words in read.launched.values() for word in words)
    assert len(read.jobs) == 4


def test_of_what_was_launched_twice_the_last_word_counts(tmp_path: Path) -> None:
    """In any order of the lines."""
    run = a_run(tmp_path)
    for word in ("a", "b"):
        write_line(run, "jobs_launched", {"launched": {"5": [f"x={word}"], "04": []}})
    lines = lines_of(tmp_path)
    for order in (lines, lines[::-1], lines * 2):
        assert rewritten(tmp_path, order).launched == {4: (), 5: ("x=b",)}


def test_a_job_that_the_launcher_is_done_with_is_in_no_queue(tmp_path: Path) -> None:
    """Of one that was lost without a line nothing else says so; one that is launched once more may be queued again."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "rq", "planned_jobs": 2})
    write_job(run, 0, "COMPLETED")
    write_line(run, "jobs_launched", {"launched": {"0": ["x=0"], "1": ["x=1"]}, "elsewhere": True})
    write_line(run, "run_ended", {"duration_s": 3.0})
    assert (read_run(tmp_path).status, read_run(tmp_path).queue.perhaps) == ("RUNNING", {1})
    write_line(run, "jobs_returned", {"returned": [0, 1, "2", None]})
    assert (read_run(tmp_path).status, read_run(tmp_path).queue.perhaps) == ("INTERRUPTED", set())
    write_line(run, "jobs_launched", {"launched": {"1": ["x=1"]}, "elsewhere": True})
    assert read_run(tmp_path).queue.perhaps == {1}


def test_the_attempts_before_the_last_are_on_record(tmp_path: Path) -> None:
    """In their order, whatever the order of the lines: how each ended, and why."""
    run = write_sweep(tmp_path)
    write_job(
        run, 3, "FAILED", attempt="3", error={"type": "OSError", "message": "no", "traceback": "", "bases": ["Exception"]}
    )
    write_job(run, 3, None, attempt="4")
    write_job(run, 3, "COMPLETED", attempt="5")
    for lines in (lines_of(tmp_path), lines_of(tmp_path)[::-1]):
        job = rewritten(tmp_path, lines).jobs[3]
        assert [attempt.status for attempt in job.earlier] == ["FAILED", "COMPLETED", "FAILED", "INTERRUPTED"]
        assert job.earlier[2].error == ("OSError", "no", "", ("Exception",))
        assert job.earlier[2].task_overrides == ("x=3",)
        assert rewritten(tmp_path, lines).jobs[0].earlier == ()


def test_runs_since_one_are_read_as_they_stand(tmp_path: Path) -> None:
    """That one included; who asks says how processes are looked at, and facts that are left out are in none of them."""
    writer._files.clear()
    assert (last_run_id(tmp_path), run_ids(tmp_path), read_runs(tmp_path)) == ("", [], [])
    names = [f"2026010{day}T000000000000-aa" for day in (1, 2, 3)]
    for name in names:
        run = a_run(tmp_path, name)
        write_line(run, "run_started", {"mode": "MULTIRUN", "large": name})
        write_line(run, "job_started", {"large": name, "small": 1}, a_job(run, 0))
    assert (last_run_id(tmp_path), run_ids(tmp_path)) == (names[2], names)
    nobody = Sight(is_alive=lambda process: False)
    read = read_runs(tmp_path, since=names[1], sight=nobody, without=["large"])
    assert [(run.run_id, run.status, run.root) for run in read] == [(name, "INTERRUPTED", tmp_path) for name in names[1:]]
    assert [run.jobs[0].facts for run in read] == [{"small": 1}] * 2
    assert all("large" not in run.facts for run in read)
    assert {run.status for run in read_runs(tmp_path)} == {"RUNNING"}
    (tmp_path / ".callbacks").rename(tmp_path / "moved")
    (tmp_path / ".callbacks").touch()
    assert last_run_id(tmp_path) == ""
