"""Jobs that share a directory and start in the same moment: the points of each are there."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from hydra_callback_kit.journal import point_file
from hydra_callback_kit.journal.metric_points import NAME, head, line, owner_of, read
from hydra_callback_kit.journal.point_file import PointFile, begin_points

RUN = "20260102T000000-aa"
EARLIER = "20260101T000000-aa"
JOBS = 6


def reports(path: Path, attempt: str) -> None:
    """What a job does with its first point."""
    file = PointFile(path, is_new=begin_points(path, RUN))
    file.write(line(attempt, "2026-01-02T00:00:00.000000+00:00", 1, {"loss": 1.0}))
    file.close()


@pytest.mark.parametrize("before", [None, EARLIER])
def test_none_takes_away_what_another_has_begun(tmp_path: Path, before: str | None) -> None:
    """Whether an earlier run has left a file or not; each time all of them at once."""
    for round_ in range(40):
        path = tmp_path / str(round_) / NAME
        path.parent.mkdir()
        if before is not None:
            path.write_bytes(head(before) + line("old", "2026-01-01T00:00:00.000000+00:00", 1, {"loss": 9.0}))
        jobs = [threading.Thread(target=reports, args=(path, str(num))) for num in range(JOBS)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        assert sorted(attempt for attempt, _ in read(path)) == [str(num) for num in range(JOBS)]
        assert [file.name for file in path.parent.iterdir()] == [NAME]


def test_somebody_who_has_the_directory_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app may lock it for as long as it likes."""
    monkeypatch.setattr(point_file, "_WAITS_S", 0.05)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    path = tmp_path / NAME
    assert begin_points(path, RUN)
    assert not begin_points(path, RUN)
    os.close(descriptor)
    assert owner_of(path) == RUN
