"""A profile of a process's memory by memray: who had allocated what was held when most was held."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.measure.function_name import named
from hydra_callback_kit.measure.machinery import is_machinery
from hydra_callback_kit.measure.other_profiler import name_of, put_back

_ROWS: Final = 40
"""Functions in the text."""
_PATIENCE_S: Final = 120.0
"""How long the page may take to be made."""


class MemoryProfile:
    """A profile by memray.

    Args:
        stem: where its files go: the path without a suffix.
        title: what is profiled.
    """

    def __init__(self, stem: Path, title: str) -> None:
        self._stem = stem
        self._title = title
        self.cut_short_by: str | None = None
        self._tracker: Any = None

    @property
    def _file(self) -> Path:
        return self._stem.with_suffix(".bin")

    def start(self) -> None:
        """Begins it."""
        from memray import FileDestination, FileFormat, Tracker  # noqa: PLC0415  an extra

        words = sys.argv[:]
        sys.argv[1:] = []  # it goes into the file and onto the page, and there may be secrets in it
        try:
            where = FileDestination(self._file, overwrite=True)
            # else the file grows with each allocation
            self._tracker = Tracker(destination=where, file_format=FileFormat.AGGREGATED_ALLOCATIONS)
            self._tracker.__enter__()
        finally:
            sys.argv[:] = words

    def stop(self) -> None:
        """Ends it."""
        hook = sys.getprofile()  # its own is not seen there
        self._tracker.__exit__(None, None, None)
        if hook is not None:
            self.cut_short_by = name_of(hook)
            put_back(hook)

    def write(self) -> tuple[list[Path], str | None, float]:
        """Writes the flame graph and the text, beside the file that memray's other commands read.

        Raises:
            RuntimeError: if memray cannot make the page.
        """
        from memray import FileReader  # noqa: PLC0415  as above

        by_function: dict[str, int] = {}
        with FileReader(self._file) as reader:
            peak = reader.metadata.peak_memory
            for record in reader.get_high_watermark_allocation_records(merge_threads=True):
                frames = record.stack_trace(max_stacks=1)
                if frames and is_machinery(frames[0][1]):
                    continue
                name = named(*frames[0]) if frames else "?"
                by_function[name] = by_function.get(name, 0) + record.size
        ordered = sorted(by_function, key=lambda name: (-by_function[name], name))
        rows = [f"{by_function[name]:>16,}  {name}\n" for name in ordered[:_ROWS]]
        page, text = self._stem.with_suffix(".html"), self._stem.with_suffix(".txt")
        head = f"{self._title}: {peak:,} bytes were held when most was held. By who had allocated them:\n\n"
        text.write_text(head + "".join(rows), "utf-8", "backslashreplace")
        command = [sys.executable, "-m", "memray", "flamegraph", "--force", "--output", str(page), str(self._file)]
        made = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603  this Python, and a file of ours
        if made.returncode:
            raise RuntimeError(f"memray cannot make its page: {made.stderr.strip()[-500:]}")
        top = ordered[0] if ordered else None
        return [page, text, self._file], top, by_function[top] / peak if top and peak else 0.0
