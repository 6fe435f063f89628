"""The report's plots as figures of plotly: made in Python from what the page's script draws."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hydra_callback_kit.views.direction import objectives, pareto_front
from hydra_callback_kit.views.figures import figures
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.plots.choice import Plotted
from hydra_callback_kit.views.plots.over_time import curves, timeline
from hydra_callback_kit.views.plots.words import hover, text_of
from hydra_callback_kit.views.report.charts import OverrideAxis
from hydra_callback_kit.views.report.columns import OverrideColumn
from hydra_callback_kit.views.setting_ranking import ranked_settings, setting_in_words, varied_in_settings
from hydra_callback_kit.views.settings import settings_of

MAX_SETTINGS: Final = 50
"""Settings that have a row."""
MAX_AXES: Final = 9
"""Overrides that lines go across."""
MAX_PANELS: Final = 9
"""Overrides that the metric is shown against, side by side."""

_DOT: Final = "#0072b2"
_MEAN: Final = "#d55e00"


def figure(plotted: Plotted, name: str) -> go.Figure:
    """Draws one of a run's plots.

    Args:
        plotted: what is plotted.
        name: one of its names.
    """
    made: dict[str, Callable[[Plotted], go.Figure]] = {
        "settings": _settings,
        "front": _front,
        "parallel": _parallel,
        "matters": _matters,
        "curves": curves,
        "timeline": timeline,
    }
    return made[name](plotted) if name in made else _against(plotted, name)


def _settings(plotted: Plotted) -> go.Figure:
    """Each setting's seeds, their mean and its standard error, the best on top."""
    metric, mode = _metric(plotted)
    known = [each for each in settings_of(plotted.jobs, plotted.over) if each.figures(metric) is not None]
    shown = ranked_settings(known, metric, mode)[:MAX_SETTINGS]
    varied = varied_in_settings(known)
    names = [text_of(setting_in_words(setting, varied)) for setting in shown]
    dots = [(name, job) for name, setting in zip(names, shown, strict=True) for job in setting.completed]
    found = [(name, of) for name, setting in zip(names, shown, strict=True) if (of := setting.figures(metric)) is not None]
    made = go.Figure(
        [
            go.Scatter(
                x=[metric_of(job, metric) for _, job in dots],
                y=[name for name, _ in dots],
                mode="markers",
                name="jobs",
                text=[f"job {job.job_num}" for _, job in dots],
                marker={"color": _DOT, "opacity": 0.5},
            ),
            go.Scatter(
                x=[of.mean for _, of in found],
                y=[name for name, _ in found],
                error_x={"array": [of.stderr or 0 for _, of in found], "thickness": 2},
                mode="markers",
                name="mean ± standard error",
                marker={"color": _MEAN, "symbol": "diamond", "size": 9},
            ),
        ]
    )
    made.update_layout(xaxis_title=text_of(metric), height=max(300, 120 + 28 * len(shown)))
    made.update_yaxes(categoryorder="array", categoryarray=list(reversed(names)), automargin=True)
    return made


def _front(plotted: Plotted) -> go.Figure:
    """Two objectives against each other; those that no other job beats in both are marked."""
    (first, best), (second, other), *_ = objectives(plotted.run.facts)
    front = {job.job_num for job in pareto_front(plotted.run.facts, plotted.jobs)}
    done = [job for job in plotted.jobs if job.status == "COMPLETED"]
    made = go.Figure(
        [
            go.Scatter(
                x=[metric_of(job, first) for job in jobs],
                y=[metric_of(job, second) for job in jobs],
                mode="markers",
                name=name,
                text=[hover(job) for job in jobs],
                marker={"color": colour, "symbol": symbol, "size": 9},
            )
            for name, colour, symbol, jobs in (
                ("beaten", _DOT, "circle-open", [job for job in done if job.job_num not in front]),
                ("on the front", _MEAN, "star", [job for job in done if job.job_num in front]),
            )
        ]
    )
    return made.update_layout(xaxis_title=f"{first} ({best})", yaxis_title=f"{second} ({other})")


def _parallel(plotted: Plotted) -> go.Figure:
    """Each job as a line across its overrides to its metric."""
    metric, mode = _metric(plotted)
    rows = [row for row, value in enumerate(plotted.values) if value is not None]
    values = [plotted.values[row] for row in rows]
    overrides = list(zip(plotted.columns.overrides, plotted.axes, strict=True))[:MAX_AXES]
    scaled = [math.log10(value) for value in values if value] if plotted.metric_is_log else values
    last = {"label": text_of(metric), "values": scaled, **(_powers(scaled) if plotted.metric_is_log else {})}
    return go.Figure(
        go.Parcoords(
            dimensions=[*(_dimension(column, axis, rows) for column, axis in overrides), last],
            line={"color": scaled, "colorscale": "Viridis", "reversescale": mode == "min", "showscale": False},
        )
    )


def _dimension(column: OverrideColumn, axis: OverrideAxis, rows: Sequence[int]) -> dict[str, Any]:
    codes = [column.codes[row] for row in rows]
    if axis.kind == "number":
        numbers = [column.values[code] for code in codes]
        if axis.log:
            numbers = [math.log10(number) for number in numbers]
            return {"label": text_of(column.key), "values": numbers, **_powers(numbers)}
        return {"label": text_of(column.key), "values": numbers}
    places = {code: place for place, code in enumerate([*axis.order, -1])}
    ticks = [code for code in (*axis.order, -1) if code in codes]
    return {
        "label": text_of(column.key),
        "values": [places[code] for code in codes],
        "tickvals": [places[code] for code in ticks],
        "ticktext": [text_of(column.texts[code]) if code >= 0 else "none" for code in ticks],
    }


def _powers(logarithms: Sequence[Any]) -> dict[str, Any]:
    different = sorted(set(logarithms))
    if len(different) > 8:  # noqa: PLR2004  labels would lie on each other
        low, high = math.floor(different[0]), math.ceil(different[-1])
        different = list(range(low, high + 1))
    return {"tickvals": different, "ticktext": [f"{10**each:.3g}" for each in different]}


def _matters(plotted: Plotted) -> go.Figure:
    """The metric against each override, side by side."""
    metric, _ = _metric(plotted)
    shown = [place for place, axis in enumerate(plotted.axes) if axis.plotted][:MAX_PANELS]
    across = min(3, len(shown))
    down = -(-len(shown) // across)
    made = make_subplots(rows=down, cols=across, shared_yaxes=True, vertical_spacing=0.3 / down)
    for at, place in enumerate(shown):
        row, column = at // across + 1, at % across + 1
        for trace in _traces(plotted, place):
            made.add_trace(trace.update(showlegend=at == 0), row=row, col=column)
        made.update_xaxes(**_x_axis(plotted, place), row=row, col=column)
    if plotted.metric_is_log:
        made.update_yaxes(type="log")
    made.update_yaxes(title_text=text_of(metric), col=1)
    return made.update_layout(height=80 + 270 * down)


def _against(plotted: Plotted, key: str) -> go.Figure:
    """The metric against one override."""
    metric, _ = _metric(plotted)
    place = next(place for place, column in enumerate(plotted.columns.overrides) if column.key == key)
    made = go.Figure(_traces(plotted, place))
    made.update_xaxes(**_x_axis(plotted, place))
    made.update_yaxes(title_text=text_of(metric), **({"type": "log"} if plotted.metric_is_log else {}))
    return made


def _traces(plotted: Plotted, place: int) -> list[go.Scatter]:
    """A dot for each job, and the median of each value, as in the report."""
    column, axis = plotted.columns.overrides[place], plotted.axes[place]
    known = [(column.codes[row], value, row) for row, value in enumerate(plotted.values) if value is not None]

    def at(code: int) -> Any:
        return column.values[code] if axis.kind == "number" else text_of(column.texts[code]) if code >= 0 else "none"

    medians = {
        code: figures([value for its, value, _ in known if its == code]).median for code in {code for code, _, _ in known}
    }
    order = sorted(medians, key=(lambda code: column.values[code]) if axis.kind == "number" else [*axis.order, -1].index)
    return [
        go.Scatter(
            x=[at(code) for code, _, _ in known],
            y=[value for _, value, _ in known],
            mode="markers",
            name="jobs",
            legendgroup="jobs",
            text=[hover(plotted.jobs[row]) for _, _, row in known],
            marker={"color": _DOT, "opacity": 0.5},
        ),
        go.Scatter(
            x=[at(code) for code in order],
            y=[medians[code] for code in order],
            mode="lines+markers" if axis.kind == "number" else "markers",
            name="median",
            legendgroup="median",
            marker={"color": _MEAN, "symbol": "diamond", "size": 9},
        ),
    ]


def _x_axis(plotted: Plotted, place: int) -> dict[str, Any]:
    column, axis = plotted.columns.overrides[place], plotted.axes[place]
    if axis.kind == "number":
        return {"title_text": text_of(column.key), **({"type": "log"} if axis.log else {})}
    names = [*(text_of(column.texts[code]) for code in axis.order), "none"]
    return {"title_text": text_of(column.key), "type": "category", "categoryorder": "array", "categoryarray": names}


def _metric(plotted: Plotted) -> tuple[str, Any]:
    metric = plotted.metric
    return ("", "max") if metric is None else (metric.name, metric.mode)
