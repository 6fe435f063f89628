"""Why Slurm has ended a job: its accounting, imitated by a script, and its words in a log."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_callback_kit.journal.batch_reason import reasons, said_in

TABLE = """JobID|State
12_0|TIMEOUT
12_1|CANCELLED by 1000
12_1.batch|CANCELLED
13|OUT_OF_MEMORY
14|FAILED
15
"""


@pytest.fixture
def sacct(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A script in its place, which notes how it was called and prints a table; returns the note."""
    script = tmp_path / "bin" / "sacct"
    script.parent.mkdir()
    (tmp_path / "table").write_text(TABLE, "utf-8")
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat {tmp_path}/table\n', "utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return tmp_path / "asked"


def test_one_call_tells_why_jobs_ended(sacct: Path) -> None:
    """Only states that say why; what is no id, and might be an option, is not asked for."""
    found = reasons(["12_0", "12_1", "13", "14", "99", "--help", "1;reboot"], "ci")
    assert found == {"12_0": "TIMEOUT", "12_1": "CANCELLED by 1000", "13": "OUT_OF_MEMORY"}
    assert sacct.read_text("utf-8") == "-X -P --clusters=ci -o JobID,State -j 12_0,12_1,13,14,99\n"


def test_nobody_is_asked_for_nothing(sacct: Path) -> None:
    """No job, and a name that is no cluster's."""
    assert reasons([], None) == reasons(["x"], None) == reasons(["12"], "a b") == {}
    assert not sacct.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    table=st.text(st.sampled_from("JobIDState|\n12_ TIMEOUT\udcff\x00"), max_size=60) | st.sampled_from(["", "JobID|State"])
)
def test_whatever_it_prints_breaks_nothing(sacct: Path, table: str) -> None:
    """Half a table, another one, none."""
    (sacct.parent / "table").write_text(table, "utf-8", "surrogateescape")
    assert set(reasons(["12"], None)) <= {"12"}


def test_without_it_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sacct: Path) -> None:
    """It is not there, or it fails."""
    script = sacct.parent / "bin" / "sacct"
    script.write_text("#!/bin/sh\necho 'JobID|State'; echo '12|TIMEOUT'; exit 1\n", "utf-8")
    assert reasons(["12"], None) == {}
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert reasons(["12"], None) == {}


@pytest.mark.parametrize(
    "line",
    [
        "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-26T07:38:10 DUE TO TIME LIMIT ***",
        "slurmstepd-n2: error: *** STEP 6.0 ON n2 CANCELLED AT 2026-11-26T07:38:10 ***",
        "slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the step tasks have been OOM Killed.",
        "srun: error: n1: task 0: Out Of Memory",
    ],
)
def test_what_slurm_wrote_is_quoted(tmp_path: Path, line: str) -> None:
    """The last line of its own, also where much more stands in front; what the job itself wrote is no word of Slurm's."""
    log = tmp_path / "log"
    log.write_text(
        "x" * 100_000 + f"\ntorch.cuda.OutOfMemoryError: out of memory\n{line}\nsrun: Job step aborted\n", "utf-8"
    )
    assert said_in(log, None) == line


def test_of_an_earlier_start_nothing_is_quoted(tmp_path: Path) -> None:
    """A job that is started again appends to its log."""
    log = tmp_path / "log"
    log.write_text("slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-26T07:38:10 ***\n", "utf-8")
    cancelled = datetime(2026, 11, 26, 7, 38, 10).astimezone()
    assert said_in(log, cancelled - timedelta(minutes=9)) != ""
    assert said_in(log, cancelled + timedelta(minutes=9)) == ""
    assert said_in(tmp_path, None) == said_in(tmp_path / "none", None) == ""
