"""The report's plots over steps and over time, as figures of plotly."""

import time

import plotly.graph_objects as go

from hydra_callback_kit.views import wording
from hydra_callback_kit.views.plots.choice import PlotError, Plotted
from hydra_callback_kit.views.plots.words import STATUS_COLOURS, hover, text_of
from hydra_callback_kit.views.report.courses import courses_of
from hydra_callback_kit.views.report.timeline import timeline_of


def curves(plotted: Plotted) -> go.Figure:
    """What the jobs reported of a metric, a line for each job."""
    courses = courses_of(plotted.jobs, plotted.asked)
    if courses is None:
        raise PlotError("The points that jobs reported cannot be read from here.")
    course = courses.metrics[0]
    made = go.Figure(
        [
            go.Scatter(
                x=line.get("x") or list(range(len(line["y"]))),
                y=line["y"],
                mode="lines",
                name=f"job {plotted.jobs[line['row']].job_num}",
                text=hover(plotted.jobs[line["row"]]),
            )
            for line in course["lines"]
        ]
    )
    made.update_yaxes(title_text=text_of(course["name"]), **({"type": "log"} if course["log"] else {}))
    return made.update_xaxes(title_text="step" if course["steps"] else "report")


def timeline(plotted: Plotted) -> go.Figure:
    """When each job ran: a bar a job, a row a worker."""
    known = timeline_of(plotted.jobs, plotted.jobs, time.time())
    if known is None:
        raise PlotError("Of fewer than two jobs it is known when they ran.")
    starts = known.starts
    made = go.Figure(
        [
            go.Bar(
                base=[starts[row] for row in rows],
                x=[known.durations[row] for row in rows],
                y=[known.rows[row] for row in rows],
                orientation="h",
                name=status.lower(),
                text=[str(plotted.jobs[row].job_num) for row in rows],
                textposition="inside",
                hovertext=[hover(plotted.jobs[row]) for row in rows],
                marker={"color": colour},
            )
            for status, colour in STATUS_COLOURS.items()
            if (
                rows := [
                    r for r, job in enumerate(plotted.jobs) if wording.status_of(job) == status and starts[r] is not None
                ]
            )
        ]
    )
    names = {"tickvals": list(range(len(known.workers))), "ticktext": list(map(text_of, known.workers))}
    made.update_yaxes(autorange="reversed", **(names if known.workers else {"showticklabels": False}))
    return made.update_layout(barmode="overlay", xaxis_title="seconds since the first start")
