"""A run as Python code wants it: the record, and what is computed from it."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.life import HERE, Sight
from hydra_callback_kit.journal.metric_points import points_of
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.remote.mark import NOT_WHOLE, is_half_a_copy
from hydra_callback_kit.remote.mirror import NoRunThereError, mirror, named
from hydra_callback_kit.remote.store import is_url
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import ranking_asked, ranking_on_record, unknown_key
from hydra_callback_kit.views.direction import Best, direction_of
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.ranking import best_job
from hydra_callback_kit.views.results import flat_rows, free_name
from hydra_callback_kit.views.setting_list import SettingList
from hydra_callback_kit.views.setting_ranking import RANK_BY, RankBy, best_setting
from hydra_callback_kit.views.settings import Setting, settings_of

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from plotly.graph_objects import Figure


@dataclasses.dataclass(slots=True, repr=False)
class Run(RunRecord):
    """A single run or a sweep, as `load_run` returns it.

    The attributes are those of the record; its jobs have the fields of `results.json`: `job_num`, `job_id`, `job_name`,
    `status`, `overrides`, `return_value`, `error`, `started_at`, `ended_at`, `duration_s`, `attempts`, `host`, `output_dir`.
    """

    def __repr__(self) -> str:
        """How it stands, on one line."""
        name = as_text(self.facts.get("job_name") or "?")
        what = "sweep" if self.mode == "MULTIRUN" else "run"
        return f"<Run {name}: {what} {self.status}, {wording.status_counts(self)} ({named(str(self.root))})>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a table of its settings or jobs, the best first."""
        from hydra_callback_kit.views.plots.table import run_html  # noqa: PLC0415  only a notebook shows it

        return run_html(self)

    def plot(
        self,
        name: str | None = None,
        *,
        metric: str | None = None,
        mode: Best | None = None,
        over: Sequence[str] | None = None,
    ) -> "Figure":
        """Draws one of the report's plots.

        Args:
            name: `settings` (each setting's seeds, with their mean and its standard error), `front` (two objectives),
                `parallel` (each job as a line across its overrides), `matters` (the metric against each override), an
                override's key (the metric against that one), `curves` (what jobs reported while they ran), or `timeline`;
                None for the most telling that there is.
            metric: the metric; None for the one on record, else the sweeper's objective, else the first that varies. For
                `curves` one that jobs reported.
            mode: as for `best`.
            over: for `settings`, as there; None for what is on record.

        Returns:
            A figure of plotly: a notebook shows it, and `write_html` or `write_image` keep it.

        Raises:
            ValueError: if there is no such plot of this run, or `mode` or `over` is none; the message names those there are.
            MetricNotFoundError: if there is no such metric; it is a `LookupError`.
            ModuleNotFoundError: if plotly is not installed: `pip install 'hydra-callback-kit[report]'`.
        """
        _check_mode(mode)
        _check_over(over)
        from hydra_callback_kit.views.plots.drawing import drawn  # noqa: PLC0415  only who plots needs it

        return drawn(self, name, metric, mode, over)

    @property
    def failed(self) -> list[JobRecord]:
        """The jobs that failed or were interrupted."""
        return failed_jobs(self)

    def best(self, metric: str, mode: Best | None = None) -> JobRecord:
        """The best of the completed jobs.

        Args:
            metric: a key of the mapping that the jobs return, dotted where it is nested (`test.accuracy`); `return_value`
                where they return a bare number.
            mode: whether the largest (`max`) or the smallest (`min`) value is the best; None for what
                `results_aggregator_callback` or `keep_best_callback` has put on record of this metric, else the sweeper's
                direction where it has one, else `min` for what is named like a loss or an error and `max` for the rest.

        Raises:
            MetricNotFoundError: if no completed job returned such a number, or only NaN; it is a `LookupError`.
            ValueError: if `mode` is another word.
        """
        _check_mode(mode)
        job = best_job(self.jobs, metric, direction_of(self.facts, metric, ranking_asked(self, metric, mode).mode))
        if job is None:
            raise MetricNotFoundError(metric, metric_names(self.jobs))
        return job

    def settings(self, over: Sequence[str] | None = None) -> list[Setting]:
        """The settings of a sweep: the jobs that differ in nothing but a seed, together.

        Args:
            over: the keys of the overrides to average over, such as `["seed"]`; None for those that
                `results_aggregator_callback.average_over` has put on record.

        Returns:
            One for each combination of the other overrides, with its `overrides`, `jobs`, `completed` and `failed` jobs;
            `setting.figures("accuracy")` has the `count`, `mean`, `std`, `stderr`, `median`, `min` and `max` of a metric.

        Raises:
            ValueError: if `over` is None or empty and nothing is on record, or no job was given one of the keys.
        """
        _check_over(over)
        keys = ranking_on_record(self).average_over if over is None else tuple(over)
        if not keys:
            raise ValueError("No override to average over is on record. Write for example over=['seed'].")
        unknown = "" if over is None else unknown_key(self.jobs, keys)
        if unknown:
            raise ValueError(unknown.replace("average_over", "over", 1))
        return SettingList(settings_of(self.jobs, keys))

    def best_setting(
        self, metric: str, mode: Best | None = None, over: Sequence[str] | None = None, rank_by: RankBy | None = None
    ) -> Setting:
        """The best setting of a sweep over its seeds.

        Args:
            metric: as for `best`.
            mode: as for `best`.
            over: as for `settings`.
            rank_by: `mean`, `median`, `min`, `max`, or `lower_bound` (the mean, worse by its standard error); None for the
                one on record, else the mean.

        Raises:
            MetricNotFoundError: if no setting can be ranked by a number; it is a `LookupError`.
            ValueError: if `mode` or `rank_by` is another word, or as from `settings`.
        """
        _check_mode(mode)
        if rank_by is not None and rank_by not in RANK_BY:
            raise ValueError(f"rank_by={rank_by!r} is not valid: allowed is {', '.join(RANK_BY)}")
        asked = ranking_asked(self, metric, mode, rank_by=rank_by)
        setting = best_setting(self.settings(over), metric, direction_of(self.facts, metric, asked.mode), asked.rank_by)
        if setting is None:
            raise MetricNotFoundError(metric, metric_names(self.jobs))
        return setting

    def rows(self) -> list[dict[str, Any]]:
        """The results table, a flat row for each job: `pandas.DataFrame(run.rows())`.

        Returns:
            Rows that all have the same columns, those of `results.csv`, with None where a job has no value.
        """
        return list(flat_rows(self.jobs))

    def metrics(self, name: str) -> list[dict[str, Any]]:
        """The points of a metric that jobs reported while they ran: `pandas.DataFrame(run.metrics("val/loss"))`.

        Args:
            name: the metric.

        Returns:
            A row for each point, in the order of the jobs and then of the reports: `job_num`, each override under its own
            key (`overrides.<key>` where that is the name of another column), `step` (None where the job gave none), `time`
            (UTC, ISO 8601) and `value`. Where a job was started several times, what an earlier attempt reported counts up
            to the step at which a later one goes on.

        Raises:
            MetricNotFoundError: if no job reported it; it is a `LookupError`.
        """
        if not any(name in job.metrics for job in self.jobs):
            raise MetricNotFoundError(name, list(dict.fromkeys(known for job in self.jobs for known in job.metrics)))
        taken = {"job_num", "step", "time", "value"}
        keys = {key: free_name(key, "overrides", taken) for key in dict.fromkeys(k for j in self.jobs for k in j.overrides)}
        return [
            {
                "job_num": job.job_num,
                **{column: job.overrides.get(key) for key, column in keys.items()},
                "step": point.step,
                "time": point.time,
                "value": point.values[name],
            }
            for job in self.jobs
            for point in points_of(job)
            if name in point.values
        ]


def _check_mode(mode: str | None) -> None:
    if mode is not None and mode not in get_args(Best):
        raise ValueError(f"mode={mode!r} is not valid: allowed is 'max' or 'min'")


def _check_over(over: Sequence[str] | None) -> None:
    if isinstance(over, str):
        raise ValueError(f"over={over!r} is not valid: allowed is a list of keys. Write over=[{over!r}].")  # noqa: TRY004  as for any other value


class MetricNotFoundError(LookupError):
    """No completed job returned or reported a number by this name that is not NaN, or no job one at all.

    Attributes:
        metric: the name.
        known: the names of the numbers that there are.
    """

    def __init__(self, metric: str, known: Sequence[str]) -> None:
        super().__init__(wording.unknown_metric(metric, known))
        self.metric = metric
        self.known = list(known)

    def __reduce__(self) -> tuple[type["MetricNotFoundError"], tuple[str, list[str]]]:
        """Workers send it home."""
        return type(self), (self.metric, self.known)


def load_run(path: "str | os.PathLike[str] | DictConfig", run_id: str | None = None) -> Run:
    """Loads a run or a sweep from the directory it writes to; it may still run, and the directory may have been moved.

    Args:
        path: the output directory of a single run, or the sweep's directory; where `upload_callback` has sent it, the URL of
            that (`s3://bucket/train/20250301T140509123456-1a2b3c4d`), of which a copy is read; in a callback, the config
            that Hydra handed to a hook, for the run of that config.
        run_id: which of the runs that used this directory; None for the latest.

    Returns:
        What the journal holds now. Where a directory is given, Slurm is asked for jobs that cannot be seen from here, if its
        `squeue` is there.

    Raises:
        JournalNotFoundError: if no such run is recorded there; it is a `FileNotFoundError`.
        ModuleNotFoundError: if the library that reaches a URL is not installed, such as s3fs.

    Example:
        ```python
        run = load_run("multirun/2025-03-01/14-05-09")
        print(run.best("accuracy").overrides, [job.error for job in run.failed])
        ```
    """
    identified = None
    if not isinstance(path, (str, os.PathLike)):
        from hydra_callback_kit.configs.identity import identify_run  # noqa: PLC0415  reading a directory needs no Hydra

        identified = identify_run(path)
        path, run_id = identified.root, run_id or identified.run_id
    if is_url(path):
        path = mirror(str(path))
    if identified is None and is_half_a_copy(Path(path)):
        raise NoRunThereError(os.fspath(path), NOT_WHOLE)
    sight = Sight(batch_system=Slurm()) if identified is None else HERE
    record = read_run(Path(path), run_id, sight=sight)
    return Run(**{field.name: getattr(record, field.name) for field in dataclasses.fields(record)})


def failed_jobs(run: RunRecord) -> list[JobRecord]:
    """The jobs that failed or were interrupted, in the order of their numbers."""
    return [job for job in run.jobs if job.status in ("FAILED", "INTERRUPTED")]
