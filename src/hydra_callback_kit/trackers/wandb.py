"""W&B: one run for each job, all of a sweep in a group. These are requests: they are made within `Patience.ask`.

The id of a run is made of our run's and the job's number. So another attempt at a job goes on in the same run.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.metric import Step
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.trackers import wandb_library
from hydra_callback_kit.trackers.patience import Tracker
from hydra_callback_kit.trackers.payload import Payload
from hydra_callback_kit.trackers.wandb_values import (
    ERROR,
    REPORTED,
    STEP,
    config_of,
    has_axis,
    metrics_of,
    seconds_of,
    tags_of,
    text_of,
)

TRACKER: Final = Tracker("wandb", "W&B", ("WANDB_",), ("wandb", "urllib3"))

MAX_WAITING: Final = 100_000
"""Reports that wait for a run to start; those that come after so many are left to `sync`."""


class Wanted(NamedTuple):
    """What a user wants, besides what always is.

    Attributes:
        project: where the runs go; None for what W&B's own settings say, or the app's name.
        entity: the user or team; None for W&B's own.
        group: the group of a sweep's runs; None for one that is called as the sweep.
        job_type: W&B's own; None for none.
        tags: W&B's tags of every run.
        log_config: whether the config is sent, and not the overrides alone.
    """

    project: str | None
    entity: str | None
    group: str | None
    job_type: str | None
    tags: Sequence[str]
    log_config: bool


class Place(NamedTuple):
    """Where a run goes.

    Attributes:
        run_id: W&B's name for it, which does not change.
        mode: W&B's `online`, `offline`, `disabled` or `shared`.
        address: the server's, without credentials; empty where no server is asked.
        project: the project.
        entity: the user or team; None for W&B's own.
        group: the group; None for none.
        directory: below which W&B makes its directory `wandb`.
        timeout_s: how long W&B may try, in seconds.
    """

    run_id: str
    mode: str
    address: str
    project: str
    entity: str | None
    group: str | None
    directory: Path
    timeout_s: float


def start(place: Place, payload: Payload, wanted: Wanted, *, alone: bool = True) -> Any:
    """Starts the run of a job, or goes on with it.

    Args:
        place: where it goes.
        payload: what is known of the job.
        wanted: what else is wanted.
        alone: whether it is W&B's run of this process, and one from before is ended.

    Returns:
        W&B's `Run`.
    """
    import wandb  # noqa: PLC0415  it takes seconds

    return wandb.init(
        project=place.project,
        entity=place.entity,
        id=place.run_id,
        resume="allow",
        reinit="finish_previous" if alone else "create_new",
        name=text_of(payload.name),
        group=place.group and text_of(place.group),
        job_type=wanted.job_type and text_of(wanted.job_type),
        tags=tags_of(wanted.tags),
        mode=place.mode,
        config=_config(payload, wanted),
        allow_val_change=True,
        dir=str(place.directory),
        settings=wandb_library.settings(place.timeout_s),
    )


def _config(payload: Payload, wanted: Wanted) -> dict[str, Any]:
    """The config of a run: the app's, and where the job comes from below `hydra`, which no config of an app has."""
    values = payload.config if wanted.log_config and payload.config is not None else payload.overrides
    return config_of({**values, "hydra": payload.tags})


def finish(run: Any, payload: Payload, timeout_s: float) -> None:
    """Sends what came of a job, and ends its run.

    Args:
        run: W&B's `Run`.
        payload: what is known of the job.
        timeout_s: how long it may take, in seconds. W&B itself gives up a little later, and does not say so.

    Raises:
        TimeoutError: if it took longer.
    """
    started_s = time.monotonic()
    run.summary.update(metrics_of(payload.metrics))
    if payload.error is not None or run.summary.get(ERROR) is not None:
        run.summary[ERROR] = payload.error and text_of(payload.error)
    run.finish(exit_code=0 if payload.status in ("COMPLETED", "RUNNING") else 1)
    if time.monotonic() - started_s > timeout_s:
        raise TimeoutError(f"not all was sent within {timeout_s:g} s")


def is_over(run: Any) -> bool:
    """Whether the app has ended the run itself."""
    return bool(getattr(run, "_is_finished", False))


class Curves:
    """Sends what a job reports of its metrics, a row for each report. What comes before the run has started waits for it.

    After a report that could not be sent no other is: W&B has got all up to one, and `sync` goes on from there.

    Attributes:
        problem: why W&B has not got them all; None if it has.
    """

    def __init__(self) -> None:
        self.problem: BaseException | None = None
        self._run: Any = None
        self._waiting: list[Point] = []
        self._lock = threading.RLock()  # a signal's handler may report as well
        self._have_steps: set[str] = set()

    def add(self, values: Mapping[str, float], step: Step, time_of: str) -> None:
        """Takes a report; whoever listens to reports is called like this."""
        with self._lock:
            if self._run is not None:
                self._log(Point(time_of, step, dict(values)))
            elif len(self._waiting) < MAX_WAITING:
                self._waiting.append(Point(time_of, step, dict(values)))
            else:
                self.problem = RuntimeError(f"it started after more than {MAX_WAITING:,} reports")

    def go_to(self, run: Any) -> None:
        """The run has started.

        Args:
            run: W&B's `Run`.
        """
        with self._lock:
            self._run, waiting, self._waiting = run, self._waiting, []
            left_out, self.problem = self.problem, None
            for point in waiting:
                self._log(point)
            self.problem = self.problem or left_out

    def _log(self, point: Point) -> None:
        if self.problem is not None or is_over(self._run):
            return
        try:
            log(self._run, point, self._have_steps)
        except BaseException as error:
            self.problem = error
            if not isinstance(error, Exception) or isinstance(error, TimeoutError):  # the job's own, which takes too long
                raise


def log_missing(run: Any, points: Iterable[Point]) -> None:
    """Sends those reports of a job that W&B has not got.

    Args:
        run: W&B's `Run`.
        points: all of them, in their order.
    """
    there_s, have_steps = run.summary.get(REPORTED), set[str]()
    for point in points:
        if not is_number(there_s) or seconds_of(point.time) > there_s:
            log(run, point, have_steps)


def log(run: Any, point: Point, have_steps: set[str]) -> None:
    """Sends a report.

    Args:
        run: W&B's `Run`.
        point: the report.
        have_steps: the metrics of which W&B knows that steps are their x-axis; it is added to.
    """
    values = metrics_of(point.values)
    row = {**values, REPORTED: seconds_of(point.time)}
    if point.step is not None:
        for name in values.keys() - have_steps:
            if has_axis(name):
                run.define_metric(name, step_metric=STEP)
            have_steps.add(name)
        row[STEP] = point.step
    run.log(row)
