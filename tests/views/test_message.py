"""What a message says of a run."""

import dataclasses
from pathlib import Path

import pytest
from journals import a_job, a_run, write_job, write_sweep

from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.views.message import MAX_BODY, MAX_LINE, fields_of, message_of
from hydra_callback_kit.views.message_template import FIELDS


def test_a_sweep_that_goes_on(tmp_path: Path) -> None:
    """The failures come first; of many some are named."""
    write_sweep(tmp_path)
    run = dataclasses.replace(read_run(tmp_path), status="RUNNING", facts={"job_name": "train"})
    failed = [(num, f"job {num} (x={num}): ValueError: {'boom' * 100}") for num in range(7)]
    message = message_of(fields_of(run, "failure", failed), len(failed))
    assert (message.title, message.kind) == ("train: 7 jobs failed", "failure")
    *named, more, so_far, directory = message.body.split("\n")
    assert len(named) == 5
    assert all(line.startswith("job ") and len(line) == MAX_LINE for line in named)
    assert more == "and 2 more"
    assert so_far.startswith("so far: 2 completed, 1 failed, 1 interrupted, after 3.0 s on ")
    assert directory == str(tmp_path)
    assert message_of(fields_of(run, "failure", failed[:1]), 1).title == "train: 1 job failed"


def test_the_end(tmp_path: Path) -> None:
    """What was stopped says by whom; the first error is the one that came first, and not a job's that was not let start."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "job_name": "a\x1b[31m"})
    not_started = {"type": "hydra_callback_kit.AbortRun", "message": "no more", "traceback": ""}
    write_job(run, 0, "FAILED", error=not_started)
    write_job(run, 1, "FAILED", error={"type": "ValueError", "message": "boom\nmore", "traceback": ""})
    write_job(run, 2, "COMPLETED", return_value={"loss": 0.5})
    write_job(run, 3, "COMPLETED", return_value={"loss": 0.25})
    write_line(run, "job_facts", {"note": "x"}, a_job(run, 2))
    write_line(run, "run_ended", {"duration_s": 3.0})
    record = read_run(tmp_path)
    message = message_of(fields_of(record, "end"), 0)
    assert message.title == "a\\x1b[31m: sweep FAILED: 2 completed, 1 failed, 1 not started"
    assert message.body.split("\n")[:3] == [
        "stopped: no more",
        "best: job 3, with loss 0.25 (min): x=3",
        "first error: job 1 (x=1): ValueError: boom",
    ]
    record.facts["aborted"] = "too many\nhave failed"
    assert message_of(fields_of(record, "abort"), 0).body.startswith("stopped: too many\nbest: ")


def test_a_template_and_its_bounds(tmp_path: Path) -> None:
    """Each field can be named; what a service would not take whole is cut."""
    write_sweep(tmp_path)
    fields = fields_of(read_run(tmp_path), "end", lost="gone")
    assert tuple(fields) == FIELDS
    body = message_of(fields, 0, "|".join(f"{{{name}}}" for name in FIELDS)).body
    assert body.split("|")[:4] == ["?", "sweep", "end", "FAILED"]
    assert body.split("|")[-1] == "gone"
    assert len(message_of(fields, 0, "{app}" * 2_000).body) == MAX_BODY


@pytest.mark.parametrize(("value", "said"), [(0.5, "result: 0.5"), ({"a": 1, "b": {"c": 2}}, "result: a 1, b.c 2")])
def test_a_single_run(tmp_path: Path, value: object, said: str) -> None:
    """Its result are the numbers that it returned."""
    run = a_run(tmp_path)._replace(mode="RUN")
    write_line(run, "run_started", {"mode": "RUN", "job_name": "train"})
    write_job(run, 0, "COMPLETED", return_value=value)
    write_line(run, "run_ended", {"duration_s": 3.0})
    message = message_of(fields_of(read_run(tmp_path), "end"), 0)
    assert (message.title, message.kind) == ("train: run COMPLETED", "success")
    assert message.body.split("\n")[0] == said
