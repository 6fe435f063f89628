"""`results_aggregator_callback`: one table of what each job varied, what came out, and what failed."""

import functools
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks import parameters
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.job_recorder import record_job_config
from hydra_callback_kit.hooks.own_files import own_file, remove_own_file
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.run_recorder import record_run_facts
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.format import CONFIGS, HYDRA_CONFIG
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import FACT, AskedRanking, unknown_key
from hydra_callback_kit.views.best import best_in_words, best_row
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.files import json_text
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.results import results_table
from hydra_callback_kit.views.setting_ranking import RANK_BY
from hydra_callback_kit.views.settings import settings_table
from hydra_callback_kit.views.table_formats import FORMATS, write_table

log = SafeLogger("hydra_callback_kit.results_aggregator_callback")

_HOLD_CONFIGS = (".json", ".jsonl")
_BEST = "best.json"


class ResultsAggregatorCallback(RecordingCallback):
    """Writes a table with a row for each job that started: its overrides, its status, and what it returned or why it failed.

    The table is written when the run or sweep ends, also when jobs failed and after Ctrl-C. Every job writes down what it
    knows as it goes, so no row is lost in whichever process the job ran. Values of secret keys are redacted (see
    `RedactionCallback`). What lies in a file's place and is not as this package wrote it is kept as `<name>.bak`, with a
    warning.

    Large values are cut, and say so: a list, mapping or array of more than 1,000 items becomes
    `{"repr": ..., "type": ..., "length": ...}`, a text of more than 10,000 characters keeps its beginning. In the flat
    formats a mapping of more than 100 items stays in one column.

    Args:
        output_file: the table's name, or a list of names, relative to the run's output directory or the sweep directory, or
            absolute in a directory that exists. The suffix decides the format: `.json`, `.jsonl`, `.csv`, `.md` or
            `.parquet` (which needs `pip install 'hydra-callback-kit[parquet]'`).
        include_config: whether the JSON formats hold each job's config, resolved.
        include_hydra: whether the JSON formats hold each job's `hydra` node as well, as `hydra_config`: its launcher, the
            choices of config groups, directories, callbacks and so on, resolved as far as that needs no resolver of the
            app's. It is recorded as each job starts.
        sort_by: a metric to rank the jobs by: a key of what they return, dotted where it is nested (`test.accuracy`), or
            `return_value` for a bare number; null ranks nothing. Jobs with NaN come after the others, failed ones last.
        mode: whether `max` or `min` of `sort_by` is best; null for the sweeper's direction (`hydra.sweeper.direction`)
            where it has one, else `min` for what is named like a loss or an error, `max` for the rest.
        top_k: how many of the best jobs are logged, 1 or more.
        average_over: keys of overrides, such as `seed`; the jobs of each combination of the other overrides are one setting,
            over which the metrics are averaged, and settings are ranked. A NaN makes the mean NaN.
        rank_by: by what of a setting's metric: `mean`, `median`, `min`, `max`, or `lower_bound`: the mean, worse by its
            standard error, which a setting of one job has not, so that it comes after the others.
        safe_csv: whether `.csv` files are written for spreadsheets: a text, also in the head, that begins with `=`, `+`,
            `-`, `@`, a tab or a line break and is no number has a `'` in front, so that it is not taken for a formula.
        metrics_file: a glob for a CSV file of metrics in the job's output directory, as Lightning's `CSVLogger` writes it
            (`"**/metrics.csv"`): as the job ends, the newest that matches is taken as if the job had reported its rows by
            `report_metrics`, but for metrics that it did report. Files that were there before the job are not looked at. A
            column `step`, else `epoch`, gives the step. A job that is killed leaves its file unread. null for none.

    Raises:
        ParameterError: if a parameter is not one of these, no file can be written there, or pyarrow is missing.

    Files:
        `results.json` (JSON): a list of objects, one a line, with `job_num`, `job_id`, `job_name`, `status` (`COMPLETED`,
        `FAILED`, `INTERRUPTED` or `RUNNING`), `overrides`, `return_value`, `error` (null, or `type`, `message` and
        `traceback`), `started_at`, `ended_at` (UTC), `duration_s`, `attempts`, `host`, `output_dir`, `facts` (what other
        callbacks measured), `config`, and `config_as_written` if there are such keys: those whose interpolations only a
        resolver of the app's can tell, which is not called for the record; `hydra_config`, if it was asked for. NaN and
        infinities are the strings `NaN`, `Infinity` and `-Infinity` there.
        `.jsonl` has the same objects without the list.
        `.csv`, `.parquet` and `.md` have a column for each override under its key, for each metric (`return_value` or
        `return_value.<key>`, and the last value of what was reported under its name), `error_type` and `error_message`, and
        the other fields, one a name. Markdown leaves out what people seldom look at, and shortens cells. In pandas:
        `pd.read_csv("results.csv")`.
        `<stem>_averaged.<suffix>` beside each table, with `average_over`: the overrides, `jobs`, `completed`, and each
        metric's `count`, `mean`, `std` (of the sample), `stderr` (standard error of the mean), `median`, `min` and `max`.
        `best.json` (JSON), with `sort_by`: the best job's object, with `jobs_running` if others run that may be better;
        not written if no job returned the metric. With `average_over` it has `setting` (`overrides`, `jobs`, `completed`,
        `failed`, `metric`, `mode`, `rank_by`, `figures`; null if none can be ranked) and `job`: the best job's object.
        `.callbacks/*.jsonl` in the same directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [results_aggregator_callback]
          - _self_

        hydra:
          callbacks:
            results_aggregator_callback:
              output_file: [results.csv, results.json]
              sort_by: accuracy
              average_over: [seed]
        ```
    """

    writes_summaries = True

    def __init__(
        self,
        output_file: Any = "results.json",
        include_config: bool = True,
        include_hydra: bool = False,
        sort_by: str | None = None,
        mode: str | None = None,
        top_k: int = 10,
        average_over: Sequence[str] = (),
        rank_by: str = "mean",
        safe_csv: bool = False,
        metrics_file: str | None = None,
    ) -> None:
        self.output_files = _output_files(output_file)
        self.include_config = include_config
        self.include_hydra = include_hydra
        self.sort_by = sort_by
        self.mode: Best | None = parameters.direction("mode", mode)
        if top_k < 1:
            raise ParameterError("top_k", top_k, "1 or more", "Write top_k=10, or sort_by=null to rank nothing.")
        self.top_k = top_k
        if isinstance(average_over, str):
            raise ParameterError("average_over", average_over, "a list of keys", f"Write average_over=[{average_over}].")
        self.average_over = [str(key).lstrip("+") for key in average_over]
        self.rank_by: Any = parameters.one_of("rank_by", rank_by, RANK_BY)
        self.safe_csv = safe_csv
        self.metrics_file = metrics_file
        if metrics_file is not None and (not metrics_file or Path(metrics_file).is_absolute()):
            allowed = "a glob below the job's output directory, or null"
            raise ParameterError("metrics_file", metrics_file, allowed, 'Write metrics_file="**/metrics.csv".')
        self._check_names()

    def _check_names(self) -> None:
        """No table may be overwritten by what is written beside it."""
        tables = [Path(name) for name in self.output_files]
        beside = {str(table.with_stem(f"{table.stem}_averaged")) for table in tables if self.average_over}
        beside |= {_BEST} if self.sort_by is not None else set()
        for name in self.output_files:
            if str(Path(name)) in beside:
                allowed = "a name that is not written beside the table"
                raise ParameterError("output_file", name, allowed, "Write for example output_file=results.csv.")

    def files_it_writes(self) -> Sequence[OwnFile]:
        """The table, in its files, and the best job."""
        best = [OwnFile(_BEST)] if self.sort_by is not None else []
        return [*(OwnFile(name, "output_file", "results.json") for name in self.output_files), *best]

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Makes sure that the table can be written at the end."""
        self._import_libraries()

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Makes sure that the table can be written at the end; whoever looks at the sweep ranks its jobs as it does."""
        self._import_libraries()
        if self.sort_by is not None or self.average_over:
            record_run_facts(config, {FACT: self._ranking._asdict()})

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Records the job's config."""
        if self.include_config:
            record_job_config(config)
        if self.include_hydra:
            from hydra_callback_kit.hooks.job_recorder import record_hydra_config  # noqa: PLC0415  few ask for it

            record_hydra_config(config)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Records what of the config only the job could tell."""
        if self.include_config:
            record_job_config(config, job_return.cfg)
        if self.metrics_file is not None:
            from hydra_callback_kit.hooks.csv_metrics import take_csv  # noqa: PLC0415  few ask for it

            take_csv(config, self.metrics_file, log)

    def _import_libraries(self) -> None:
        if any(Path(name).suffix.lower() == ".parquet" for name in self.output_files):
            # while the process ends, modules that want to be told of the end cannot be imported any more: pyarrow, and what
            # pandas imports, which pyarrow looks for as it makes its first column
            for module in ("pyarrow.parquet", "concurrent.futures.thread"):
                __import__(module)

    def at_the_end(self, config: DictConfig) -> None:
        """Writes the table."""
        identity = identify_run(config)
        nested = self.sort_by is not None or any(Path(name).suffix.lower() in _HOLD_CONFIGS for name in self.output_files)
        wanted = {"config": self.include_config and nested, HYDRA_CONFIG: self.include_hydra and nested}
        run = run_at_its_end(config, without=[name for name in CONFIGS if not wanted[name]])
        if not run.jobs:
            return  # the run was aborted before a job started: there is no table to write
        files = self._files(identity, run)
        if self.sort_by is not None and identity.root / _BEST not in files:
            remove_own_file(config, _BEST)
        written = []
        for file, write in files.items():
            try:
                with own_file(config, file, log) as temporary:
                    write(temporary)
                written.append(file)
            except Exception as error:  # noqa: BLE001  the other files can still be written
                report(f"{type(self).__name__} with {file}", error)
        if identity.rerun:
            return  # of a job that is run again the others are not talked about once more
        if written:
            log.info("Results of %s: %s", wording.jobs_so_far(run), wording.files(written))
        self._log_best(run)
        unknown = unknown_key(run.jobs, self.average_over) if run.mode == "MULTIRUN" else ""  # a single run has no seeds
        if unknown:
            log.warning("%s", unknown)

    def summary_parameters(self) -> dict[str, Any]:
        """What it is built with."""
        names = ("include_config", "include_hydra", "sort_by", "mode", "top_k", "average_over", "rank_by", "safe_csv")
        return {"output_file": self.output_files, **{name: getattr(self, name) for name in names}}

    @property
    def _ranking(self) -> AskedRanking:
        return AskedRanking(self.sort_by, self.mode, tuple(self.average_over), self.rank_by)

    def _files(self, identity: RunIdentity, run: RunRecord) -> dict[Path, Callable[[Path], Any]]:
        files: dict[Path, Callable[[Path], Any]] = {}
        results = results_table(run, include_config=self.include_config)
        averaged = settings_table(run.jobs if self.average_over else (), self.average_over)
        for name in self.output_files:
            file = identity.root / name
            write = functools.partial(write_table, suffix=file.suffix, safe_csv=self.safe_csv)
            files[file] = functools.partial(write, table=results)
            if self.average_over:
                files[file.with_stem(f"{file.stem}_averaged")] = functools.partial(write, table=averaged)
        row = None if self.sort_by is None else best_row(run, self._ranking, include_config=self.include_config)
        if row is not None:
            text = json_text(as_json(row))
            files[identity.root / _BEST] = lambda path: path.write_bytes(text.encode("utf-8"))
        return files

    def _log_best(self, run: RunRecord) -> None:
        if self.sort_by is None:
            return
        said = best_in_words(run, self._ranking, self.top_k)
        if said is None:
            log.caution(
                "sort_by=%r ranks nothing. %s", self.sort_by, wording.unknown_metric(self.sort_by, metric_names(run.jobs))
            )
        else:
            log.info("%s", said)


def _output_files(given: Any) -> list[str]:
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, Sequence) else []
    formats = ", ".join(FORMATS)
    allowed = f"a file's name, or a list of names, that end in one of {formats}"
    if not names or len(set(map(str, names))) < len(names):
        raise ParameterError("output_file", given, f"{allowed}, each once", "Write for example output_file=results.csv.")
    for name in names:
        suffix = Path(str(name)).suffix.lower()
        if not isinstance(name, str) or suffix not in FORMATS:
            raise ParameterError("output_file", name, allowed, "Write for example output_file=results.csv.")
        parameters.output_file("output_file", name)
        if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
            raise NotInstalledError(["pyarrow"], "parquet", "output_file", name)
    return names
