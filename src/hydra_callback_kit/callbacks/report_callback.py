"""`report_callback`: a run or sweep as one HTML file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.hooks import parameters
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.own_files import tell
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.run_recorder import record_run_config
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.report.libraries import missing_libraries

log = SafeLogger("hydra_callback_kit.report_callback")


class ReportCallback(RecordingCallback):
    """Writes a report of the run or sweep when it has ended, also after failures and Ctrl-C: one HTML file without network.

    On the page, where there is something to say: the summary with the best job; a table of all jobs to sort and filter;
    plots of a metric against what was varied; when and where each job ran; failures, grouped by their error; what the jobs
    used, if `resource_monitor_callback` measured it. Where `results_aggregator_callback` averages over seeds, settings come
    before the jobs. The config of the best is there, with what differs from the sweep's. `hydra-callback-kit report PATH`
    writes it anew at any time, also while the sweep runs. Values of secret keys are redacted (see `RedactionCallback`). A
    job pays for its lines in the journal alone, a sweep for its config in it.

    The page of a single run has no scripts: its failure, the curves of what it reported, timings, resources, its log's end.

    Needs the extra `report`: `pip install 'hydra-callback-kit[report]'`; a single run needs jinja2 of it alone.

    Args:
        output_file: the report's name, relative to the run's output directory or the sweep directory, or an absolute path in
            a directory that exists.
        metric: the metric that jobs are ranked by: a key of what they return, dotted where it is nested (`test.accuracy`),
            or `return_value` for a bare number; null for the one that `results_aggregator_callback` sorts by, else the first
            that the jobs differ in, and the page says which.
        mode: whether `max` or `min` of the metric is best; null for the one on record, else the sweeper's direction
            (`hydra.sweeper.direction`) where it has one, else `min` for what is named like a loss or an error, `max` for the
            rest.
        title: the page's title; null for the app's name.
        plotly_js: `inline` puts plotly's JavaScript (4.8 MB) into the file; `directory` puts it beside the report, as
            `plotly.min.js`, which all reports in that directory share. The page of a single run has none.
        max_table_rows: how many jobs are spelled out, 1 or more; of a larger sweep, so many are spread evenly over it, and
            the page says so.

    Raises:
        ParameterError: if a parameter is not one of these, no file can be written at `output_file`, or the extra `report`
            is not installed.

    Files:
        `report.html`: the report, up to 8 MB for 10,000 jobs, of which plotly is most. A file of that name that is no report
        is kept as `report.html.bak`, with a warning.
        `plotly.min.js` beside it, with `plotly_js: directory`, for a sweep.
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [report_callback]
          - _self_

        hydra:
          callbacks:
            report_callback:
              metric: accuracy
              title: My sweep
        ```
    """

    writes_summaries = True

    def __init__(
        self,
        output_file: str = "report.html",
        metric: str | None = None,
        mode: str | None = None,
        title: str | None = None,
        plotly_js: str = "inline",
        max_table_rows: int = 10_000,
    ) -> None:
        self.output_file = parameters.output_file("output_file", output_file)
        if Path(output_file).suffix.lower() not in (".html", ".htm"):
            raise ParameterError("output_file", output_file, "a name that ends in .html", "Write output_file=report.html.")
        if max_table_rows < 1:
            raise ParameterError("max_table_rows", max_table_rows, "1 or more", "Write max_table_rows=10000.")
        self.metric = metric
        self.mode = parameters.direction("mode", mode)
        self.title = title
        inline = parameters.one_of("plotly_js", plotly_js, ("inline", "directory")) == "inline"
        self.plotly_js: Literal["inline", "directory"] = "inline" if inline else "directory"
        self.max_table_rows = max_table_rows
        missing = missing_libraries(plots=False)
        if missing:
            raise NotInstalledError(missing, "report")

    def files_it_writes(self) -> Sequence[OwnFile]:
        """The report."""
        return [OwnFile(self.output_file, "output_file", "report.html")]

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Makes sure that the plots can be drawn at the end, and records the sweep's config."""
        missing = missing_libraries(plots=True)
        if missing:
            abort(config, str(NotInstalledError(missing, "report")), log=log)
        record_run_config(config)

    def summary_parameters(self) -> dict[str, Any]:
        """What it is built with."""
        names = ("output_file", "metric", "mode", "title", "plotly_js", "max_table_rows")
        return {name: getattr(self, name) for name in names}

    def at_the_end(self, config: DictConfig) -> None:
        """Writes the report."""
        from hydra_callback_kit.views.metrics import metric_names, metric_of  # noqa: PLC0415  the jobs need none of it
        from hydra_callback_kit.views.report.choice import ReportOptions  # noqa: PLC0415  the same
        from hydra_callback_kit.views.report.page import write_report  # noqa: PLC0415  the same

        identity = identify_run(config)
        run = run_at_its_end(config, without=CONFIGS)
        if not run.jobs:
            return  # the run was aborted before a job started: there is nothing to report
        file = identity.root / Path(self.output_file)
        redaction = redaction_of(config)
        metric, title = (text and redaction.of_text(text) for text in (self.metric, self.title))
        options = ReportOptions(metric, self.mode, title, self.plotly_js, self.max_table_rows)
        knows_all = run.mode == "RUN" and not identity.rerun  # else the job may have had secrets that the run has not
        kept = write_report(file, run, options, redaction=redaction if knows_all else None)
        for place, name in kept.items():
            tell(log)(place, name)
        if self.metric is not None and all(metric_of(job, self.metric) is None for job in run.jobs):
            known = metric_names(run.jobs)
            log.caution("metric=%r ranks nothing. %s", self.metric, wording.unknown_metric(self.metric, known))
        if not identity.rerun:
            log.info("Report of %s: %s", wording.jobs_so_far(run), file)
