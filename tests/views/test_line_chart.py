"""Curves as SVG: what is drawn is in the drawing, whatever the numbers are."""

import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.views.report.line_chart import SIDE, line_chart, powers

POINTS = st.lists(st.tuples(st.integers(-(10**12), 10**12).map(float), st.floats()), max_size=30)


def read(drawing: str) -> ET.Element:
    """The drawing, which is well-formed."""
    return ET.fromstring(drawing)  # noqa: S314  our own


def lines_of(drawing: str) -> list[list[tuple[float, float]]]:
    """The lines, as the places of their points."""
    paths = [path.get("d", "") for path in read(drawing).findall(".//g[@class='line']/path")]
    return [[tuple(map(float, point.split(","))) for point in path.removeprefix("M").split()] for path in paths]


def ticks_of(drawing: str, side: str) -> list[tuple[float, str]]:
    """The ticks of an axis: where they stand, in percent, and what they say."""
    spans = read(drawing).findall(f"./div[@class='{side}']/span[@style]")
    return [(float(re.sub(r"[^0-9.eE+-]", "", span.get("style", "").partition(":")[2])), span.text or "") for span in spans]


@given(POINTS, st.booleans())
def test_whatever_the_numbers_are_all_of_it_is_in_the_drawing(points: list[tuple[float, float]], log: bool) -> None:
    """NaN, infinities, the largest and the smallest floats, one value; nothing is drawn of nothing."""
    drawing = line_chart(points, "label", "step", log=log)
    known = [y for _, y in points if math.isfinite(y) and (y > 0 or not log)]
    assert bool(drawing) == bool(known)
    if not known:
        return
    lines = lines_of(drawing)
    assert all(0 <= place <= SIDE for line in lines for point in line for place in point)
    assert sum(map(len, lines)) - sum(len(line) == 2 and line[0] == line[1] for line in lines) <= len(known)
    for side in ("up", "along"):
        ticks = ticks_of(drawing, side)
        assert 1 <= len(ticks) <= 12 or side == "up"
        assert all(-0.1 <= place <= 100.1 for place, _ in ticks)


def test_a_line_and_its_axes() -> None:
    """The ends are the ends of the drawing, up to some room above and below; ticks are round."""
    drawing = line_chart([(0, 1.0), (50, 3.0), (100, 2.0)], "loss by step", "step")
    assert lines_of(drawing) == [[(0, 963), (500, 37), (1000, 500)]]
    assert ticks_of(drawing, "along") == [(0, "0"), (20, "20"), (40, "40"), (60, "60"), (80, "80"), (100, "100")]
    assert [text for _, text in ticks_of(drawing, "up")] == ["1", "1.5", "2", "2.5", "3"]
    assert 'aria-label="loss by step"' in drawing


def test_what_is_not_finite_leaves_a_gap() -> None:
    """A point between two gaps is a dot."""
    drawing = line_chart([(0, 1.0), (1, 2.0), (2, math.nan), (3, 1.0), (4, math.inf), (5, 2.0), (6, 1.0)], "l", "step")
    assert [len(line) for line in lines_of(drawing)] == [2, 2, 2]
    assert lines_of(drawing)[1][0] == lines_of(drawing)[1][1]


def test_a_logarithmic_axis_and_one_from_zero() -> None:
    """Powers of ten, a few; what is not positive is a gap."""
    drawing = line_chart([(0, 1e-6), (1, 1.0), (2, 0.0)], "l", "step", log=True)
    assert [text for _, text in ticks_of(drawing, "up")] == ["1e-06", "0.0001", "0.01", "1"]
    assert powers(-300, 300) == [-300, -179, -58, 63, 184]
    assert ticks_of(line_chart([(0, 90.0), (1, 100.0)], "l", "s", from_zero=True), "up")[0][1] == "0"


@pytest.mark.parametrize("text", ["</svg><script>", '"onload="x', "&amp;"])
def test_all_words_are_escaped(text: str) -> None:
    """Of the label, of the axis, and of the values."""
    drawing = line_chart([(0, 1.0), (1, 2.0)], text, text, lambda value: f"{text}{value}")
    root = read(drawing)
    assert root.find("svg").get("aria-label") == text  # type: ignore[union-attr]
    assert root.findtext("p") == text
    assert {element.tag for element in root.iter()} <= {"div", "span", "svg", "g", "path", "p"}
