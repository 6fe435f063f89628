"""`mlflow_callback`: each job is a run in MLflow, below one for the sweep."""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job, job_name
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.facts import add_job_facts, add_run_facts
from hydra_callback_kit.hooks.job_recorder import record_job_config
from hydra_callback_kit.hooks.metric_recorder import listen
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.so_far import job_so_far, run_so_far
from hydra_callback_kit.hooks.tracker_parameters import filled, globs, seconds, texts_by_name
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.trackers import mlflow_active
from hydra_callback_kit.trackers.credentials import without_credentials
from hydra_callback_kit.trackers.mlflow import STATUS, TRACKER, Runs, Wanted
from hydra_callback_kit.trackers.mlflow_curves import send_points, settle
from hydra_callback_kit.trackers.mlflow_experiment import experiment_of
from hydra_callback_kit.trackers.mlflow_fact import job_fact, unsent_run
from hydra_callback_kit.trackers.mlflow_library import address, is_address, load, source_tags, using
from hydra_callback_kit.trackers.mlflow_sending import Destination, send_sweep, send_what_is_left
from hydra_callback_kit.trackers.mlflow_values import Names
from hydra_callback_kit.trackers.patience import Patience, patience_of
from hydra_callback_kit.trackers.payload import payload_of_job, payload_of_sweep
from hydra_callback_kit.trackers.point_stream import PointStream

log = SafeLogger("hydra_callback_kit.mlflow_callback")

_RUN: Final = "mlflow_run"
"""The note on a job's config that names its run in MLflow."""


_START_JOBS_ONCE: Final = ("basic", "joblib", "submitit_local", "submitit_slurm")
"""The launchers that start no job again, or that let it know."""


class MlflowCallback(RecordingCallback):
    """Makes each job a run in MLflow, below one for the sweep; a single run is a run by itself.

    The experiment and the sweep's run are made once, before the first job starts. While a task function runs, its job's run
    is MLflow's active run: what the app logs with `mlflow.log_metric`, `mlflow.autolog` and so on lands there, and runs that
    the app starts with `nested=True` lie below it. Runs that are still active from before are ended. The app starts no other
    run of its own, and sets no tracking URI and no experiment.

    At its end a job's run has as params the overrides and the config, as metrics the numbers that it returned, as tags where
    it comes from (`hydra.job_num`, `hydra.sweep_dir`, `hydra.output_dir`, `hydra.overrides`, `hydra.launcher`,
    `hydra.launcher_id`, `hydra.host`, `hydra.commit`), and its status: `FINISHED`, `FAILED` (the tag `hydra.error` says why)
    or `KILLED`. What it reports by `report_metrics` comes while it runs. A job that is killed says nothing more, and is
    closed as the sweep ends. Params come at the end, because MLflow refuses a param that has another value already, and it
    must not be the app that fails. Where the app has logged one of the same name and another value, the app's stays, and
    ours is the tag `hydra.param.<name>`.

    Another attempt at a job (by `retry_callback`, `resume_callback`, `rerun` or a requeue) has a new run, which is the job's
    from then on, and the earlier one lies below it with the tags `hydra.kind=attempt` and `hydra.superseded_by`: MLflow
    deletes no point, calls that of the highest step the latest, and refuses a param that has another value. So the runs with
    `hydra.kind=job` are as many as jobs. Where the earlier one has left neither metrics nor params, because it was killed
    before, its run goes on.

    A job never fails because of MLflow, and waits for it no longer than said. What is missing there afterwards,
    `hydra-callback-kit sync PATH --to mlflow` sends. Secrets are hidden in all that is sent, also in files; see
    `RedactionCallback`.

    Args:
        experiment: the experiment's name. null: what MLflow's own settings (`MLFLOW_EXPERIMENT_NAME`,
            `MLFLOW_EXPERIMENT_ID`) say, else `hydra.job.name`.
        tracking_uri: where MLflow is: `http://host:5000`, `sqlite:///mlflow.db`. null: what MLflow's own settings
            (`MLFLOW_TRACKING_URI`) say.
        nested: whether a sweep has a run of its own, above those of its jobs.
        tags: tags of all these runs, by name.
        log_artifacts: which files of the job's directory go to MLflow, as globs in it; a directory with all that is in it.
        log_config: whether the config is logged as params, and not the overrides alone.
        timeout_s: how long a job waits for MLflow at its start and at its end, and a sweep at its end, in seconds. After one
            wait in which MLflow took nothing in, it is not asked again.
        setup_timeout_s: how long the run or sweep waits for it at its start, in seconds. To make a new SQLite database takes
            MLflow a quarter of a minute.

    Raises:
        NotInstalledError: if MLflow is not installed.
        ParameterError: if `experiment` or `tracking_uri` is blank, MLflow knows no such address, `tags` is no mapping to
            texts, `log_artifacts` is no list of globs or leads out of the job's directory, or a time is not more than 0.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where run and
        jobs have the fact `mlflow`: `uri` (without credentials), `experiment_id` and `run_id`; a job `sent`, which says
        whether all was sent at its end, and the run these parameters, which `sync` goes by.

    Example:
        ```yaml
        defaults:
          - callbacks: [mlflow_callback]
          - _self_

        hydra:
          callbacks:
            mlflow_callback:
              experiment: my-study
              tracking_uri: sqlite:///mlflow.db
              tags: {team: vision}
        ```
    """

    writes_summaries = True

    def __init__(
        self,
        experiment: str | None = None,
        tracking_uri: str | None = None,
        nested: bool = True,
        tags: Mapping[str, Any] = MappingProxyType({}),
        log_artifacts: Sequence[str] = (".hydra", "*.log"),
        log_config: bool = True,
        timeout_s: float = 10.0,
        setup_timeout_s: float = 60.0,
    ) -> None:
        if importlib.util.find_spec("mlflow") is None:
            raise NotInstalledError(["mlflow"], "mlflow")
        self.experiment = filled("experiment", experiment, "an experiment's name", "my-study")
        self.tracking_uri = filled("tracking_uri", tracking_uri, "an address", "http://127.0.0.1:5000")
        if tracking_uri is not None and not (isinstance(tracking_uri, str) and is_address(tracking_uri)):
            advice = "Write for example tracking_uri=http://127.0.0.1:5000 or sqlite:///mlflow.db."
            raise ParameterError(
                "tracking_uri", without_credentials(str(tracking_uri)), "an address that MLflow knows", advice
            )
        self.nested = nested
        self.tags = texts_by_name("tags", tags)
        self.log_artifacts = globs("log_artifacts", log_artifacts)
        self.log_config = log_config
        self.timeout_s = seconds("timeout_s", timeout_s, 10)
        self.setup_timeout_s = seconds("setup_timeout_s", setup_timeout_s, 60)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Makes the experiment."""
        self._set_up(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Makes the experiment, and the sweep's run."""
        self._set_up(config)

    def _set_up(self, config: DictConfig) -> None:
        run, name = run_so_far(config), job_name(config)
        uri = address(self.tracking_uri)
        load(uri)
        patience = patience_of(config, TRACKER, log, uri)

        what = f"the start of the {_word(run)}"
        source = patience.ask(what, source_tags, self.setup_timeout_s, is_local=True) or {}
        wanted = self._wanted(patience, source)
        known = {"uri": without_credentials(uri), "nested": self.nested, "source": source, **wanted._asdict()}
        # before the first try: `sync` does the same where nobody answers here
        add_run_facts({TRACKER.name: {**known, "experiment": self.experiment}}, config)

        def set_up() -> dict[str, Any]:
            runs = Runs(uri)
            experiment = experiment_of(runs.client, self.experiment, name)
            parent = None
            if run.mode == "MULTIRUN" and self.nested:
                parent = runs.begin(experiment.id, "sweep", payload_of_sweep(run), wanted).info.run_id
            return {"experiment": experiment.name, "experiment_id": experiment.id, "run_id": parent}

        place = patience.ask(what, set_up, self.setup_timeout_s)
        if place is not None:
            notes_of(config)[TRACKER.name] = {"uri": uri, "source": source, **place}
            add_run_facts({TRACKER.name: {**known, **place}}, config)
            log.info("MLflow: experiment %s at %s", place["experiment"], patience.hide(uri))

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Makes the job's run, and makes it MLflow's active one."""
        if self.log_config:
            record_job_config(config)
        place = notes_of(config).get(TRACKER.name)
        if place is None:
            return
        uri, experiment_id = place["uri"], place["experiment_id"]
        load(uri)
        patience = patience_of(config, TRACKER, log, uri)
        strays, job = mlflow_active.take_away(), job_so_far(config, with_config=False)
        run, wanted = run_so_far(config), self._wanted(patience, place["source"])
        payload = payload_of_job(run, job)
        # what Ray or RQ starts again says nothing of it
        is_new = job.attempts == 1 and run.mode == "MULTIRUN" and run.facts["launcher"] in _START_JOBS_ONCE

        def begin() -> Any:
            runs = Runs(uri)
            runs.end(strays, "FINISHED")
            return runs.begin(experiment_id, "job", payload, wanted, place["run_id"], is_new=is_new)

        made = patience.ask(f"the start of job {job.job_num}", begin, self.timeout_s)
        if made is not None:
            notes_of(config)[_RUN] = made.info.run_id
            mlflow_active.make_active(made, uri)
            add_job_facts(job_fact(place, made.info.run_id, sent=False), config)
            names = Names()

            def send(points: list[Point], first: int) -> None:
                refused = send_points(Runs(uri).client, made.info.run_id, points, first, names)
                if refused is not None:
                    patience.complain("a point of what a job reports", refused)

            stream = PointStream(patience, send)
            _streams[os.getpid(), made.info.run_id] = stream
            listen(config, stream.take)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Sends what came of the job, and ends its run."""
        run_id, place = notes_of(config).pop(_RUN, None), notes_of(config).get(TRACKER.name)
        if run_id is None or place is None:
            return
        stream = _streams.pop((os.getpid(), run_id), None)
        inner = [each for each in mlflow_active.take_away() if each != run_id]
        patience = patience_of(config, TRACKER, log, place["uri"])
        job, wanted = job_so_far(config, with_config=self.log_config), self._wanted(patience, place["source"])
        payload, directory = payload_of_job(run_so_far(config), job), identify_job(config).output_dir

        reported = sum(metric.points for metric in job.metrics.values())

        def finish() -> bool:
            runs = Runs(place["uri"])
            runs.end(inner, STATUS["COMPLETED" if job.status == "COMPLETED" else "FAILED"])
            runs.finish(runs.client.get_run(run_id), "job", payload, wanted)
            patience.was_answered()
            sent = 0
            if stream is not None:
                stream.end()
                sent = stream.values
            settle(runs.client, run_id, payload, sent)
            runs.send_files(run_id, directory, wanted.log_artifacts, patience.redaction.of_text)
            # what an earlier attempt has reported, and still counts, is sent from the record
            return job.status != "RUNNING" and sent >= reported

        was_sent = patience.ask(f"the end of job {job.job_num}", finish, self.timeout_s)
        mlflow_active.put_back(run_id)
        if was_sent:
            add_job_facts(job_fact(place, run_id, sent=True), config)

    def at_the_end(self, config: DictConfig) -> None:
        """Ends the sweep's run, and the runs of jobs that could not do it: killed ones, and those left by `sys.exit`."""
        place = notes_of(config).get(TRACKER.name)
        if place is None:
            return
        mlflow_active.forget_all()
        run = run_at_its_end(config, without=() if self.log_config else CONFIGS)
        left = {job.job_num: run_id for job in run.jobs if (run_id := unsent_run(job)) is not None}
        if not left and place["run_id"] is None:
            return
        load(place["uri"])
        patience = patience_of(config, TRACKER, log, place["uri"])
        to = Destination(place["experiment_id"], self.nested, self._wanted(patience, place["source"]), patience.redaction)

        def finish() -> None:
            runs = Runs(place["uri"])
            send_sweep(runs, run, to)
            with using(place["uri"]):
                failed = send_what_is_left(runs, run, left, to)
            for job_num, error in failed.items():
                patience.complain(f"the end of job {job_num}", error)

        patience.ask(f"the end of the {_word(run)}", finish, self.timeout_s)

    def _wanted(self, patience: Patience, source: Mapping[str, str]) -> Wanted:
        tags = {name: patience.hide(tag) for name, tag in self.tags.items()}
        return Wanted({**source, **tags}, self.log_config, self.log_artifacts)


_streams: Final[dict[tuple[int, str], PointStream]] = {}
"""What the jobs that run in this process report, by process and by the id of their run in MLflow."""


def _word(run: RunRecord) -> str:
    return "sweep" if run.mode == "MULTIRUN" else "run"
