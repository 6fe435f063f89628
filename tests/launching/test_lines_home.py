"""Lines that ride home: which are kept, what comes of them, and that only those do that nobody at home can read."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hook_calls import call_job, config_of, job_of, pickled, returned
from journals import a_job, a_run
from omegaconf import DictConfig

from hydra_callback_kit import LoggingCallback, ResultsAggregatorCallback, add_job_facts
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal import kept_lines, writer
from hydra_callback_kit.journal.kept_lines import MAX_KEPT, KeptLines
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.writer import journal_file, write_line
from hydra_callback_kit.launching import in_place, lines_home

RAY = {"_target_": "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher"}
BASIC = {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}


@pytest.fixture(autouse=True)
def _nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """No conductor waits for a sweep that never came, and what was said once is said again."""
    monkeypatch.setattr(in_place, "_waiting", {})
    monkeypatch.setattr(lines_home, "_told", set())


def _sweep(root: Path, launcher: dict[str, str]) -> DictConfig:
    config = config_of(root, mode="MULTIRUN")
    config.hydra.launcher = launcher
    return config


class Late(RecordingCallback):
    """Adds a fact after others have recorded the job's end."""

    def on_job_end(self, config: DictConfig, job_return: Any, **kwargs: Any) -> None:
        """After the end is on record."""
        add_job_facts({"late": True}, config)


def _far_job(home: Path) -> tuple[DictConfig, Any]:
    """A job of a sweep at home that writes to another disk, and what its launcher brings home."""
    sweep = _sweep(home, RAY)
    LoggingCallback().on_multirun_start(config=sweep, config_name="config")
    job = job_of(sweep, {"lr": 0.1}, num=3, id="job_id_for_3")
    far = home.parent / "far"
    notes_of(job)["root"] = str(far)
    notes_of(job)[lines_home.AT_HOME] = "/nowhere/at/all", 1
    job_return = returned({"loss": 1})
    table, late = ResultsAggregatorCallback(), Late()
    table.on_job_start(config=job, task_function=len)
    add_job_facts({"curve": [1, 2]})
    table.on_job_end(config=job, job_return=job_return)
    late.on_job_end(config=job, job_return=job_return)
    return sweep, pickled(job_return)


def test_the_record_at_home_is_the_one_that_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Value, facts, config, and what was added last; the worker says once where it writes."""
    home = tmp_path / "home"
    sweep, job_return = _far_job(home)
    assert caplog.text.count("does not share the directory of the sweep") == 1
    (policy,) = in_place._waiting[next(iter(in_place._waiting))]
    assert not read_run(home).jobs
    policy.came_home({3: job_return, 4: None})
    assert vars(job_return) == vars(returned({"loss": 1})) | {"cfg": job_return.cfg}
    (there,), (here,) = read_run(tmp_path / "far").jobs, read_run(home).jobs
    assert (here.status, here.return_value, here.facts["late"]) == ("COMPLETED", {"loss": 1}, True)
    assert (here.facts, here.started_at, here.duration_s, here.pid) == (
        there.facts,
        there.started_at,
        there.duration_s,
        there.pid,
    )
    for file in (tmp_path / "far" / ".callbacks").iterdir():
        shutil.copy(file, home / ".callbacks" / f"{file.name.partition('.')[0]}.copied.jsonl")
    assert read_run(home).jobs == (here,)
    assert identify_run(sweep).run_id == read_run(home).run_id


def test_what_can_be_read_at_home_does_not_ride(tmp_path: Path) -> None:
    """The file is there; a copy of it is another one."""
    sweep = _sweep(tmp_path, RAY)
    LoggingCallback().on_multirun_start(config=sweep, config_name="config")
    near, copied = job_of(sweep, num=0, id="0"), job_of(sweep, num=1, id="1")
    call_job(LoggingCallback(), near)
    assert "kept_lines" not in notes_of(near)
    file = journal_file(identify_run(sweep))
    shutil.copy(file, tmp_path / "copy")
    notes_of(copied)[lines_home.AT_HOME] = str(tmp_path / "copy"), file.stat().st_ino
    call_job(LoggingCallback(), copied)
    events = [json.loads(line)["event"] for line in notes_of(copied)["kept_lines"].lines]
    assert events == ["job_started", "job_ended"]


def test_under_other_launchers_nothing_is_done(tmp_path: Path) -> None:
    """No note, no conductor; also where there is no launcher."""
    for launcher in (BASIC, None):
        sweep = _sweep(tmp_path, launcher)
        LoggingCallback().on_multirun_start(config=sweep, config_name="config")
        assert lines_home.AT_HOME not in notes_of(sweep)
    assert in_place._waiting == {}


def test_what_is_kept_has_a_bound(tmp_path: Path) -> None:
    """The start and the last lines of an attempt; of others none, and nothing once nobody wants them."""
    run = a_run(tmp_path)
    job, other = a_job(run, 0), a_job(run, 1)
    kept = KeptLines(job.attempt, "here")
    write_line(run, "job_started", {}, job)
    write_line(run, "job_started", {}, other)
    write_line(run, "run_facts", {"a": 1})
    for num in range(50):
        write_line(run, "job_facts", {f"n{num}": "x" * (MAX_KEPT // 20)}, job)
    events = [json.loads(line) for line in kept.lines]
    assert sum(map(len, kept.lines)) <= MAX_KEPT
    assert events[0]["event"] == "job_started"
    assert "n49" in events[-1]["facts"]
    assert {line.get("job", 0) for line in events} == {0}
    assert (len(kept.lines) + kept.dropped, pickled(kept).lines) == (52, kept.lines)
    del kept
    assert job.attempt not in kept_lines._kept
    writer._files.clear()
