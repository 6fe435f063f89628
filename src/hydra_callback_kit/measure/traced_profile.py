"""A profile by Python's cProfile, which counts every call of a thread."""

import html
import io
import marshal
import sys
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.measure.function_name import named
from hydra_callback_kit.measure.machinery import is_machinery
from hydra_callback_kit.measure.other_profiler import name_of, put_back

_ROWS: Final = 40
"""Functions in the text."""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: system-ui, sans-serif; margin: 2em }} pre {{ font-size: 13px }}</style></head>
<body><h1>{title}</h1><pre>{text}</pre></body></html>
"""


_DISABLE: Final = "<method 'disable' of '_lsprof.Profiler' objects>"
"""The last call that a profile sees, which is not the job's."""


class TracedProfile:
    """A profile by cProfile.

    Before Python 3.12 another profiler of the thread takes its place, silently. From 3.12 on there can be one in a process,
    and who begins a second one gets an error: ours yields then.

    Args:
        stem: where its files go: the path without a suffix.
        title: what is profiled.
    """

    def __init__(self, stem: Path, title: str) -> None:
        self._stem = stem
        self._title = title
        self.cut_short_by: str | None = None
        self._profiler: Any = None
        self._hook: Any = None
        self._monitoring: Any = getattr(sys, "monitoring", None)
        self._use_tool_id: Any = None
        self._yielding: Any = None

    def start(self) -> None:
        """Begins it, in the thread that is profiled."""
        import cProfile  # noqa: PLC0415  few jobs are profiled

        self._profiler = cProfile.Profile()
        self._profiler.enable()
        self._hook = sys.getprofile()
        if self._monitoring is not None:
            self._use_tool_id, self._yielding = self._monitoring.use_tool_id, self._yields
            self._monitoring.use_tool_id = self._yielding

    def _yields(self, tool_id: int, name: str, /) -> None:
        """What is called in place of `sys.monitoring.use_tool_id` meanwhile, also by a cProfile that begins."""
        if tool_id == self._monitoring.PROFILER_ID and self.cut_short_by is None and self._yielding is not None:
            self.cut_short_by = name
            self._stop()
        self._use_tool_id(tool_id, name)

    def _stop(self) -> None:
        if self._monitoring is not None and self._monitoring.use_tool_id is self._yielding:
            self._monitoring.use_tool_id = self._use_tool_id
        self._yielding = None
        self._profiler.disable()
        self._profiler.snapshot_stats()

    def stop(self) -> None:
        """Ends it, in the same thread."""
        hook = sys.getprofile()
        if self._hook is not None and hook is not self._hook:
            self.cut_short_by = name_of(hook)
            self._profiler.snapshot_stats()  # it would take the functions that are under way for ended just now
            self._profiler.disable()
            put_back(hook)
        elif self.cut_short_by is None:
            self._stop()

    def write(self) -> tuple[list[Path], str | None, float]:
        """Writes the page, the text, and what `pstats` and SnakeViz read."""
        import pstats  # noqa: PLC0415  as above

        page, text, figures = (self._stem.with_suffix(suffix) for suffix in (".html", ".txt", ".pstats"))
        self._profiler.stats = _without_ours(self._profiler.stats)
        self._profiler.create_stats = lambda: None  # `pstats` asks for it, and it would end the job's own
        figures.write_bytes(marshal.dumps(self._profiler.stats))
        said = io.StringIO()
        stats: Any = pstats.Stats(self._profiler, stream=said) if self._profiler.stats else None
        if self.cut_short_by is not None:
            self._title += ", cut short"
            said.write("Cut short: another profiler took its place.\n")
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


def _without_ours(stats: dict[Any, Any]) -> dict[Any, Any]:
    """What cProfile has counted, without what of this package has called the job, and has ended the profile."""

    def is_ours(function: tuple[str, int, str]) -> bool:
        return is_machinery(function[0]) or function[2] == _DISABLE

    return {
        function: (*counts, {caller: calls for caller, calls in callers.items() if not is_ours(caller)})
        for function, (*counts, callers) in stats.items()
        if not is_ours(function)
    }
