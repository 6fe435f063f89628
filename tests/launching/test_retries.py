"""The policy that starts jobs again: what it asks the conductor for, what it tells the jobs, and what it says."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of, returned
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn
from journals import write_job
from omegaconf import DictConfig

from hydra_callback_kit.configs import sweep_jobs
from hydra_callback_kit.configs.identity import identify_run, note_mode
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.launching import aftermath
from hydra_callback_kit.launching.deadline import NOTE, Deadline
from hydra_callback_kit.launching.lost import what_became
from hydra_callback_kit.launching.policy import Next, Round
from hydra_callback_kit.launching.retries import Retries, Retrying

LOST = RuntimeError("the pool is gone")


class _Sweep:
    """A sweep whose jobs are started by nobody: what became of them is written as it would be."""

    def __init__(self, root: Path, launcher: str = "JoblibLauncher", sweeper: str = "", **asked: Any) -> None:
        self.config: DictConfig = config_of(root, mode="MULTIRUN")
        if sweeper:
            self.config.hydra.sweeper = {"_target_": sweeper}
        note_mode(self.config, "MULTIRUN")
        self.run = identify_run(self.config)
        chosen = {"launcher": "own", "launcher_class": f"hydra_plugins.{launcher}"}
        write_line(self.run, "run_started", {"mode": "MULTIRUN", **chosen})
        self.ended: list[BaseException] = []
        defaults: dict[str, Any] = {"retries": 2, "errors": (), "wait_s": 0.0, "backoff": 2.0, "changes": {}}
        self.policy = Retries(self.config, Retrying(**{**defaults, **asked}), lambda _, error: self.ended.append(error))
        self.policy.answers({})

    def after(
        self, count: int, home: Mapping[int, JobReturn | None] | None = None, error: BaseException | None = None
    ) -> Next | None:
        """What is done after a launch of so many jobs."""
        return self.policy.after(Round({num: [f"x={num}"] for num in range(count)}, home or {}, error))


def test_what_completed_or_is_not_waited_for_needs_nothing(tmp_path: Path) -> None:
    """The record is not even read."""
    sweep = _Sweep(tmp_path)
    assert sweep.after(3, {0: returned(), 1: JobReturn(), 2: None}) is None
    assert sweep.after(3) is None


def test_what_was_done_is_answered_and_the_rest_is_started_again(tmp_path: Path) -> None:
    """From the record, where the launcher has lost it; and the jobs are told which of them were started before."""
    sweep = _Sweep(tmp_path)
    write_job(sweep.run, 0, "COMPLETED", return_value=2.5)
    write_job(sweep.run, 1, "FAILED", error={"type": "OSError", "message": "no", "traceback": ""})
    write_job(sweep.run, 1, "FAILED", attempt="2", error={"type": "OSError", "message": "no", "traceback": ""})
    after = sweep.after(3, error=LOST)
    assert after is not None
    assert {num: each.return_value for num, each in after.answers.items()} == {0: 2.5}
    assert (dict(after.batch), dict(after.alone)) == ({1: ["x=1"], 2: ["x=2"]}, {})
    assert sweep.ended == [LOST]
    assert notes_of(sweep.config)["started_before"] == {1: 2}
    assert notes_of(sweep.config)["retry"] == {"errors": [], "last": {}}


def test_the_jobs_are_told_which_attempt_is_the_last(tmp_path: Path) -> None:
    """By its number on record; of one that is given up it is the one that was."""
    sweep = _Sweep(tmp_path, retries=1, errors=["OSError"])
    for num, kind in enumerate(("OSError", "ValueError")):
        write_job(sweep.run, num, "FAILED", error={"type": kind, "message": "no", "traceback": ""})
    after = sweep.after(2, {0: returned(OSError("no")), 1: returned(ValueError("no"))})
    assert after is not None
    assert (after.batch.keys(), after.answers) == ({0}, {})
    assert notes_of(sweep.config)["retry"] == {"errors": ["OSError"], "last": {0: 2, 1: 1}}


def test_a_launcher_that_starts_nothing_has_its_own_error(tmp_path: Path) -> None:
    """It would not start anything the second time either."""
    assert _Sweep(tmp_path).after(3, error=LOST) is None


def test_what_may_still_run_or_come_is_never_started_twice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A launcher of one's own, whose jobs may wait in a queue: nothing is started, and it is said of which."""
    sweep = _Sweep(tmp_path, launcher="OurOwnLauncher")
    write_job(sweep.run, 0, "COMPLETED")
    with caplog.at_level(logging.WARNING):
        assert sweep.after(3, error=LOST) is None
    assert "nobody knows whether they still run: jobs 1-2." in caplog.text
    assert what_became(Round({5: []}, {}, LOST), read_run(tmp_path), {}).running == {5}


def test_what_goes_on_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is looked at until it has ended, and it is said once."""
    sweep = _Sweep(tmp_path)
    write_job(sweep.run, 1, None)  # in this process, but the policy is told that it launched from another one
    monkeypatch.setattr(aftermath, "this_process", lambda: None)
    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 9:
            write_job(sweep.run, 1, "COMPLETED", return_value=4)

    monkeypatch.setattr(aftermath.time, "sleep", look)
    with caplog.at_level(logging.INFO):
        after = sweep.after(2, {0: returned()}, error=LOST)
    assert after is not None
    assert after.answers[1].return_value == 4
    assert len(looks) == 9
    assert caplog.text.count("Waited for, because they go on: job 1.") == 1


def test_each_wait_is_longer_than_the_one_before() -> None:
    """By the factor that was asked for, from the first failure on."""
    asked = Retrying(3, (), 60.0, 2.0, {})
    assert [asked.pause_s(tries) for tries in range(4)] == [0.0, 60.0, 120.0, 240.0]
    assert asked._replace(wait_s=0.0).pause_s(2) == 0.0


def test_a_value_that_the_pool_has_lost_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For a sweeper that chooses by what jobs return; else it would learn from a text. It comes to an end."""
    sweep = _Sweep(tmp_path)
    write_job(sweep.run, 0, "COMPLETED", return_value=2.5)
    for attempt, (again, alone) in enumerate([([1], []), ([], [1]), ([], [])]):
        write_job(sweep.run, 1, "COMPLETED", attempt=str(attempt), return_value=object())
        after = sweep.after(2, {0: returned()} if attempt else {}, error=LOST)
        assert after is not None
        assert ([*after.batch], [*after.alone]) == (again, alone)
        notes_of(sweep.config)["retry"] = None
    assert isinstance(after.answers[1]._return_value, RuntimeError)
    assert "only a text that stands for it is on record" in str(after.answers[1]._return_value)
    assert caplog.text.count("Run again, for each has completed") == 2


def test_where_nobody_looks_at_values_what_has_completed_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweeper is Hydra's own, and was not called from Python."""
    monkeypatch.setattr(sweep_jobs, "are_from_python", lambda _: False)
    sweep = _Sweep(tmp_path, sweeper=f"{BasicSweeper.__module__}.{BasicSweeper.__qualname__}")
    write_job(sweep.run, 0, "COMPLETED", return_value=object())
    after = sweep.after(1, error=LOST)
    assert after is not None
    assert (after.batch, after.answers.keys()) == ({}, {0})


@pytest.mark.parametrize(("left_s", "over"), [(30.0, False), (-1.0, True)])
def test_no_wait_outlasts_the_time_of_the_sweep(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, left_s: float, over: bool
) -> None:
    """What has failed has failed by its own error; what was lost with others, or never started, does not wait for it."""
    caplog.set_level(logging.INFO)
    sweep = _Sweep(tmp_path, wait_s=60.0)
    notes_of(sweep.config)[NOTE] = None, Deadline.of(left_s)
    failed = returned(OSError("its own"))
    if not over:  # else the time limit has seen to it
        assert sweep.after(2, {0: failed, 1: returned()}) == Next()
        assert notes_of(sweep.config)["retry"]["last"].keys() == {0}
        assert "No job that failed is started again: it would be after 60 s, and then the time of the sweep" in caplog.text
    write_job(sweep.run, 2, "FAILED", error={"type": "OSError", "message": "its own", "traceback": ""})
    after = sweep.after(4, {0: failed, 1: returned()}, error=LOST)
    if over:
        assert after is None
        assert "No job is started again: the time of the sweep is over" in caplog.text
    else:
        assert after is not None
        assert ([*after.batch], str(after.answers[2]._return_value)) == ([3], "OSError: its own")
