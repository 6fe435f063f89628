"""A profile by pyinstrument, which looks every millisecond where a thread is. What it has seen takes a bounded memory."""

import sys
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.measure.function_name import named
from hydra_callback_kit.measure.machinery import is_machinery
from hydra_callback_kit.measure.other_profiler import name_of, put_back

_INTERVAL_S: Final = 0.001
_SENT: Final = ".*<dynamic-code>.*"
"""The file of functions that were sent to a worker: the app's own, which pyinstrument would take for a library's."""
_FOLDED_AT: Final = 10_000
"""Samples that are kept as they came: ten seconds. Of more, those of the same lines are added up."""


_DEEPEST: Final = 200
"""Calls in one another that are kept: pyinstrument's page takes seconds for a thousand, and minutes for three thousand."""
_LEFT_OUT: Final = "[calls left out]\0<left out>\0000"
"""What stands for the middle of more of them, as pyinstrument has it for a frame."""


class _Samples(list[tuple[list[str], float]]):
    """Where a thread was, and for how long. A job of a day has millions of samples, of a few thousand places.

    What of this package has called the task function is left out, and where nothing else was called yet, the sample is.

    Args:
        below: how many frames there are above it.
    """

    def __init__(self, below: int = 0) -> None:
        super().__init__()
        self.seen = 0
        self._below = below
        self._full_at = _FOLDED_AT

    def append(self, sample: tuple[list[str], float]) -> None:
        stack, took_s = sample
        job = self._below
        while job < len(stack) and _is_ours(stack[job]):
            job += 1
        if job > self._below:
            if job == len(stack):
                return
            stack = [*stack[: self._below], *stack[job:]]
        if len(stack) > _DEEPEST:
            stack = [*stack[: _DEEPEST // 2], _LEFT_OUT, *stack[-_DEEPEST // 2 :]]
        super().append((stack, took_s))
        self.seen += 1
        if len(self) >= self._full_at:
            added: dict[tuple[str, ...], float] = {}
            for stack, took_s in self:
                place = tuple(stack)
                added[place] = added.get(place, 0.0) + took_s
            self[:] = [(list(place), took_s) for place, took_s in added.items()]
            self._full_at = max(_FOLDED_AT, 2 * len(self))


class SampledProfile:
    """A profile by pyinstrument.

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
        self._samples = _Samples()

    def start(self) -> None:
        """Begins it, in the thread that is profiled."""
        from pyinstrument import Profiler  # noqa: PLC0415  an extra

        self._profiler = Profiler(interval=_INTERVAL_S, async_mode="disabled")
        self._profiler.start(target_description=self._title)
        self._hook = sys.getprofile()
        session = self._profiler._active_session  # noqa: SLF001  else memory grows with each sample, and ours are seen
        while _is_ours(session.start_call_stack[-1]):
            session.start_call_stack.pop()
        self._samples = session.frame_records = _Samples(len(session.start_call_stack))

    def stop(self) -> None:
        """Ends it, in the same thread."""
        hook = sys.getprofile()
        session = self._profiler.stop()
        session.sample_count = self._samples.seen
        if type(hook) is not type(self._hook):  # all of pyinstrument's share one
            self.cut_short_by = name_of(hook)
            session.target_description += ", cut short: another profiler took its place"
            put_back(hook)

    def write(self) -> tuple[list[Path], str | None, float]:
        """Writes the page and the text."""
        page, text = self._stem.with_suffix(".html"), self._stem.with_suffix(".txt")
        page.write_text(self._profiler.output_html(), "utf-8", "backslashreplace")
        said = self._profiler.output_text(unicode=True, processor_options={"show_regex": _SENT})
        text.write_text(said, "utf-8", "backslashreplace")
        by_function: dict[str, float] = {}
        for stack, took_s in self._samples:
            name = _function(stack[-1]) if stack else "?"
            by_function[name] = by_function.get(name, 0.0) + took_s
        top = max(by_function, key=by_function.__getitem__, default=None)
        whole_s = sum(by_function.values())
        return [page, text], top, by_function[top] / whole_s if top is not None and whole_s else 0.0


def _function(frame: str) -> str:
    """`step (train.py:12)`, of what pyinstrument has for a frame: its name, its file and its first line."""
    name, file, line = [*frame.partition("\1")[0].split("\0"), "", ""][:3]
    return named(name, file, line)


def _is_ours(frame: str) -> bool:
    return is_machinery(frame.partition("\0")[2])
