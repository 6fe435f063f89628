"""MLflow: one run for each job, below one for the sweep. These are requests: they are made within `Patience.ask`.

A run is found again by its tags: `hydra.run_id`, which is the sweep's or the single run's, `hydra.kind`, and
`hydra.job_num`. Another attempt at a job goes on in the same run, unless that has metrics. For MLflow deletes no point, and
calls that of the highest step the latest, so that the curves of two attempts would be a mix. Then the new attempt has a run
of its own, which is the job's from then on, and the earlier one lies below it. So there are as many runs of kind `job` as
jobs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from hydra_callback_kit.trackers.artifacts import files_of, gathered
from hydra_callback_kit.trackers.mlflow_library import reach, without_its_links
from hydra_callback_kit.trackers.mlflow_values import (
    ERROR,
    MAX_OLD_PARAM,
    METRICS_A_BATCH,
    PARAMS_A_BATCH,
    Names,
    Values,
    metrics_of,
    milliseconds,
    missing,
    now_ms,
    params_of,
    tags_of,
)
from hydra_callback_kit.trackers.patience import Tracker
from hydra_callback_kit.trackers.payload import Payload

Kind: TypeAlias = Literal["job", "sweep"]

SUPERSEDED: Final = "attempt"
"""The kind of the run of an attempt at a job that does not count any more."""

TRACKER: Final = Tracker("mlflow", "MLflow", ("MLFLOW_", "DATABRICKS_", "AWS_"), ("mlflow", "urllib3", "alembic"), True)

STATUS: Final = {"COMPLETED": "FINISHED", "FAILED": "FAILED", "INTERRUPTED": "KILLED", "RUNNING": "RUNNING"}

_PARENT: Final = "mlflow.parentRunId"
_KIND: Final = "hydra.kind"
_ATTEMPT: Final = "hydra.attempt"
_ACTIVE, _ALL = 1, 3
"""Which runs are sought, in MLflow's numbers: those that were deleted as well, or not."""


class Wanted(NamedTuple):
    """What a user wants to be sent, besides what always is.

    Attributes:
        tags: of every run.
        log_config: whether the config's values are params.
        log_artifacts: globs in the job's directory.
    """

    tags: Mapping[str, str]
    log_config: bool
    log_artifacts: Sequence[str]


class Runs:
    """The runs that an MLflow has.

    Args:
        uri: where it is, as `address` gives it.

    Attributes:
        uri: the same.
        client: MLflow's own.

    Raises:
        ConnectionError: if nobody answers there.
    """

    def __init__(self, uri: str) -> None:
        import mlflow  # noqa: PLC0415  it takes seconds

        reach(uri)
        self.uri = uri
        self.client = mlflow.MlflowClient(tracking_uri=uri)

    def of_run(
        self, experiment_id: str, run_id: str, kind: Kind, job_num: str | None = None, *, deleted: bool = False
    ) -> Iterator[Any]:
        """What it has of a run of ours, the oldest first.

        Args:
            experiment_id: the experiment.
            run_id: our run.
            kind: whether its jobs are sought, or the sweep itself.
            job_num: the job's number; None for all.
            deleted: whether those count as well that were deleted there.
        """
        sought = f"tags.`hydra.run_id` = '{run_id}' and tags.`{_KIND}` = '{kind}'"
        if job_num is not None:
            sought += f" and tags.`hydra.job_num` = '{job_num}'"
        token = None
        while True:
            view, order = _ALL if deleted else _ACTIVE, ["attributes.start_time ASC"]
            page = self.client.search_runs([experiment_id], sought, view, 1_000, order, token)
            yield from page
            token = page.token
            if not token:
                return

    def begin(
        self,
        experiment_id: str,
        kind: Kind,
        payload: Payload,
        wanted: Wanted,
        parent: str | None = None,
        *,
        is_new: bool = False,
    ) -> Any:
        """The run of a job or a sweep that starts: it is made, or goes on if there is one.

        Args:
            experiment_id: the experiment.
            kind: what it is the run of.
            payload: what is known of it.
            wanted: what else is wanted.
            parent: the id of the sweep's run.
            is_new: whether there can be none: to look for it takes as long as to make one.

        Returns:
            MLflow's `Run`.
        """
        for found in () if is_new else self.of_run(experiment_id, payload.tags["run_id"], kind, payload.tags.get("job_num")):
            if kind == "job" and _has_told(found):
                return self.supersede(found, payload, wanted, parent)
            self.client.update_run(found.info.run_id, "RUNNING")
            self._log(found.info.run_id, Values({}, {}, _attempt_of(payload)), None)
            if ERROR in found.data.tags:
                self.client.delete_tag(found.info.run_id, ERROR)
            return found
        return self.make(experiment_id, kind, payload, wanted, parent)

    def supersede(self, known: Any, payload: Payload, wanted: Wanted, parent: str | None) -> Any:
        """Makes a run for another attempt at a job; the one that is there is the job's no more, and lies below it.

        Args:
            known: MLflow's `Run` of the earlier attempt.
            payload: what is known of the job.
            wanted: what else is wanted.
            parent: the id of the sweep's run.

        Returns:
            MLflow's `Run` of the new one.
        """
        run_id = known.info.run_id
        self._log(run_id, Values({}, {}, {_KIND: SUPERSEDED}), None)
        if known.info.status == "RUNNING":
            self.end([run_id], STATUS["INTERRUPTED"])
        made = self.make(known.info.experiment_id, "job", payload, wanted, parent)
        self._log(run_id, Values({}, {}, {"hydra.superseded_by": made.info.run_id, _PARENT: made.info.run_id}), None)
        return made

    def make(self, experiment_id: str, kind: Kind, payload: Payload, wanted: Wanted, parent: str | None = None) -> Any:
        """Makes the run of a job or a sweep; see `begin`."""
        tags = {**tags_of(kind, payload, wanted.tags), **({} if parent is None else {_PARENT: parent})}
        return self.client.create_run(experiment_id, milliseconds(payload.started_at), tags, payload.name)

    def finish(self, run: Any, kind: Kind, payload: Payload, wanted: Wanted) -> bool:
        """Sends what is known of a job or a sweep and is not there, and its status.

        Args:
            run: MLflow's `Run` as it is there.
            kind: what it is the run of.
            payload: what there is to send.
            wanted: what else is wanted.

        Returns:
            Whether anything was missing there.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  it takes seconds

        run_id: str = run.info.run_id
        params = payload.params() if wanted.log_config else payload.overrides
        values = Values(params_of(params), _not_reported(payload), tags_of(kind, payload, wanted.tags))
        values = missing(run.data, values, lambda name: self._is_a_curve(run_id, name))
        try:
            self._log(run_id, values, payload.ended_at)
        except MlflowException:
            short = params_of(values.params, MAX_OLD_PARAM)
            if short == values.params:
                raise
            self._log(run_id, values._replace(params=short), payload.ended_at)
        if run.info.status == STATUS[payload.status]:
            return any(values)
        if payload.status != "RUNNING":
            self.end([run_id], STATUS[payload.status], payload.ended_at)
        return True

    def _is_a_curve(self, run_id: str, name: str) -> bool:
        """Whether a metric has more than a first step: then it is the app's own, and not what an attempt has returned."""
        return any(point.step for point in self.client.get_metric_history(run_id, name))

    def send_files(self, run_id: str, directory: Path, patterns: Sequence[str], hide: Callable[[str], str]) -> None:
        """Sends the files of a job.

        Args:
            run_id: its run there.
            directory: the job's directory.
            patterns: globs in it.
            hide: takes what is secret out of a text.
        """
        with gathered(directory, patterns, hide) as files:
            if files is not None:
                self.client.log_artifacts(run_id, str(files))

    def lacks_files(self, run_id: str, directory: Path, patterns: Sequence[str]) -> bool:
        """Whether a file of a job is not there; see `send_files`."""
        files = {file.relative_to(directory) for file in files_of(directory, patterns)}
        for parent in {file.parent for file in files}:
            path = None if parent == Path() else parent.as_posix()
            there = {Path(each.path) for each in self.client.list_artifacts(run_id, path)}
            if {file for file in files if file.parent == parent} - there:
                return True
        return False

    def end(self, run_ids: Sequence[str], status: str, ended_at: str | None = None) -> None:
        """Ends runs there."""
        for run_id in run_ids:
            with without_its_links():
                self.client.set_terminated(run_id, status, milliseconds(ended_at))

    def _log(self, run_id: str, values: "Values", time_of: str | None) -> None:
        """One batch, where all fits into one."""
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415  it takes seconds

        now = milliseconds(time_of) or now_ms()
        params = [Param(key, value) for key, value in values.params.items()]
        metrics = [Metric(key, value, now, 0) for key, value in values.metrics.items()]
        tags = [RunTag(key, value) for key, value in values.tags.items()]
        while params or metrics or tags:
            self.client.log_batch(run_id, metrics[:METRICS_A_BATCH], params[:PARAMS_A_BATCH], tags[:PARAMS_A_BATCH])
            del metrics[:METRICS_A_BATCH], params[:PARAMS_A_BATCH], tags[:PARAMS_A_BATCH]


def _has_told(known: Any) -> bool:
    """Whether a run has what MLflow lets nobody change: another attempt's would be a mix, or refused, and the app fails."""
    return bool(known.data.metrics or known.data.params)


def is_of_another_attempt(known: Any, payload: Payload) -> bool:
    """Whether a job's run there has metrics or params of an attempt at it that is not the one that counts.

    Args:
        known: MLflow's `Run`.
        payload: what is known of the job.
    """
    return _has_told(known) and known.data.tags.get(_ATTEMPT) != _attempt_of(payload).get(_ATTEMPT)


def _attempt_of(payload: Payload) -> dict[str, str]:
    return {_ATTEMPT: payload.tags["attempt"]} if "attempt" in payload.tags else {}


def _not_reported(payload: Payload) -> dict[str, float]:
    """The metrics that have no course: that of the others says more."""
    names = Names(payload.metrics)
    return metrics_of({name: value for name, value in payload.metrics.items() if name not in payload.reported}, names)
