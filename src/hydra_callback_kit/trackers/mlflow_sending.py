"""A run of ours, sent to MLflow from its record: as it ends what its jobs could not send, and by `sync` all of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.saved_secrets import learn_saved_secrets
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.trackers.mlflow import Runs, Wanted, is_of_another_attempt
from hydra_callback_kit.trackers.mlflow_curves import returned_too, send_points, settle
from hydra_callback_kit.trackers.mlflow_library import reach
from hydra_callback_kit.trackers.mlflow_values import POINTS, Names, same
from hydra_callback_kit.trackers.payload import Payload, payload_of_job, payload_of_sweep, points_to_send
from hydra_callback_kit.trackers.syncing import Outcome, Report, send_each


class Destination(NamedTuple):
    """Where a run of ours goes.

    Attributes:
        experiment_id: the experiment.
        nested: whether a sweep has a run of its own, above those of its jobs.
        wanted: what is sent.
        redaction: hides what is secret in files.
    """

    experiment_id: str
    nested: bool
    wanted: Wanted
    redaction: Redaction


def send_run(runs: Runs, run: RunRecord, to: Destination, place: str) -> Report:
    """Sends all of a run that is missing there; what is there already stays as it is, and what was deleted stays deleted.

    Args:
        runs: MLflow.
        run: the run, with the configs of its jobs if these are to be sent.
        to: where it goes.
        place: the same in words.

    Raises:
        ConnectionError: if nobody answers any more.
    """
    parent = send_sweep(runs, run, to)
    there: dict[str | None, Any] = {}
    for each in runs.of_run(to.experiment_id, run.run_id, "job", deleted=True):
        num = each.data.tags.get("hydra.job_num")
        if num not in there or not is_deleted(each):
            there[num] = each

    def send(job: JobRecord) -> Outcome:
        known, payload = there.get(str(job.job_num)), payload_of_job(run, job)
        if known is None:
            made = runs.make(to.experiment_id, "job", payload, to.wanted, parent)
        elif is_deleted(known):
            return "deleted"
        elif is_of_another_attempt(known, payload):
            made = runs.supersede(known, payload, to.wanted, parent)
        else:
            return "updated" if send_job(runs, run, job, known, to) else "complete"
        send_job(runs, run, job, made, to)
        return "made" if known is None else "updated"

    return _send_each(runs, run.jobs, send, place)


def send_what_is_left(runs: Runs, run: RunRecord, left: Mapping[int, str], to: Destination) -> Mapping[int, Exception]:
    """Ends the runs of jobs that could not do it themselves, and then sends what they have not got, which may take long.

    Args:
        runs: MLflow.
        run: their run.
        left: their runs there, by the jobs' numbers.
        to: where they go.

    Returns:
        Why a job could not be sent, by its number.

    Raises:
        ConnectionError: if nobody answers any more.
    """
    jobs = [job for job in run.jobs if job.job_num in left]

    def end(job: JobRecord) -> Outcome:
        known = runs.client.get_run(left[job.job_num])
        if is_deleted(known):
            return "deleted"
        runs.finish(known, "job", payload_of_job(run, job), to.wanted)
        return "updated"

    def send_the_rest(job: JobRecord) -> Outcome:
        known = runs.client.get_run(left[job.job_num])
        return "updated" if not is_deleted(known) and send_job(runs, run, job, known, to) else "complete"

    return {**_send_each(runs, jobs, end).failed, **_send_each(runs, jobs, send_the_rest).failed}


def _send_each(runs: Runs, jobs: Iterable[JobRecord], send: Callable[[JobRecord], Outcome], place: str = "") -> Report:
    def send_or_tell(job: JobRecord) -> Outcome:
        try:
            return send(job)
        except Exception:
            reach(runs.uri)  # where nobody answers any more, MLflow would try for minutes with each of the others
            raise

    return send_each(place, jobs, send_or_tell)


def is_deleted(known: Any) -> bool:
    """Whether a run was deleted there, which MLflow only hides."""
    return bool(known.info.lifecycle_stage == "deleted")


def send_sweep(runs: Runs, run: RunRecord, to: Destination) -> str | None:
    """Sends how a sweep itself stands.

    Returns:
        The id of its run there; None if it has none.
    """
    if run.mode != "MULTIRUN" or not to.nested:
        return None
    payload = payload_of_sweep(run)
    known = None
    for each in runs.of_run(to.experiment_id, run.run_id, "sweep", deleted=True):
        known = each if known is None or is_deleted(known) else known
    made = known if known is not None else runs.make(to.experiment_id, "sweep", payload, to.wanted)
    if is_deleted(made):
        return None
    runs.finish(made, "sweep", payload, to.wanted)
    return str(made.info.run_id)


def send_job(runs: Runs, run: RunRecord, job: JobRecord, known: Any, to: Destination) -> bool:
    """Sends what a job's run there has not got.

    Args:
        runs: MLflow.
        run: the job's run of ours.
        job: the job.
        known: its run there.
        to: where it goes.

    Returns:
        Whether anything was missing.

    Raises:
        Exception: what MLflow refuses a point with, after all else was sent.
    """
    run_id: str = known.info.run_id
    payload, directory = payload_of_job(run, job), job.output_dir
    was_missing = runs.finish(known, "job", payload, to.wanted)
    curves_were, refused = _send_curves(runs, run, job, known, payload)
    was_missing = was_missing or curves_were
    # a journal may be anybody's, and name any directory
    is_below = directory is not None and directory.resolve().is_relative_to(run.root.resolve())
    if directory is not None and is_below and runs.lacks_files(run_id, directory, to.wanted.log_artifacts):
        learn_saved_secrets(directory, to.redaction)
        runs.send_files(run_id, directory, to.wanted.log_artifacts, to.redaction.of_text)
        was_missing = True
    if refused is not None:
        raise refused
    return was_missing


def _send_curves(runs: Runs, run: RunRecord, job: JobRecord, known: Any, payload: Payload) -> tuple[bool, Exception | None]:
    """Sends what is missing of a job's curves; tells whether anything was, and why a point was refused."""
    run_id, said = known.info.run_id, known.data.tags.get(POINTS, "")
    there, refused = int(said) if said.isdecimal() else 0, None
    points: list[Point] = []
    if sum(metric.points for metric in job.metrics.values()) > there:
        points = _points(run, job)
    values = sum(len(point.values) for point in points)
    has_more = values > there
    if has_more:
        refused = send_points(runs.client, run_id, points, 0, Names(payload.metrics))
    differs = any(not same(known.data.metrics.get(name), value) for name, value in returned_too(payload).items())
    if has_more or differs:
        settle(runs.client, run_id, payload, max(values, there))
    return has_more or differs, refused


def _points(run: RunRecord, job: JobRecord) -> list[Point]:
    """The points of a job's metrics; where their file is not here, the last values."""
    points = [
        point._replace(values=values)
        for point in points_to_send(run, job)
        if (values := {name: value for name, value in point.values.items() if name in job.metrics})
    ]
    at = job.ended_at or job.started_at or ""
    last = [Point(at, metric.step, {name: metric.last}) for name, metric in job.metrics.items()]
    return points or last
