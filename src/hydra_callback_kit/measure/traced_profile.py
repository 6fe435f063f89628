"""A profile by Python's cProfile, which counts every call of a thread."""

import html
import io
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.measure.function_name import named

_ROWS: Final = 40
"""Functions in the text."""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: system-ui, sans-serif; margin: 2em }} pre {{ font-size: 13px }}</style></head>
<body><h1>{title}</h1><pre>{text}</pre></body></html>
"""


class TracedProfile:
    """A profile by cProfile.

    Args:
        stem: where its files go: the path without a suffix.
        title: what is profiled.
    """

    def __init__(self, stem: Path, title: str) -> None:
        self._stem = stem
        self._title = title
        self._profiler: Any = None

    def start(self) -> None:
        """Begins it, in the thread that is profiled."""
        import cProfile  # noqa: PLC0415  few jobs are profiled

        self._profiler = cProfile.Profile()
        self._profiler.enable()

    def stop(self) -> None:
        """Ends it, in the same thread."""
        self._profiler.disable()

    def write(self) -> tuple[list[Path], str | None, float]:
        """Writes the page, the text, and what `pstats` and SnakeViz read."""
        import pstats  # noqa: PLC0415  as above

        page, text, figures = (self._stem.with_suffix(suffix) for suffix in (".html", ".txt", ".pstats"))
        self._profiler.create_stats()
        self._profiler.dump_stats(figures)
        said = io.StringIO()
        stats: Any = pstats.Stats(self._profiler, stream=said) if self._profiler.stats else None
        if stats is not None:
            stats.sort_stats("cumulative").print_stats(_ROWS)
            said.write("Sorted by what each took itself:\n")
            stats.sort_stats("tottime").print_stats(_ROWS)
        text.write_text(said.getvalue(), "utf-8", "backslashreplace")
        made = _PAGE.format(title=html.escape(self._title), text=html.escape(said.getvalue()))
        page.write_text(made, "utf-8", "backslashreplace")
        own_s = {function: figures[2] for function, figures in stats.stats.items()} if stats else {}
        top = max(own_s, key=own_s.__getitem__, default=None)
        whole_s = sum(own_s.values())
        return (
            [page, text, figures],
            None if top is None else named(top[2], top[0], top[1]),
            own_s[top] / whole_s if top is not None and whole_s else 0.0,
        )
