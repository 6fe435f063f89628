"""`attach`, where there is no output to follow, or nobody who could say how it ended."""

from pathlib import Path

import pytest
from journals import a_run, write_job
from terminal import cli

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.output_file import exit_code_file
from hydra_callback_kit.journal.writer import write_line

TEXT = "".join(f"line {number}\n" for number in range(30))


def a_detached_run(root: Path) -> RunIdentity:
    """A sweep of one job whose output is there; its process is this one, and lives."""
    writer._files.clear()
    run = a_run(root)
    write_line(run, "run_started", {"mode": "MULTIRUN", "planned_jobs": 1, "detached": {"output": "detached.log"}})
    (root / "detached.log").write_text(TEXT)
    return run


@pytest.mark.parametrize(("status", "code"), [("COMPLETED", 0), ("FAILED", 1), ("INTERRUPTED", 130)])
def test_without_an_exit_code_the_record_tells(tmp_path: Path, status: str, code: int) -> None:
    """Its whole session was killed, or the disk was full."""
    run = a_detached_run(tmp_path)
    write_job(run, 0, status)
    write_line(run, "run_ended", {})
    said = cli("attach", tmp_path, "--lines", "2")
    assert (said.code, said.out) == (code, "line 28\nline 29\n")
    assert said.err == f"It has ended without an exit code: 1 {status.lower()} in {tmp_path}\n"


def test_a_sweep_that_goes_on_with_a_terminal_has_no_output_here(tmp_path: Path) -> None:
    """The exit code is that of the process that was detached before."""
    a_detached_run(tmp_path)
    exit_code_file(tmp_path / "detached.log").write_text("130\n")
    said = cli("attach", tmp_path)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"Error: The run in {tmp_path} was not detached: its output is where it was started.")


def test_an_output_that_is_gone_is_said(tmp_path: Path) -> None:
    """Somebody has removed the file."""
    a_detached_run(tmp_path)
    (tmp_path / "detached.log").unlink()
    assert cli("attach", tmp_path).err == (
        f"Error: The output of the run in {tmp_path} is gone: there is no detached.log.\n"
    )
