"""`tensorboard_callback`: what jobs report, and which of them was best, to be looked at in TensorBoard."""

from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.directories import is_shared
from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.facts import add_job_facts, add_run_facts
from hydra_callback_kit.hooks.job_recorder import record_job_config
from hydra_callback_kit.hooks.metric_recorder import listen
from hydra_callback_kit.hooks.own_files import are_written
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.so_far import job_so_far, run_so_far
from hydra_callback_kit.hooks.tracker_parameters import below
from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.format import CONFIGS, JOURNAL_DIR
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.trackers import tensorboard_place
from hydra_callback_kit.trackers.payload import payload_of_job
from hydra_callback_kit.trackers.tensorboard import NAME, Written, bring_up_to_date, file_of, start_of

log = SafeLogger("hydra_callback_kit.tensorboard_callback")

_written: Final[dict[int, tuple[DictConfig, Written]]] = {}
"""The files of the jobs that run in this process, by their configs."""


class TensorboardCallback(RecordingCallback):
    """Writes an event file for each job: its metrics as scalars, and its overrides as hyperparameters.

    What a job reports with `report_metrics` is there as the call returns. At its end the numbers that it returned are added
    at its last step, and how it ended. All of a job is one run in TensorBoard, so `tensorboard --logdir <sweep>` shows the
    sweep: the curves, and in the tab HPARAMS a row for each job. Nothing has to be installed to write the files.

    Reports without a step are counted, from 0 on; steps are rounded to whole numbers. TensorBoard keeps single precision.
    Another attempt at a job goes on in the same file: what was there of its first step and of later ones does not count any
    more.

    The file of a job that was killed is completed as the sweep ends, or by `hydra-callback-kit sync PATH --to tensorboard`,
    which also writes the files of a sweep that ran without this callback.

    Args:
        directory: where the file lies, in the job's directory. Jobs that share one have `tensorboard_0`, `tensorboard_1`.
        log_config: whether the whole config is hyperparameters, and not the overrides alone.

    Raises:
        ParameterError: if `directory` is no directory in the job's, or one that has another use: `metrics.jsonl`,
            `.callbacks`.

    Files:
        `tensorboard/events.out.tfevents.*` in the job's output directory: TensorBoard's event file.
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where a job
        has the fact `tensorboard`: `directory`, and `sent`, which says whether the file was completed.

    Example:
        ```yaml
        defaults:
          - callbacks: [tensorboard_callback]
          - _self_
        ```
    """

    writes_summaries = True

    def __init__(self, directory: str = "tensorboard", log_config: bool = False) -> None:
        self.directory = below("directory", directory, (metric_points.NAME, JOURNAL_DIR))
        self.log_config = log_config

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records what is wanted, for `sync`."""
        self._set_up(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records what is wanted, for `sync`."""
        self._set_up(config)

    def _set_up(self, config: DictConfig) -> None:
        add_run_facts({NAME: {"directory": self.directory, "log_config": self.log_config}}, config)

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Begins the file."""
        if self.log_config:
            record_job_config(config)
        job, run = identify_job(config), run_so_far(config)
        directory = self._directory(config)
        payload = payload_of_job(run, job_so_far(config, with_config=self.log_config))
        path = file_of(job.output_dir / directory, job.run.run_id, job.job_num)
        written = Written(path, start_of(payload, log_config=self.log_config))
        _written[id(config)] = config, written
        listen(config, written.add)
        add_job_facts({NAME: {"directory": directory, "sent": False}}, config)
        are_written(config, [directory])

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Completes the file."""
        known, written = _written.pop(id(config), (None, None))
        if written is None or known is not config:
            return
        job = job_so_far(config, with_config=False)
        written.end(payload_of_job(run_so_far(config), job))
        add_job_facts({NAME: {"directory": self._directory(config), "sent": job.status != "RUNNING"}}, config)

    def at_the_end(self, config: DictConfig) -> None:
        """Completes the files of jobs that could not do it."""
        run = run_at_its_end(config, without=() if self.log_config else CONFIGS)
        for job in run.jobs:
            fact = job.facts.get(NAME)
            if job.status == "RUNNING" or (type(fact) is dict and fact.get("sent")):
                continue
            path = tensorboard_place.path_of(run, job)
            if path.parent.is_dir():  # else the job has run elsewhere, and has its file there
                bring_up_to_date(path, run, job, log_config=self.log_config)

    def _directory(self, config: DictConfig) -> str:
        if not is_shared(config, self.directory):
            return self.directory
        return tensorboard_place.own(self.directory, identify_job(config).job_num)
