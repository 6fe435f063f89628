"""The end of a job's log on its page: bounded, printable, and without the secrets that are known."""

from pathlib import Path

import pytest
from intruders import INTRUDERS

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.report.log_tail import MAX_BYTES, MAX_LINES, log_tail


def a_job(root: Path, log: bytes | None = None, config: str = "x: 1\n") -> JobRecord:
    """A job whose directory is `root`."""
    (root / ".hydra").mkdir()
    (root / ".hydra" / "config.yaml").write_text(config, "utf-8")
    (root / ".hydra" / "hydra.yaml").write_text("hydra: {job: {name: app}}\n", "utf-8")
    if log is not None:
        (root / "app.log").write_bytes(log)
    return JobRecord(0, "COMPLETED", job_name="app", root=root, subdir=".")


def test_a_short_log_is_shown_as_a_whole(tmp_path: Path) -> None:
    """Control characters are spelled out, and what is no UTF-8 is marked."""
    found = log_tail(a_job(tmp_path, b"one\r\ntwo \x1b[31m\xff\n\n"))
    assert found is not None
    assert (found.name, found.text, found.cut, found.why_not) == ("app.log", "one\ntwo \\x1b[31m\ufffd", False, "")


@pytest.mark.parametrize(
    ("line", "count"), [(b"short\n", MAX_LINES + 1), (b"x" * 1000 + b"\n", 90), (b"x" * 999 + b"\n", 10**4)]
)
def test_of_a_long_log_the_end_is_shown(tmp_path: Path, line: bytes, count: int) -> None:
    """Whole lines, and so many of them at most; the page says so."""
    found = log_tail(a_job(tmp_path, line * count + b"last\n"))
    assert found is not None
    lines = found.text.split("\n")
    assert lines[-1] == "last"
    assert set(lines[:-1]) == {line.decode("ascii").strip()}
    assert len(lines) <= MAX_LINES
    assert len(found.text) <= MAX_BYTES
    assert found.cut


def test_no_secret_that_is_known_is_shown(tmp_path: Path) -> None:
    """Neither what the run's redaction knows nor what Hydra has saved; other words may make a key secret."""
    log = b"connects with hunter-two, by swordfish\n"
    job = a_job(tmp_path, log, "db: {password: hunter-two}\npin: swordfish\n")
    found = log_tail(job)
    assert found is not None
    assert "hunter-two" not in found.text
    assert "swordfish" in found.text
    found = log_tail(job, secret_keys=["pin"])
    assert found is not None
    assert "swordfish" not in found.text
    redaction = Redaction()
    redaction.learn(["connects"])
    found = log_tail(job, redaction)
    assert found is not None
    assert "connects" not in found.text


def test_where_nobody_knows_what_is_secret_nothing_is_shown(tmp_path: Path) -> None:
    """The page says why."""
    found = log_tail(a_job(tmp_path, b"hunter-two\n", "db: [password\n"))
    assert found is not None
    assert found.text == ""
    assert "Nobody knows what is secret in it" in found.why_not


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_nothing_but_a_file_is_read(tmp_path: Path, intruder: str) -> None:
    """A pipe keeps nobody waiting."""
    job = a_job(tmp_path)
    INTRUDERS[intruder](tmp_path / "app.log")
    found = log_tail(job)
    assert found is None or found.text == "" or (tmp_path / "app.log").is_file()


def test_a_log_by_another_name(tmp_path: Path) -> None:
    """The one that was written last; none where there is none, or it is empty."""
    job = a_job(tmp_path)
    assert log_tail(job) is None
    (tmp_path / "mine.log").write_bytes(b"here\n")
    found = log_tail(job)
    assert found is not None
    assert (found.name, found.text) == ("mine.log", "here")
    (tmp_path / "app.log").write_bytes(b"\n")
    assert log_tail(job) is None
    assert log_tail(JobRecord(0, "COMPLETED")) is None
