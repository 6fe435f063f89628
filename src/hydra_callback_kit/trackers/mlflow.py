"""MLflow: one run for each job, below one for the sweep. These are requests: they are made within `Patience.ask`.

A run is found again by its tags: `hydra.run_id`, which is the sweep's or the single run's, `hydra.kind`, and
`hydra.job_num`. So another attempt at a job goes on in the same run.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from hydra_callback_kit.trackers import mlflow_limits as limits
from hydra_callback_kit.trackers.artifacts import files_of, gathered
from hydra_callback_kit.trackers.patience import Tracker
from hydra_callback_kit.trackers.payload import Payload

Kind: TypeAlias = Literal["job", "sweep"]

TRACKER: Final = Tracker("mlflow", "MLflow", ("MLFLOW_", "DATABRICKS_", "AWS_"), ("mlflow", "urllib3", "alembic"))

STATUS: Final = {"COMPLETED": "FINISHED", "FAILED": "FAILED", "INTERRUPTED": "KILLED", "RUNNING": "RUNNING"}

_DATABASES: Final = ("sqlite", "postgresql", "mysql", "mssql")
_PARENT: Final = "mlflow.parentRunId"
_ERROR: Final = "hydra.error"
_SOURCE: Final = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


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


def load(uri: str) -> None:
    """Imports MLflow, and what it needs to write into a database itself: seconds in which no tracker is waited for.

    Args:
        uri: where the runs go.
    """
    import mlflow  # noqa: PLC0415  it takes seconds

    if uri.startswith(_DATABASES):
        with contextlib.suppress(ImportError):  # MLflow itself will say what is missing
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401, PLC0415  the same


def address(uri: str | None) -> str:
    """Where the runs go, the same from every directory.

    Args:
        uri: as it was given; None for what MLflow's own settings say.
    """
    import mlflow  # noqa: PLC0415  it takes seconds

    given: str = uri or mlflow.get_tracking_uri()
    scheme, is_file, path = given.partition(":///")
    if scheme.startswith("sqlite") and is_file and path and not path.startswith(("/", ":memory:")):
        return f"{scheme}:///{os.path.abspath(path)}"  # noqa: PTH100  it need not be there yet
    return given if ":" in given or given == "databricks" else os.path.abspath(given)  # noqa: PTH100  the same


class Runs:
    """The runs that an MLflow has.

    Args:
        uri: where it is, as `address` gives it.

    Raises:
        ConnectionError: if nobody answers there.
    """

    def __init__(self, uri: str) -> None:
        import mlflow  # noqa: PLC0415  it takes seconds

        _reach(uri)
        self.client = mlflow.MlflowClient(tracking_uri=uri)

    def experiment(self, name: str | None, otherwise: str) -> str:
        """The id of an experiment, which is made if there is none.

        Args:
            name: its name; None for what MLflow's own settings say.
            otherwise: its name if they say nothing.

        Raises:
            ValueError: if it was deleted.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  it takes seconds

        name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME")
        if not name and os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return os.environ["MLFLOW_EXPERIMENT_ID"]
        name = name or otherwise
        found = self.client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self.client.create_experiment(name))
            except MlflowException:
                found = self.client.get_experiment_by_name(name)  # somebody else has made it in this moment
                if found is None:
                    raise
        if found.lifecycle_stage != "active":
            raise ValueError(f"the experiment {name!r} was deleted: restore it, or choose another one")
        return str(found.experiment_id)

    def of_run(self, experiment_id: str, run_id: str, kind: Kind, job_num: str | None = None) -> Iterator[Any]:
        """What it has of a run of ours, the oldest first.

        Args:
            experiment_id: the experiment.
            run_id: our run.
            kind: whether its jobs are sought, or the sweep itself.
            job_num: the job's number; None for all.
        """
        sought = f"tags.`hydra.run_id` = '{run_id}' and tags.`hydra.kind` = '{kind}'"
        if job_num is not None:
            sought += f" and tags.`hydra.job_num` = '{job_num}'"
        token = None
        while True:
            page = self.client.search_runs([experiment_id], sought, 1, 1_000, ["attributes.start_time ASC"], token)
            yield from page
            token = page.token
            if not token:
                return

    def begin(self, experiment_id: str, kind: Kind, payload: Payload, wanted: Wanted, parent: str | None = None) -> Any:
        """The run of a job or a sweep that starts: it is made, or goes on if there is one.

        Args:
            experiment_id: the experiment.
            kind: what it is the run of.
            payload: what is known of it.
            wanted: what else is wanted.
            parent: the id of the sweep's run.

        Returns:
            MLflow's `Run`.
        """
        for found in self.of_run(experiment_id, payload.tags["run_id"], kind, payload.tags.get("job_num")):
            self.client.update_run(found.info.run_id, "RUNNING")
            if _ERROR in found.data.tags:
                self.client.delete_tag(found.info.run_id, _ERROR)
            return found
        return self.make(experiment_id, kind, payload, wanted, parent)

    def make(self, experiment_id: str, kind: Kind, payload: Payload, wanted: Wanted, parent: str | None = None) -> Any:
        """Makes the run of a job or a sweep; see `begin`."""
        tags = {**_tags(kind, payload, wanted), **({} if parent is None else {_PARENT: parent})}
        return self.client.create_run(experiment_id, _milliseconds(payload.started_at), tags, payload.name)

    def finish(self, run: Any, kind: Kind, payload: Payload, wanted: Wanted) -> bool:
        """Sends what is known of a job or a sweep, and its status.

        Args:
            run: MLflow's `Run` as it is there; or its id, where probably nothing of ours is there yet.
            kind: what it is the run of.
            payload: what there is to send.
            wanted: what else is wanted.

        Returns:
            Whether anything was missing there.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  it takes seconds

        run_id: str = run if isinstance(run, str) else run.info.run_id
        params = payload.params() if wanted.log_config else payload.overrides
        values = _Values(limits.params_of(params), limits.metrics_of(payload.metrics), _tags(kind, payload, wanted))
        if isinstance(run, str):
            try:
                self._log(run_id, values, payload.ended_at)
            except MlflowException:
                run = self.client.get_run(run_id)  # the app has logged a param of the name, or the server is an old one
        if not isinstance(run, str):
            values = _missing(run.data, values)
            try:
                self._log(run_id, values, payload.ended_at)
            except MlflowException:
                short = limits.params_of(values.params, limits.MAX_OLD_PARAM)
                if short == values.params:
                    raise
                self._log(run_id, values._replace(params=short), payload.ended_at)
            if run.info.status == STATUS[payload.status]:
                return any(values)
        if payload.status != "RUNNING":
            self.end([run_id], STATUS[payload.status], payload.ended_at)
        return True

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
            with _without_its_links():
                self.client.set_terminated(run_id, status, _milliseconds(ended_at))

    def _log(self, run_id: str, values: "_Values", time_of: str | None) -> None:
        """One batch, where all fits into one."""
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415  it takes seconds

        now = _milliseconds(time_of) or int(time.time() * 1_000)
        params = [Param(key, value) for key, value in values.params.items()]
        metrics = [Metric(key, value, now, 0) for key, value in values.metrics.items()]
        tags = [RunTag(key, value) for key, value in values.tags.items()]
        while params or metrics or tags:
            self.client.log_batch(
                run_id, metrics[: limits.METRICS_A_BATCH], params[: limits.PARAMS_A_BATCH], tags[: limits.PARAMS_A_BATCH]
            )
            del metrics[: limits.METRICS_A_BATCH], params[: limits.PARAMS_A_BATCH], tags[: limits.PARAMS_A_BATCH]


class _Values(NamedTuple):
    """What is sent in batches."""

    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


def _missing(there: Any, values: _Values) -> _Values:
    """What a run has not got. A param cannot be changed: another value than that which is there, the app's own or that of an
    earlier attempt, becomes a tag.
    """
    params = {key: value for key, value in values.params.items() if key not in there.params}
    other = {f"hydra.param.{key}": value for key, value in values.params.items() if there.params.get(key, value) != value}
    metrics = {key: value for key, value in values.metrics.items() if not _same(there.metrics.get(key), value)}
    tags = {**limits.tags_of(other), **values.tags}
    return _Values(params, metrics, {key: value for key, value in tags.items() if there.tags.get(key) != value})


def _same(one: float | None, other: float) -> bool:
    return one is not None and (one == other or (one != one and other != other))  # noqa: PLR0124  NaN


def source_tags() -> dict[str, str]:
    """Who has started this process, from which file and commit, as MLflow itself notes it with the runs of its own API."""
    from mlflow.tracking.context.registry import resolve_tags  # noqa: PLC0415  it takes seconds

    return {name: str(tag) for name, tag in resolve_tags().items() if name in _SOURCE}


def _tags(kind: Kind, payload: Payload, wanted: Wanted) -> dict[str, str]:
    """The user's own, and ours below `hydra.`; MLflow shows the commit where it shows its own."""
    ours = {f"hydra.{name}": text for name, text in payload.tags.items()}
    commit = {"mlflow.source.git.commit": payload.tags["commit"]} if "commit" in payload.tags else {}
    error = {} if payload.error is None else {_ERROR: payload.error}
    return limits.tags_of({**commit, **wanted.tags, **ours, "hydra.kind": kind, **error})


def _milliseconds(time_of: str | None) -> int | None:
    return None if time_of is None else int(datetime.fromisoformat(time_of).timestamp() * 1_000)


def _reach(uri: str) -> None:
    """A server that is down is known at once: MLflow itself tries for minutes."""
    if not uri.startswith(("http://", "https://")):
        return
    import requests  # noqa: PLC0415  MLflow has it

    try:
        # one that takes the connection and says nothing is waited for, as far as anybody has patience
        requests.get(f"{uri.rstrip('/')}/health", timeout=600, allow_redirects=False).close()
    except requests.exceptions.SSLError:
        return  # MLflow has settings for it
    except requests.exceptions.ConnectionError as error:
        raise ConnectionError(f"nobody answers at {uri}") from error


@contextlib.contextmanager
def _without_its_links() -> Iterator[None]:
    """MLflow prints two lines for each run that ends, which belong into no job's output."""
    name = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
