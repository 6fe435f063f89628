"""What TensorBoard shows of a job: an event file of its own with scalars, and with what the tab HPARAMS wants."""

import contextlib
import itertools
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.metric import Step
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.trackers import event_file
from hydra_callback_kit.trackers.event_file import Event, EventFile
from hydra_callback_kit.trackers.payload import Payload, payload_of_job, points_to_send, text_of, whole_step

NAME: Final = "tensorboard"
"""What the fact of a run or job is called."""

_HPARAMS: Final = b"_hparams_/"


def file_of(directory: Path, run_id: str, job_num: int) -> Path:
    """The event file of a job; TensorBoard reads what is called so.

    Args:
        directory: where it lies.
        run_id: the job's run.
        job_num: its number.
    """
    return directory / f"events.out.tfevents.{run_id}-{job_num}.hydra-callback-kit"


def start_of(payload: Payload, *, log_config: bool) -> Iterator[Event]:
    """The first events of a job.

    Args:
        payload: what is known of it.
        log_config: whether the config's values are hyperparameters, and not the overrides alone.
    """
    time_s = _seconds(payload.started_at)
    values = payload.params() if log_config else payload.overrides
    data = event_file.hparams_start((name, _plain(value)) for name, value in values.items())
    yield event_file.version_event(time_s)
    yield event_file.plugin_event(time_s, f"{_HPARAMS.decode()}session_start_info", "hparams", data)


def end_of(payload: Payload, scalars: "Scalars", path: Path) -> Iterator[Event]:
    """The last events of a job: the numbers that it returned, at its last step, and how it ended.

    TensorBoard shows of a tag that two files have what the later one says from its first step on. So nothing is written
    before the last step of the app's own files.

    Args:
        payload: what is known of it.
        scalars: what there is of it: a number that is the last one anyway is not repeated.
        path: the job's event file.
    """
    time_s = _seconds(payload.ended_at)
    values = [(name, value) for name, value in payload.metrics.items() if not _same(scalars.last.get(name), value)]
    if values:
        step = max(event_file.last_step_beside(path), *scalars.steps.values(), 0)
        yield event_file.scalars_event(time_s, step, values)
    data = event_file.hparams_end(success=payload.status == "COMPLETED")
    yield event_file.plugin_event(time_s, f"{_HPARAMS.decode()}session_end_info", "hparams", data)


class Scalars:
    """Makes events of reports. Those without a step are counted, from 0 on.

    Attributes:
        steps: the last step of each metric.
        last: its last value.
    """

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}
        self.last: dict[str, float] = {}
        self._numbers = itertools.count()

    def of(self, point: Point) -> Event:
        """The event of a report."""
        step = next(self._numbers) if point.step is None else whole_step(point.step)
        self.steps.update(dict.fromkeys(point.values, step))
        self.last.update(point.values)
        return event_file.scalars_event(_seconds(point.time), step, point.values.items())


class Written:
    """The event file of a job that runs.

    Args:
        path: its place.
        start: the first events.

    Raises:
        OSError: if it cannot be written.
    """

    def __init__(self, path: Path, start: Iterable[Event]) -> None:
        # of an earlier attempt: TensorBoard believes the first end that it finds
        there = [event for event in event_file.events_in(path) if _HPARAMS not in event.content]
        self._goes_on = bool(there)
        self._scalars = Scalars()
        self._lock = threading.RLock()  # a signal's handler may report as well
        event_file.write_whole(path, [*there, *start])
        self._path = path
        self._file = EventFile(path)

    def add(self, values: Mapping[str, float], step: Step, time_of: str) -> None:
        """Writes a report; whoever listens to reports is called like this.

        Raises:
            OSError: if it cannot be written.
        """
        with self._lock:
            event = self._scalars.of(Point(time_of, step, dict(values)))
            self._begin(event.time_s, next(iter(self._scalars.steps.values())))
            self._file.write(event)

    def _begin(self, time_s: float, step: int) -> None:
        """Where another attempt has written before: from here on this one counts."""
        if self._goes_on:
            self._goes_on = False
            self._file.write(event_file.start_event(time_s, step))

    def end(self, payload: Payload) -> None:
        """Writes what came of the job, and closes the file.

        Raises:
            OSError: if it cannot be written.
        """
        with self._lock, contextlib.closing(self._file):
            self._begin(_seconds(payload.ended_at), 0)
            for event in end_of(payload, self._scalars, self._path):
                self._file.write(event)


def bring_up_to_date(path: Path, run: RunRecord, job: JobRecord, *, log_config: bool) -> bool:
    """Writes the event file of a job anew from its record, if it lacks anything.

    Args:
        path: its place.
        run: the job's run.
        job: the job, with its config if that is to be there.
        log_config: as above.

    Returns:
        Whether it lacked anything.

    Raises:
        OSError: if it cannot be written.
    """
    payload, scalars = payload_of_job(run, job), Scalars()
    events = [*start_of(payload, log_config=log_config), *map(scalars.of, points_to_send(run, job))]
    events += end_of(payload, scalars, path)
    there = [event.content for event in event_file.events_in(path)]
    if there and there[-1] == events[-1].content and {event.content for event in events} <= set(there):
        return False
    event_file.write_whole(path, events)
    return True


def _same(last: float | None, value: float) -> bool:
    return last is not None and (last == value or (math.isnan(last) and math.isnan(value)))


def _plain(value: Any) -> bool | float | str:
    if isinstance(value, bool) or (isinstance(value, (int, float)) and math.isfinite(value)):
        with contextlib.suppress(OverflowError):
            return value if isinstance(value, bool) else float(value)
    return text_of(value)


def _seconds(time_of: str | None) -> float:
    return time.time() if time_of is None else datetime.fromisoformat(time_of).timestamp()
