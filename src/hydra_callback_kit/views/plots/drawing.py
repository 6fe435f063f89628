"""Draws a run's plots by their names, if plotly is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.plots.choice import Plotted
from hydra_callback_kit.views.run import MetricNotFoundError

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def drawn(run: RunRecord, name: str | None, metric: str | None, mode: Best | None, over: Sequence[str] | None) -> "Figure":
    """Draws one of the plots; see `Run.plot`."""
    plotted = Plotted(run, metric, mode, over)
    chosen = plotted.chosen(name)
    reported = list(dict.fromkeys(each for job in run.jobs for each in job.metrics)) if chosen == "curves" else None
    if metric is not None and (plotted.metric is None if reported is None else metric not in reported):
        raise MetricNotFoundError(metric, metric_names(run.jobs) if reported is None else reported)
    try:
        from hydra_callback_kit.views.plots.figures import figure  # noqa: PLC0415  plotly is an extra, and slow to import
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "plotly":
            raise
        raise ModuleNotFoundError("plot() needs plotly: pip install 'hydra-callback-kit[report]'", name="plotly") from None
    return figure(plotted, chosen)
