"""The table's figures that most people ask for, as a picture."""

from collections.abc import Mapping
from pathlib import Path

from contenders import PEER

SHOWN = ("standard_callbacks", "everything", PEER)
COLOURS = ("#0072B2", "#56B4E9", "#D55E00")
PANELS = (
    ("Whole sweep, wall time", "whole sweep, basic, wall time against bare: {}", "times bare Hydra"),
    ("Start-up, wall time", "single run, wall time against bare: {}", "times bare Hydra"),
    ("Start-up, peak memory", "single run, peak memory against bare: {}", "times bare Hydra"),
    ("In the hooks, 200 jobs", "in the hooks per job, 200 jobs, 50 keys: {}", "ms a job"),
    ("In the hooks, 1,000 jobs", "in the hooks per job, 1,000 jobs, 50 keys: {}", "ms a job"),
)


def draw(measured: Mapping[str, float], file: Path) -> None:
    """Draws bars for the sets and the peer.

    Args:
        measured: the figures of the first three topics by the lines' names; what is not among them is left out.
        file: where the picture goes; its suffix decides the format.
    """
    import matplotlib as mpl  # noqa: PLC0415  only the picture needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  the same

    panels = [panel for panel in PANELS if any(panel[1].format(name) in measured for name in SHOWN)]
    figure, axes = plt.subplots(1, len(panels), figsize=(2.75 * len(panels), 2.2), layout="constrained", squeeze=False)
    for axis, (title, what, unit) in zip(axes[0], panels, strict=True):
        values = {place: measured[what.format(name)] for place, name in enumerate(SHOWN) if what.format(name) in measured}
        bars = axis.barh(list(values), list(values.values()), color=[COLOURS[place] for place in values])
        axis.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
        axis.set_yticks(range(len(SHOWN)), SHOWN if axis is axes[0][0] else [""] * len(SHOWN))
        axis.set_ylim(len(SHOWN) - 0.5, -0.5)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(unit, fontsize=8)
        axis.tick_params(labelsize=8)
        axis.margins(x=0.2)
        if unit.startswith("times"):
            axis.axvline(1, color="0.5", linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
