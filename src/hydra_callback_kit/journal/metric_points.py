"""The points of a job's metrics: `metrics.jsonl` in the job's directory, a line for each report.

The first line says whose they are, `{"v":1,"run":...}`; each other one is a point,
`{"attempt":...,"time":...,"step":...,"values":{...}}`, without a step where the job gave none. Values are as everywhere in
the journal. A line is one write, so that a job that is killed leaves every point but, at the worst, half of its last line.
"""

import contextlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.format import MAX_LINE, SCHEMA_VERSION
from hydra_callback_kit.journal.metric import Metric, Step
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.journal.values import as_json, from_json, is_number

NAME: Final = "metrics.jsonl"

encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Point(NamedTuple):
    """What a job reported at once.

    Attributes:
        time: UTC, ISO 8601.
        step: the step; None where the job gave none.
        values: the values by name.
    """

    time: str
    step: Step
    values: dict[str, float]


def head(run_id: str) -> bytes:
    """The first line of a file."""
    return encode({"v": SCHEMA_VERSION, "run": run_id}).encode("ascii") + b"\n"


def line(attempt: str, time: str, step: Step, values: Mapping[str, float]) -> bytes:
    """The line of a point."""
    at = {} if step is None else {"step": as_json(step)}
    return encode({"attempt": attempt, "time": time, **at, "values": as_json(values)}).encode("ascii") + b"\n"


def owner_of(path: Path) -> str | None:
    """The run whose points a file holds; None if it is no such file."""
    with contextlib.suppress(OSError, ValueError), open_regular(path) as file:
        said = json.loads(file.readline(MAX_LINE))
        if type(said) is dict and said.get("v") == SCHEMA_VERSION and said.keys() == {"v", "run"}:
            return str(said["run"])
    return None


def points_of(job: JobRecord) -> Iterator[Point]:
    """The points of a job's metrics, in the order in which they were reported.

    Where the job was started several times, what an earlier attempt has reported of a metric counts up to the step at which
    a later one goes on with it: all of it where that one has gone on from a checkpoint, nothing where it began again.

    Args:
        job: its record. No points come where its directory cannot be read from here.
    """
    path = file_of(job)
    if path is None:
        return iter(())
    own = ((attempt, point) for attempt, point in read(path) if attempt in job.reported_by)
    return (point for _, point in own) if len(job.reported_by) == 1 else iter(merged(own))


def file_of(job: JobRecord) -> Path | None:
    """Where the points of a job are; None if it has reported none."""
    directory = job.output_dir
    return None if job.metrics_file is None or directory is None else directory / job.metrics_file


def read(path: Path, end: float = math.inf) -> Iterator[tuple[str, Point]]:
    """The lines of a file of points that can be read: the attempt, and what it reported. None where there is no file.

    Args:
        path: the file.
        end: the byte that it is read to.
    """
    with contextlib.suppress(OSError), open_regular(path) as file:
        yield from parsed(iter(lambda: file.readline(MAX_LINE) if file.tell() < end else b"", b""))


def parsed(lines: Iterable[bytes]) -> Iterator[tuple[str, Point]]:
    """The same of lines that were read."""
    for text in lines:
        try:
            said = json.loads(text)
            attempt, time, values = said["attempt"], said["time"], said["values"]
            step = from_json(said.get("step"))
            values = values if _ARE_PLAIN.issuperset(map(type, values.values())) else _numbers(values)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # torn, damaged, or the first line
        if type(attempt) is type(time) is str and (step is None or is_number(step)):
            yield attempt, Point(time, step, values)


_ARE_PLAIN: Final = frozenset((float,))


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    decoded = {name: from_json(value) for name, value in values.items()}
    return {name: value for name, value in decoded.items() if is_number(value)}


def merged(points: Iterable[tuple[str, Point]]) -> list[Point]:
    """The points of several attempts, which come one after another, as those of one: see `points_of`."""
    attempts: dict[str, list[Point]] = {}
    for attempt, point in points:
        attempts.setdefault(attempt, []).append(point)
    ends: dict[str, float] = {}
    """Where a later attempt has begun, by metric."""
    kept: list[list[Point]] = []
    for own in reversed(attempts.values()):
        kept.append([point for point in (_before(point, ends) for point in own) if point.values] if ends else own)
        begins: dict[str, float] = {}
        for point in reversed(own):
            begins.update(dict.fromkeys(point.values, -math.inf if point.step is None else point.step))
        ends.update({name: min(step, ends.get(name, step)) for name, step in begins.items()})
    return list(itertools.chain.from_iterable(reversed(kept)))


def _before(point: Point, ends: Mapping[str, float]) -> Point:
    """What counts of a point."""
    values = {name: value for name, value in point.values.items() if name not in ends or is_before(point.step, ends[name])}
    return point if len(values) == len(point.values) else point._replace(values=values)


def is_before(step: Step, other: float) -> bool:
    """Tells whether a point counts where a later attempt has begun at a step."""
    return step is not None and step < other


def metrics_of(points: Iterable[Point]) -> dict[str, Metric]:
    """Sums points up, which come in the order in which they were reported."""
    metrics: dict[str, Metric] = {}
    for _, step, values in points:
        add(metrics, step, values)
    return metrics


def add(metrics: dict[str, Metric], step: Step, values: Mapping[str, float]) -> None:
    """Adds a point to what was summed up."""
    for name, value in values.items():
        metric = metrics.get(name)
        metrics[name] = Metric.of(value, step) if metric is None else metric.then(value, step)
