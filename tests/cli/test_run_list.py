"""`show` of a folder: which runs are listed, in which order, with which columns; and the same options of a single run."""

import contextlib
import os
import pty
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal import COMMAND, cli, environment

from hydra_callback_kit.cli.since import since
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.writer import write_line

NOW = datetime.now(timezone.utc)


def write(root: Path, ago: timedelta, jobs: list[tuple[list[str], Any]], *, ended: bool = True) -> None:
    """A run that was started so long ago, whose jobs have these overrides and returned this; None for one that failed."""
    at = NOW - ago
    run = RunIdentity(f"{at:%Y%m%dT%H%M%S%f}-0000abcd", root, "MULTIRUN")
    started = {"mode": "MULTIRUN" if len(jobs) > 1 else "RUN", "job_name": "app", "planned_jobs": len(jobs)}
    write_line(run, "run_started", started)
    for num, (overrides, returned) in enumerate(jobs):
        job = JobIdentity(run, num, str(num), os.getpid(), str(num), "app", tuple(overrides), root / str(num))
        write_line(run, "job_started", {"overrides": overrides, "output_dir": str(num)}, job)
        end = {"status": "COMPLETED", "return_value": returned} if returned is not None else {"status": "FAILED"}
        write_line(run, "job_ended", end, job)
    if ended:
        write_line(run, "run_ended", {"duration_s": 3.0})
    file = next((root / ".callbacks").glob(f"{run.run_id}.*"))
    text = file.read_text("ascii")  # the writer's clock says now
    for line in text.splitlines():
        text = text.replace(line[7:47], f'"time":"{at.isoformat(timespec="microseconds")}"'[:40], 1)
    file.write_text(text, "ascii")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four runs: an old one, a sweep, one that failed, one that still runs."""
    write(tmp_path / "a-old", timedelta(days=20), [(["model=mlp"], {"accuracy": 0.97, "loss": 0.1})])
    sweep = [(["model=cnn", f"lr=0.{num}"], {"accuracy": 0.5 + num / 10, "loss": 1 / num}) for num in (1, 2, 3)]
    write(tmp_path / "b-sweep", timedelta(hours=30), sweep)
    write(tmp_path / "deep" / "c-failed", timedelta(hours=3), [(["model=cnn"], None)])
    write(tmp_path / "d-runs", timedelta(minutes=5), [(["model=rnn"], {"accuracy": 0.6})], ended=False)
    return tmp_path


def listed(folder: Path, *options: str) -> list[str]:
    """The directories, in the order of the rows."""
    said = cli("show", ".", *options, cwd=folder)
    assert said.code == 0, said.err
    return [next(word for word in row if "-" in word and word[0] in "abcd") for row in said.words()[1:]]


def test_newest_first(folder: Path) -> None:
    """Whatever their names are."""
    assert listed(folder) == ["d-runs", "deep/c-failed", "b-sweep", "a-old"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--since", "2h"], ["d-runs"]),
        (["--since", "2d"], ["d-runs", "deep/c-failed", "b-sweep"]),
        (["--since", "2w", "--status", "completed"], ["b-sweep"]),
        (["--since", f"{NOW.astimezone() - timedelta(hours=4):%Y-%m-%dT%H:%M}"], ["d-runs", "deep/c-failed"]),
        (["--since", f"{NOW - timedelta(hours=4):%Y-%m-%d %H:%M:%SZ}"], ["d-runs", "deep/c-failed"]),
        (
            ["--since", f"{NOW.astimezone() - timedelta(days=20, hours=24):%Y-%m-%d}"],
            ["d-runs", "deep/c-failed", "b-sweep", "a-old"],
        ),
        (["--status", "running"], ["d-runs"]),
        (["--status", "FAILED", "--status", "completed"], ["deep/c-failed", "b-sweep", "a-old"]),
        (["--where", "model=cnn"], ["deep/c-failed", "b-sweep"]),
        (["--where", "model != cnn"], ["d-runs", "a-old"]),
        (["--where", "accuracy>0.65"], ["b-sweep", "a-old"]),
        (["--where", "accuracy>0.65", "--where", "lr<=0.2"], ["b-sweep"]),
        (["--where", "accuracy>0.65", "--status", "completed", "--since", "3d"], ["b-sweep"]),
        (["--sort-by", "accuracy"], ["a-old", "b-sweep", "d-runs", "deep/c-failed"]),
        (["--sort-by", "loss"], ["a-old", "b-sweep", "d-runs", "deep/c-failed"]),
        (["--sort-by", "accuracy", "--mode", "min"], ["d-runs", "b-sweep", "a-old", "deep/c-failed"]),
    ],
)
def test_what_is_listed(folder: Path, options: list[str], expected: list[str]) -> None:
    """By when it started, how it stands, and what it was given and reached; the best of each run decides."""
    assert listed(folder, *options) == expected


def test_what_was_asked_for_is_a_column(folder: Path) -> None:
    """The metric's best of the jobs that meet it, the values of an override, and by how many jobs it is met."""
    said = cli("show", ".", "--where", "accuracy>0.65", "--where", "lr<1", "--sort-by", "loss", cwd=folder)
    assert said.words()[0] == [
        *("started", "status", "directory", "jobs", "met", "by", "loss", "(min)", "accuracy", "(max)", "lr", "took", "app")
    ]
    row = said.words()[1]
    assert row[3:] == ["b-sweep", "3", "completed", "2", "of", "3", "0.333333", "0.8", "0.2,", "0.3", "3.0", "s", "app"]
    described = cli("show", ".", "--where", "accuracy>0.65", "--where", "lr<1", "--json", cwd=folder).json()
    assert [each["asked"] for each in described] == [{"jobs": [1, 2], "values": {"accuracy": 0.8, "lr": [0.2, 0.3]}}]
    assert [each["asked"] for each in cli("show", ".", "--sort-by", "accuracy", "--json", cwd=folder).json()][:2] == [
        {"values": {"accuracy": 0.97}},
        {"values": {"accuracy": 0.8}},
    ]
    assert "asked" not in cli("show", ".", "--json", cwd=folder).json()[0]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--where", "acuracy>0.9"], 1, "No job has a metric or an override 'acuracy'. Did you mean accuracy?"),
        (["--where", "modle=cnn"], 1, "Did you mean model? Metrics are: accuracy, loss. Overrides are: model, lr."),
        (["--sort-by", "acuracy"], 1, "Did you mean accuracy?"),
        (["--where", "accuracy>2"], 1, "No run has accuracy>2, of 4 that there are."),
        (["--status", "interrupted", "--since", "1h"], 1, "No run is INTERRUPTED and has started since "),
        (["--where", "accuracy"], 2, "--where: 'accuracy' compares nothing."),
        (["--status", "done"], 2, "'done' is not one of 'completed', 'failed', 'interrupted', 'running'"),
        (["--since", "yesterday"], 2, "--since 'yesterday' is no time. Write how long ago, such as 30min, 2h, 3d or 2w"),
        (["--since", "2026-02-30"], 2, "is no time"),
        (["--since", "999999999w"], 2, "is no time"),
    ],
)
def test_what_is_mistyped(folder: Path, options: list[str], code: int, said: str) -> None:
    """It is said what to type."""
    done = cli("show", ".", *options, cwd=folder)
    assert (done.code, done.out) == (code, "")
    assert said in " ".join(done.err.split())


def test_of_one_run_they_choose_its_jobs(folder: Path) -> None:
    """Also before they are averaged, and in JSON."""
    jobs = [row[0] for row in cli("show", "b-sweep", "--where", "lr>0.1", "--status", "completed", cwd=folder).words()[-2:]]
    assert jobs == ["1", "2"]
    described = cli("show", "b-sweep", "--where", "accuracy<0.75", "--json", cwd=folder).json()
    assert [job["job_num"] for job in described["jobs"]] == [0, 1]
    settings = cli("show", "b-sweep", "--where", "lr>0.1", "--average-over", "lr", "--sort-by", "accuracy", cwd=folder)
    assert settings.words()[-2][0] == "2"
    none = cli("show", "b-sweep", "--status", "failed", cwd=folder)
    assert (none.code, "No job is FAILED: 3 completed in " in none.err) == (1, True)
    assert "Did you mean lr?" in cli("show", "b-sweep", "--where", "lrr=1", cwd=folder).err
    assert cli("show", "b-sweep", "--since", "1h", cwd=folder).code == 1


def test_on_a_terminal_no_more_are_read_than_are_shown(tmp_path: Path) -> None:
    """An old journal that nobody can read is not looked at; with --all it is."""
    for num in range(45):
        write(tmp_path / f"run{num}", timedelta(hours=num + 1), [(["x=1"], {"acc": num})])
    (oldest,) = (tmp_path / "run44" / ".callbacks").iterdir()
    oldest.write_bytes(b"no line\n")
    assert "5 older are not shown; --all lists all" in on_terminal(tmp_path)
    assert "cannot be read" not in on_terminal(tmp_path)
    assert "cannot be read" in on_terminal(tmp_path, "--all")
    assert "5 more are not shown; --all lists all" in on_terminal(tmp_path, "--sort-by", "acc")


def on_terminal(folder: Path, *options: str) -> str:
    """What `show .` prints on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "show", ".", *options], cwd=folder, env=environment(), stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 65_536)
        except OSError:  # it has ended
            break
        if not more:
            break
        said += more
    os.close(ours)
    assert process.wait(60) == 0
    return said.decode("utf-8")


@given(st.integers(0, 10_000), st.sampled_from("smhdw"))
def test_how_long_ago(count: int, unit: str) -> None:
    """A number and a unit."""
    seconds = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}[unit]
    if NOW.timestamp() > count * seconds:
        assert since(f"{count}{unit}", NOW) == NOW - timedelta(seconds=count * seconds)


@given(st.text())
def test_any_text_is_a_time_or_refused(text: str) -> None:
    """No other exception comes of it."""
    with contextlib.suppress(click.UsageError):
        assert since(text, NOW).tzinfo is not None
