"""A run of ours, sent to MLflow from its record: as it ends what its jobs could not send, and by `sync` all of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.metric_points import Point, points_of
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.trackers.mlflow import Runs, Wanted
from hydra_callback_kit.trackers.mlflow_values import not_there
from hydra_callback_kit.trackers.payload import payload_of_job, payload_of_sweep
from hydra_callback_kit.trackers.saved_secrets import learn_saved_secrets


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


def send_run(runs: Runs, run: RunRecord, to: Destination) -> tuple[int, int, int, int]:
    """Sends all of a run that is missing there; what is there already stays as it is.

    Args:
        runs: MLflow.
        run: the run, with the configs of its jobs if these are to be sent.
        to: where it goes.

    Returns:
        How many runs of jobs were made, were updated, and had it all; and how many jobs still run.
    """
    parent = send_sweep(runs, run, to)
    there = {each.data.tags.get("hydra.job_num"): each for each in runs.of_run(to.experiment_id, run.run_id, "job")}
    made, updated, complete, running = 0, 0, 0, 0
    for job in run.jobs:
        known = there.get(str(job.job_num))
        if job.status == "RUNNING":
            running += 1
        elif known is None:
            payload = payload_of_job(run, job)
            send_job(runs, run, job, runs.make(to.experiment_id, "job", payload, to.wanted, parent), to)
            made += 1
        elif send_job(runs, run, job, known, to):
            updated += 1
        else:
            complete += 1
    return made, updated, complete, running


def send_sweep(runs: Runs, run: RunRecord, to: Destination) -> str | None:
    """Sends how a sweep itself stands.

    Returns:
        The id of its run there; None if it has none.
    """
    if run.mode != "MULTIRUN" or not to.nested:
        return None
    payload = payload_of_sweep(run)
    known = next(runs.of_run(to.experiment_id, run.run_id, "sweep"), None)
    made = known if known is not None else runs.make(to.experiment_id, "sweep", payload, to.wanted)
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
    """
    run_id: str = known.info.run_id
    was_missing = runs.finish(known, "job", payload_of_job(run, job), to.wanted)
    directory, names = job.output_dir, not_there(known.data, job.metrics)
    # a journal may be anybody's, and name any directory
    if directory is None or not directory.resolve().is_relative_to(run.root.resolve()):
        return was_missing
    if names:
        runs.send_points(run_id, _points(job, names), {})
        was_missing = True
    if runs.lacks_files(run_id, directory, to.wanted.log_artifacts):
        learn_saved_secrets(directory, to.redaction)
        runs.send_files(run_id, directory, to.wanted.log_artifacts, to.redaction.of_text)
        was_missing = True
    return was_missing


def _points(job: JobRecord, names: Sequence[str]) -> list[Point]:
    """The courses of some metrics; where the file of the points is not here, their last values."""
    points = [
        point._replace(values={name: point.values[name] for name in names if name in point.values})
        for point in points_of(job)
    ]
    last = [
        Point(job.ended_at or job.started_at or "", job.metrics[name].step, {name: job.metrics[name].last}) for name in names
    ]
    return [point for point in points if point.values] or last
