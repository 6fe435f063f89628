"""Callbacks that come after all others, as a job ends and as the run ends."""

from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of, job_of, returned
from omegaconf import DictConfig

from hydra_callback_kit import RecordingCallback


class Writes(RecordingCallback):
    """Leaves something behind in its hooks."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def on_job_end(self, config: DictConfig, **kwargs: Any) -> None:
        """As a job ends."""
        self.said.append("job")

    def at_the_end(self, config: DictConfig) -> None:
        """As the run ends."""
        self.said.append("run")


class Last(RecordingCallback):
    """Is to see all of it."""

    comes_last = True

    def __init__(self, said: list[str], fails: bool = False) -> None:
        self.said = said
        self.fails = fails

    def after_the_job(self, config: DictConfig) -> None:
        """As a job has ended."""
        self.said.append("after the job")
        if self.fails:
            raise RuntimeError("boom")

    def at_the_end(self, config: DictConfig) -> None:
        """As the run has ended."""
        self.said.append("after the run")


def sweep(callbacks: list[RecordingCallback], root: Path) -> None:
    """Hooks as Hydra calls them, for two jobs; end hooks come the other way round."""
    config = config_of(root, mode="MULTIRUN")
    for callback in callbacks:
        callback.on_multirun_start(config=config)
    for num in range(2):
        job = job_of(config, num=num, id=str(num))
        for callback in callbacks:
            callback.on_job_start(config=job, task_function=len)
        for callback in reversed(callbacks):
            callback.on_job_end(config=job, job_return=returned())
    for callback in reversed(callbacks):
        callback.on_multirun_end(config=config)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_it_comes_after_the_others_hooks_of_a_job(tmp_path: Path, place: int) -> None:
    """Wherever it stands in the list, once for each job."""
    said: list[str] = []
    callbacks: list[RecordingCallback] = [Writes(said), Writes(said)]
    callbacks.insert(place, Last(said))
    sweep(callbacks, tmp_path)
    assert said[:6] == ["job", "job", "after the job"] * 2
    assert sorted(said[6:]) == ["after the run", "run", "run"]


def test_what_it_raises_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And the next job has it called again."""
    said: list[str] = []
    sweep([Last(said, fails=True), Writes(said)], tmp_path)
    assert said.count("after the job") == 2
    assert "Last.after_the_job" in caplog.text
