"""Points reach a tracker while the job runs, each once and in order, and what could not be sent is sent at the end."""

import threading
from pathlib import Path

import pytest
from hook_calls import config_of

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.trackers import point_stream
from hydra_callback_kit.trackers.patience import Tracker, patience_of
from hydra_callback_kit.trackers.point_stream import PointStream

TIME = "2026-01-01T00:00:00+00:00"


class Sink:
    """Keeps what it is sent; may fail for a while."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.fails = False
        self.was_asked = threading.Event()
        self.before: list[int] = []

    def send(self, points: list[Point], before: int) -> None:
        """Takes points."""
        self.before.append(before)
        self.was_asked.set()
        if self.fails:
            raise ConnectionError("nobody answers")
        self.points += points


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Sink:
    """What the points go to, at once."""
    monkeypatch.setattr(point_stream, "INTERVAL_S", 0.01)
    return Sink()


def stream_into(sink: Sink, tmp_path: Path) -> PointStream:
    """A stream of a job."""
    tracker = Tracker("it", "It", (), ("it",))
    return PointStream(patience_of(config_of(tmp_path), tracker, SafeLogger("hydra_callback_kit.it")), sink.send)


def test_each_point_comes_once_and_in_order(sink: Sink, tmp_path: Path) -> None:
    """While the job runs and at its end; the app may change its mapping afterwards."""
    stream = stream_into(sink, tmp_path)
    values = {"loss": 0.0}
    for step in range(100):
        values["loss"] = step
        stream.take(values, step, TIME)
        if step == 50:
            assert sink.was_asked.wait(10)
    stream.end()
    assert sink.points == [Point(TIME, step, {"loss": step}) for step in range(100)]


def test_what_could_not_be_sent_is_sent_at_the_end(sink: Sink, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and no point is lost."""
    sink.fails = True
    stream = stream_into(sink, tmp_path)
    stream.take({"loss": 1.0}, None, TIME)
    assert sink.was_asked.wait(10)
    sink.fails = False
    stream.take({"loss": 2.0}, None, TIME)
    stream.end()
    assert [point.values for point in sink.points] == [{"loss": 1.0}, {"loss": 2.0}]
    assert set(sink.before) == {0}


def test_many_are_sent_in_parts(sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told how many without a step came before, and the values are counted."""
    monkeypatch.setattr(point_stream, "MAX_AT_ONCE", 2)
    monkeypatch.setattr(point_stream, "INTERVAL_S", 100)
    stream = stream_into(sink, tmp_path)
    for step in (None, None, 3, None, None):
        stream.take({"a": 1.0, "b": 2.0}, step, TIME)
    stream.end()
    assert (sink.before, stream.values) == ([0, 2, 3], 10)


def test_without_a_point_there_is_no_thread(sink: Sink, tmp_path: Path) -> None:
    """A job that reports nothing has none beside it."""
    before = threading.active_count()
    stream_into(sink, tmp_path).end()
    assert threading.active_count() <= before
    assert not sink.was_asked.is_set()
