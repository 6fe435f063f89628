"""When the time of a sweep is over: here by a clock that nobody sets, elsewhere by the time of day."""

import socket
import time

import pytest

from hydra_callback_kit.launching.deadline import Deadline


def test_it_is_over_once_that_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each machine looks at the clock that says it: where the sweep was started, a time of day that jumps means nothing."""
    clocks = {"monotonic": 100.0, "time": 1e9}
    monkeypatch.setattr(time, "monotonic", lambda: clocks["monotonic"])
    monkeypatch.setattr(time, "time", lambda: clocks["time"])
    here = Deadline.of(60)
    assert here == (60, socket.gethostname(), 160.0, 1e9 + 60)
    assert str(here) == "the time of the sweep is over (sweep_s=60)"
    elsewhere = here._replace(host="elsewhere")
    for deadline, clock, other in ((here, "monotonic", "time"), (elsewhere, "time", "monotonic")):
        clocks[other] += 1e6
        assert not deadline.is_over
        assert [deadline.is_over_in(seconds) for seconds in (59.0, 60.0, 61.0)] == [False, True, True]
        clocks[other] -= 1e6
        clocks[clock] += 60
        assert deadline.is_over
        assert not deadline.is_over_in(-1.0)
        clocks[clock] -= 60
