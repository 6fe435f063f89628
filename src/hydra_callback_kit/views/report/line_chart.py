"""A curve as SVG, for pages that need no library for plots: drawn in the page's colours, its words as wide as any other."""

import html
import math
from collections.abc import Callable, Sequence
from typing import Final

from hydra_callback_kit.journal.printable import printable

SIDE: Final = 1_000
"""Width and height of the drawing, which the page stretches."""
_MOST_TICKS: Final = 5
_STEPS: Final = (1, 2, 5, 10)

Point = tuple[float, float]
Words = Callable[[float], str]


def line_chart(
    points: Sequence[Point],
    label: str,
    across: str,
    words: Words = "{:.5g}".format,
    *,
    log: bool = False,
    from_zero: bool = False,
) -> str:
    """Draws a line.

    Args:
        points: its points in their order. Where a value is NaN or infinite the line has a gap.
        label: what readers who do not see it are told.
        across: what goes from left to right: `step`.
        words: puts a value into words, for the axis.
        log: whether the values' axis is logarithmic; what is not positive is a gap then.
        from_zero: whether the values' axis begins at zero; no value is below it then.

    Returns:
        HTML without scripts and without colours of its own, in which everything is escaped; empty if no point can be drawn.
    """

    def can_be(point: Point) -> bool:
        return math.isfinite(point[0]) and math.isfinite(point[1]) and (point[1] > 0 or not log)

    drawn = list(filter(can_be, points))
    if not drawn:
        return ""
    scaled = math.log10 if log else float
    columns = _Axis(min(x for x, _ in drawn), max(x for x, _ in drawn))
    rows = _Axis(0.0 if from_zero else scaled(min(y for _, y in drawn)), scaled(max(y for _, y in drawn)), room=0.04)
    pieces: list[list[str]] = [[]]
    for point in points:
        if can_be(point):
            pieces[-1].append(f"{columns.place(point[0]) * SIDE:.0f},{(1 - rows.place(scaled(point[1]))) * SIDE:.0f}")
        elif pieces[-1]:
            pieces.append([])
    lines = "".join(f'<path d="M{" ".join(piece if len(piece) > 1 else piece * 2)}"/>' for piece in pieces if piece)
    ticks = powers(rows.low, rows.high) if log and rows.high - rows.low >= 1 else rows.ticks()
    up = [(rows.place(tick), words(10**tick if log else tick)) for tick in ticks]
    along = [(columns.place(tick), f"{tick:.6g}") for tick in columns.ticks()]
    grid = "".join(f'<path d="M0,{(1 - place) * SIDE:.0f} {SIDE},{(1 - place) * SIDE:.0f}"/>' for place, _ in up)
    return (
        f'<div class="chart"><div class="up" aria-hidden="true">{_labels("bottom", up)}</div>'
        f'<svg viewBox="0 0 {SIDE} {SIDE}" preserveAspectRatio="none" role="img" aria-label="{_escaped(label)}">'
        f'<g class="grid">{grid}</g><g class="line">{lines}</g></svg>'
        f'<div class="along" aria-hidden="true">{_labels("left", along)}</div>'
        f'<p class="muted">{_escaped(across)}</p></div>'
    )


def _labels(side: str, ticks: Sequence[tuple[float, str]]) -> str:
    # the widest, unseen, makes room for all
    widest = max((text for _, text in ticks), key=len, default="")
    room = f'<span class="room">{_escaped(widest)}</span>' if side == "bottom" else ""
    return room + "".join(f'<span style="{side}:{100 * place:.1f}%">{_escaped(text)}</span>' for place, text in ticks)


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def powers(low: float, high: float) -> list[float]:
    """The whole numbers between two others, a few of them: the exponents of powers of ten."""
    first, last = math.ceil(low), math.floor(high)
    return [float(power) for power in range(first, last + 1, max(1, math.ceil((last - first + 1) / _MOST_TICKS)))]


class _Axis:
    """From the lowest value to the highest, with some room at both ends.

    Args:
        low: the lowest value.
        high: the highest.
        room: at either end, as a part of what lies between them.
    """

    def __init__(self, low: float, high: float, room: float = 0.0) -> None:
        wide = high / 2 - low / 2  # what lies between them may be larger than any float
        spare = 2 * wide * room if math.isfinite(2 * wide) else 0.0
        self.low, self.high = low - spare, high + spare

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        wide = self.high / 2 - self.low / 2
        return (value / 2 - self.low / 2) / wide if wide > 0 else 0.5

    def ticks(self) -> list[float]:
        """Round numbers between the ends; the only value, if there is one."""
        wide = (self.high / 2 - self.low / 2) / _MOST_TICKS * 2
        if not wide > 0 or not math.isfinite(wide):
            return [self.low]
        unit = 10.0 ** math.floor(math.log10(wide))
        step = next((factor * unit for factor in _STEPS if factor * unit >= wide), 10 * unit)
        if step <= abs(self.high) * 1e-12:  # closer than floats can tell
            return [self.low]
        return [at * step for at in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
