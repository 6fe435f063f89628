"""Draws a run's plots by their names, if plotly is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.plots.choice import PlotError, Plotted
from hydra_callback_kit.views.run import MetricNotFoundError

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def drawn(run: RunRecord, name: str | None, metric: str | None, mode: Best | None, over: Sequence[str] | None) -> "Figure":
    """Draws one of the plots; see `Run.plot`."""
    plotted = Plotted(run, metric, mode, over)
    reported = list(dict.fromkeys(each for job in run.jobs for each in job.metrics))
    names = reported if name == "curves" else metric_names(run.jobs)
    asked_of_curves = metric in reported and name in (None, "curves")
    if metric is not None and not asked_of_curves and (name == "curves" or plotted.metric is None):
        if not names and name != "curves" and run.jobs and not any(job.status == "COMPLETED" for job in run.jobs):
            raise PlotError(f"No job has completed with {metric}: {wording.status_counts(run)}.")
        raise MetricNotFoundError(metric, names)
    chosen = plotted.chosen(name)
    try:
        from hydra_callback_kit.views.plots.figures import figure  # noqa: PLC0415  plotly is an extra, and slow to import
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "plotly":
            raise
        raise ModuleNotFoundError("plot() needs plotly: pip install 'hydra-callback-kit[report]'", name="plotly") from None
    return figure(plotted, chosen)
