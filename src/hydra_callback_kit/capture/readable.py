"""Text that was written for a terminal, as a terminal shows it in the end: without colours, and progress bars once."""

import re
from typing import Final

_WIDEST: Final = 2_000
"""Columns that the cursor can be sent to: what is written goes further."""

_PART: Final = re.compile(
    r"\x1b\[(?P<numbers>[0-?]*)[ -/]*(?P<what>[@-~])"  # moves the cursor, clears, colours
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|(?=\x1b)|$)"  # a title, a link
    r"|\x1b[ -/]*[0-~]?"  # others
    r"|(?P<control>[\r\n\b])"
    r"|(?P<text>[^\x1b\r\n\b]+)"
)


def readable(text: str) -> str:
    """What a terminal of endless width and height would show in the end, from the first line on.

    Args:
        text: what was written. Control characters that move or colour nothing stay as they are.

    Returns:
        Lines, without spaces at their ends. What was on the screen before is not known: the cursor goes no higher than to
        the first line.
    """
    if not any(character in text for character in "\x1b\r\b"):
        return "\n".join(line.rstrip(" ") for line in text.split("\n"))
    screen = _Screen()
    for part in _PART.finditer(text):
        if part["text"] is not None:
            screen.write(part["text"])
        elif part["control"] is not None:
            screen.control(part["control"])
        elif part["what"] is not None:
            screen.command(part["what"], part["numbers"])
    return "\n".join(line.rstrip(" ") for line in screen.lines)


class _Screen:
    """The lines, and the cursor."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = 0
        self._column = 0

    def write(self, text: str) -> None:
        line, end = self.lines[self._row], self._column + len(text)
        self.lines[self._row] = line[: self._column].ljust(self._column) + text + line[end:]
        self._column = end

    def control(self, character: str) -> None:
        if character == "\b":
            self._column = max(0, self._column - 1)
            return
        self._column = 0
        if character == "\n":
            self._row += 1
            if self._row == len(self.lines):
                self.lines.append("")

    def command(self, what: str, numbers: str) -> None:
        count = int(numbers) if numbers.isascii() and numbers.isdigit() and len(numbers) < 6 else 0  # noqa: PLR2004  more digits than any terminal has columns
        if what in "AF":
            self._row = max(0, self._row - max(1, count))
        elif what in "BE":
            self._row = min(len(self.lines) - 1, self._row + max(1, count))
        elif what == "C":
            self._column = max(self._column, min(_WIDEST, self._column + max(1, count)))
        elif what == "D":
            self._column = max(0, self._column - max(1, count))
        elif what == "G":
            self._column = min(_WIDEST, max(1, count) - 1)
        elif what == "K":
            self._clear_line(count)
        elif what == "J":
            self._clear_screen(count)
        if what in "EF":
            self._column = 0

    def _clear_line(self, part: int) -> None:
        line = self.lines[self._row]
        before, after = line[: self._column], line[self._column :]
        self.lines[self._row] = ("" if part else before) + ("" if part != 1 else after and " " * self._column + after)

    def _clear_screen(self, part: int) -> None:
        if part == 0:
            self._clear_line(0)
            del self.lines[self._row + 1 :]
        elif part in (2, 3):
            self.lines = [""] * (self._row + 1)
