"""A signal's handler may report while the job itself does, in the same thread: nothing waits for itself."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of

from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.trackers.event_file import events_in
from hydra_callback_kit.trackers.patience import Tracker, patience_of
from hydra_callback_kit.trackers.point_stream import PointStream
from hydra_callback_kit.trackers.tensorboard import Written
from hydra_callback_kit.trackers.wandb import Curves

TIME = "2026-01-01T00:00:00.000000+00:00"
Add = Callable[[Mapping[str, float], Any, str], None]


class Interrupted(Mapping[str, float]):
    """Values in whose reading a signal comes, whose handler reports."""

    def __init__(self, handler: Callable[[], None]) -> None:
        self._handler: Callable[[], None] | None = handler

    def __getitem__(self, name: str) -> float:
        return 1.0

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        handler, self._handler = self._handler, None
        if handler is not None:
            handler()
        return iter(["loss"])


def mlflow(directory: Path) -> tuple[Add, Callable[[], int]]:
    """What MLflow's points wait in."""
    sent: list[Any] = []
    tracker = Tracker("it", "It", (), ("it",))
    patience = patience_of(config_of(directory), tracker, SafeLogger("hydra_callback_kit.it"))
    stream = PointStream(patience, lambda points, _: sent.extend(points))

    def count() -> int:
        stream.end()
        return len(sent)

    return stream.take, count


def wandb(directory: Path) -> tuple[Add, Callable[[], int]]:
    """What W&B's points wait in until its run has started."""
    rows: list[Any] = []

    class Run:
        define_metric = log = staticmethod(lambda *row, **_: rows.extend(each for each in row if isinstance(each, dict)))

    curves = Curves()

    def count() -> int:
        curves.go_to(Run())
        return len(rows)

    return curves.add, count


def tensorboard(directory: Path) -> tuple[Add, Callable[[], int]]:
    """A job's event file."""
    path = directory / "events.out.tfevents.1"
    return Written(path, []).add, lambda: len(list(events_in(path)))


@pytest.mark.parametrize("tracker", [mlflow, wandb, tensorboard])
def test_both_come(tmp_path: Path, tracker: Callable[[Path], tuple[Add, Callable[[], int]]]) -> None:
    """Each once."""
    add, count = tracker(tmp_path)
    values = Interrupted(lambda: add({"loss": 2.0}, 0, TIME))
    reports = threading.Thread(target=add, args=(values, 1, TIME), daemon=True)
    reports.start()
    reports.join(20)
    assert not reports.is_alive()
    assert count() == 2
