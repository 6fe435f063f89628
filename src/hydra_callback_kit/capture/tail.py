"""The last lines of what a job wrote, ready to be shown: bounded, readable, and without secrets."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hydra_callback_kit.capture.readable import readable
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.regular_file import open_regular

MAX_CHARACTERS: Final = 8_000
"""Of all of the lines."""
MAX_BYTES: Final = 1 << 17
"""How far from the end they are looked for: of a progress bar a terminal shows the last state alone."""

_REST: Final = re.compile(rb"\A[^\r\n]*[\r\n]")
"""Of a line, or of one state of a progress bar."""


def last_lines(file: Path, begins: int, lines: int, hide: Callable[[str], str]) -> str:
    """Reads the last lines of a file.

    Args:
        file: the file.
        begins: at which of its bytes that begins which counts.
        lines: how many; of long ones fewer.
        hide: takes the secrets out of a text.

    Returns:
        The lines, the last one without a line feed; empty if there is nothing.

    Raises:
        OSError: if it cannot be read.
    """
    with open_regular(file) as output:
        size = os.fstat(output.fileno()).st_size
        begins = begins if begins <= size else 0  # the job has emptied it
        start = max(begins, size - MAX_BYTES)
        output.seek(start)
        read = output.read(MAX_BYTES)
    if start > begins:
        read = _REST.sub(b"", read, count=1)
    # colours may stand in a secret, and what is written over a part of one leaves the rest
    text = hide(readable(hide(read.decode("utf-8", "replace")))).rstrip()
    last = printable("\n".join(text.split("\n")[-lines:])) if lines else ""
    return last if len(last) <= MAX_CHARACTERS else f"…{last[1 - MAX_CHARACTERS :]}"
