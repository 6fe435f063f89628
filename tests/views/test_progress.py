"""How far a sweep has come, in words and as a bar."""

import io

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.views.bottom_line import BottomLine
from hydra_callback_kit.views.progress import Progress, progress_bar, progress_text


@pytest.mark.parametrize(
    ("progress", "ended", "text"),
    [
        (Progress("app", 12, 1, 0, 2, 50, 60.0), False, "app: 12/50 jobs done, 1 failed, 2 running, 3 min 10 s left"),
        (Progress("app", 0, 0, 0, 2, 50, 60.0), False, "app: 0/50 jobs done, 2 running"),
        (Progress("app", 7, 0, 0, 1, None, 60.0), False, "app: 7 jobs done, 1 running"),
        (Progress("app", 12, 0, 3, 2, 50, 60.0), False, "app: 12/50 jobs done, 3 interrupted, 2 running, 2 min 55 s left"),
        (Progress("app", 50, 2, 0, 0, 50, 75.0), True, "app: 50/50 jobs done, 2 failed, in 1 min 15 s"),
        (Progress("app", 1, 0, 2, 0, 3, 75.0), True, "app: 1/3 jobs done, 2 interrupted, in 1 min 15 s"),
    ],
)
def test_the_line_says_what_is_known(progress: Progress, ended: bool, text: str) -> None:
    """Without a total there is no time left; without a failure none is counted."""
    assert progress_text(progress, ended=ended) == text


@given(
    done=st.integers(0, 10**6),
    total=st.none() | st.integers(0, 10**6),
    name=st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=20),
    width=st.integers(1, 200),
)
def test_the_bar_is_one_line_that_fits(done: int, total: int | None, name: str, width: int) -> None:
    """Whatever the width: nothing wraps; where there is room, the figures are there."""
    screen = pyte.Screen(200, 5)
    drawn = progress_bar(Progress(name, done, done // 3, done // 4, 2, total, 60.0), width, "utf-8")
    pyte.Stream(screen).feed(drawn)
    assert (screen.cursor.y, screen.cursor.x <= width) == (0, True)
    if width > 120:
        assert f"{done}" in screen.display[0]


def test_a_terminal_without_unicode_gets_no_unicode() -> None:
    """The bar is drawn with what the terminal has."""
    assert progress_bar(Progress("app", 1, 0, 0, 0, 2, 1.0), 80, "ascii").isascii()


def test_what_is_no_terminal_has_no_bottom_line() -> None:
    """A text in memory, and a stream that is closed."""
    closed = io.StringIO()
    closed.close()
    assert BottomLine.of(io.StringIO()) is None
    assert BottomLine.of(closed) is None
    assert BottomLine.of(None) is None
