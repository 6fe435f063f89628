"""What a job reports of its metrics, on disk at once, and summed up in its record as it ends."""

import functools
import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from omegaconf import DictConfig

from hydra_callback_kit.configs.directories import is_shared
from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.facts import FactError
from hydra_callback_kit.hooks.job_lines import write_job_line
from hydra_callback_kit.hooks.metric_values import number_of
from hydra_callback_kit.hooks.own_files import tell
from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.journal_lines import lines_with
from hydra_callback_kit.journal.metric import Metric, Step, as_fact
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.point_file import PointFile, begin_points
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.values import is_number, type_name
from hydra_callback_kit.journal.writer import utc_now
from hydra_callback_kit.views import files

Listener: TypeAlias = Callable[[Mapping[str, float], Step, str], None]
"""Is told of each report: the values by name, the step or None, and the time (UTC, ISO 8601)."""

MAX_NAMES: Final = 1_000
"""Metrics of a job; those that come after so many are left out."""
MAX_NAME: Final = 200
"""Characters of a metric's name; one with more is left out."""
MAX_DEPTH: Final = 20
"""Mappings in one another."""

_log = SafeLogger("hydra_callback_kit")


def record_metrics(config: DictConfig, values: Mapping[Any, Any], step: Any) -> None:
    """Takes a report of a job.

    Args:
        config: the config of the job's hooks.
        values: as `report_metrics` takes them.
        step: the same.

    Raises:
        FactError: if `step` is no number.
    """
    reporter = _reporter(config)
    # what is raised in here by a signal's handler, or because the job takes too long, is the job's to see
    reporter.take(values, step if type(step) is int or step is None else _step(step))
    _record_if_it_has_ended(reporter)


def record_points(config: DictConfig, points: Iterable[Point]) -> None:
    """Takes the points that something else has kept of a job, but for metrics that the job has reported itself.

    Args:
        config: the config of the job's hooks.
        points: in their order.
    """
    reporter = _reporter(config)
    own = reporter.known()
    for time, step, values in points:
        reporter.take({name: value for name, value in values.items() if name not in own}, step, time)
    _record_if_it_has_ended(reporter)


def listen(config: DictConfig, listener: Listener) -> None:
    """Has each report of a job told to somebody, in the job's process and in the thread that reports, until the job ends.

    Args:
        config: the config of `on_job_start`.
        listener: what is called; it must be quick. What it raises is logged once.
    """
    _reporter(config).listeners.append(listener)


def end_of_metrics(config: DictConfig) -> dict[str, Any]:
    """Ends the reports of a job.

    Args:
        config: the config of the job's hooks.

    Returns:
        The fact that sums them up, encoded; nothing if there were none.
    """
    reporter = _reporters.pop(id(config), None)
    return {} if reporter is None else reporter.end()


_reporters: Final[dict[int, "_Reporter"]] = {}
"""Those of the jobs that run in this process, by their configs; the notes on a config would be copied with it."""


def _reporter(config: DictConfig) -> "_Reporter":
    reporter = _reporters.get(id(config))
    if reporter is None or reporter.config is not config or reporter.pid != os.getpid():
        with _making:
            reporter = _reporters.get(id(config))
            if reporter is None or reporter.config is not config or reporter.pid != os.getpid():
                reporter = _reporters[id(config)] = _Reporter(config)
                notes_of(config)["reports"] = True
    return reporter


_making: Final = threading.RLock()


def _record_if_it_has_ended(reporter: "_Reporter") -> None:
    """A hook may report at the end of its job, when what there was before is summed up already."""
    config = reporter.config
    if "job_ended" in notes_of(config):
        write_job_line(config, "job_facts", {}, end_of_metrics(config))


class _Reporter:
    """Takes the reports of a job, in its process.

    Args:
        config: that of the job's hooks.

    Attributes:
        listeners: who else is told.
    """

    def __init__(self, config: DictConfig) -> None:
        self.config = config
        self.pid = os.getpid()
        self.listeners: list[Listener] = []
        self._job = identify_job(config)
        self._names: dict[Any, str | None] = {}
        self._metrics: dict[str, Metric] = {}
        self._earlier: list[Point] = []
        """What earlier attempts have reported."""
        self._lock = threading.RLock()  # a signal's handler, a log handler or a value's own method may report as well
        self._file: PointFile | None = None
        self._may_open = True

    def known(self) -> frozenset[str]:
        """The metrics that this attempt has reported."""
        with self._lock:
            if self._may_open:
                self._open()
            return frozenset(self._metrics)

    def take(self, values: Mapping[Any, Any], step: Step, time: str = "") -> None:
        """Takes one report."""
        if self._job.rank:
            return
        time = time or utc_now()
        with self._lock:
            if self._may_open:
                self._open()
            taken = self._numbers(values)
            if not taken:
                return
            for name in taken.keys() - self._metrics.keys() if self._earlier else ():
                self._go_on(name, step)
            metric_points.add(self._metrics, step, taken)
            self._write(time, step, taken)
        for listener in self.listeners:
            try:
                listener(taken, step, time)
            except Exception as error:
                if _is_the_jobs(error):
                    raise
                report("report_metrics", error)

    def _write(self, time: str, step: Step, values: Mapping[str, float]) -> None:
        if self._file is not None:
            try:
                self._file.write(metric_points.line(self._job.attempt, time, step, values))
            except OSError as error:
                if _is_the_jobs(error):
                    raise
                report("report_metrics", error)

    def _numbers(self, values: Mapping[Any, Any]) -> dict[str, float]:
        """What can be reported of some values."""
        taken: dict[str, float] = {}
        for name, value in values.items():
            kind = type(value)
            if (kind is float or (kind is int and is_number(value))) and (known := self._names.get(name)) is not None:
                taken[known] = value
            else:
                self._take(name, value, taken)
        return taken

    def _take(self, name: Any, value: Any, taken: dict[str, float], depth: int = 0) -> None:
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            for key, item in value.items():
                self._take(f"{name}.{key}", item, taken, depth + 1)
            return
        known = self._names[name] if name in self._names else self._named(name)
        number = number_of(value)
        if known is not None and number is None:
            kind = type_name(type(value))
            _warn_once(f"The metric {known!r} is left out where it is no single number, but of type {kind}.")
        elif known is not None and number is not None:
            taken[known] = number

    def _named(self, name: Any) -> str | None:
        """What a metric is called on record; None if it is left out."""
        known = redaction_of(self.config).of_text(str(name))
        if len(known) > MAX_NAME:
            _warn_once(f"A metric is left out, whose name has more than {MAX_NAME} characters: {known[:40]}…")
            return None
        if len(self._names) < MAX_NAMES:
            self._names[name] = known
            return known
        _warn_once(f"The job reports more than {MAX_NAMES:,} metrics: those that come from here on are left out.")
        return None

    def _open(self) -> None:
        """Finds the file's place, and what is there of this job."""
        self._may_open = False
        name = metric_points.NAME
        if is_shared(self.config, name):
            name = str(Path(name).with_stem(f"{Path(name).stem}_{self._job.job_num}"))
        path = self._job.output_dir / name
        try:
            run_id = self._job.run.run_id
            files.make_room(path, _is_ours, tell(_log))
            is_new = begin_points(path, run_id)
            if not is_new:
                own, self._earlier = self._found(path)
                for point in own:
                    metric_points.add(self._metrics, point.step, point.values)
            self._file = PointFile(path, is_new=is_new)
        except OSError as error:
            if _is_the_jobs(error):
                raise
            report("report_metrics", error)
            return
        write_job_line(self.config, "job_facts", {"metrics_file": name})

    def _found(self, path: Path) -> tuple[list[Point], list[Point]]:
        """What this attempt has reported already, and what the earlier ones have."""
        job = self._job
        lines = lines_with(job.run.root, job.run.run_id, f'"job":{job.job_num},')
        earlier = {line["attempt"] for line in lines if line.get("job") == job.job_num} - {job.attempt}
        found = list(metric_points.read(path))
        own = [point for attempt, point in found if attempt == job.attempt]
        return own, metric_points.merged((attempt, point) for attempt, point in found if attempt in earlier)

    def _go_on(self, name: str, step: Step) -> None:
        """Takes over what earlier attempts have reported of a metric before the step at which this one goes on with it."""
        for point in self._earlier:
            if name in point.values and step is not None and metric_points.is_before(point.step, step):
                metric_points.add(self._metrics, point.step, {name: point.values[name]})

    def end(self) -> dict[str, Any]:
        """Closes the file, and sums up."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            return {"metrics": as_fact(self._metrics)} if self._metrics else {}


def _is_the_jobs(error: Exception) -> bool:
    """Whether it was raised in the job because that takes too long: such a one tells of no file and no disk."""
    return isinstance(error, TimeoutError) and error.errno is None


def _step(step: Any) -> Step:
    number = number_of(step)
    if number is None or isinstance(step, bool) or not math.isfinite(number):
        raise FactError(step, f"step={step!r} is no number. Write for example report_metrics({{'loss': 0.3}}, step=3).")
    return number


def _is_ours(path: Path) -> bool:
    return not path.is_symlink() and metric_points.owner_of(path) is not None


@functools.cache
def _warn_once(message: str) -> None:
    _log.warning("%s", message)
