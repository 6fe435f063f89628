"""Text that others wrote, for a terminal or a log: nothing in it moves the cursor, colours, hides or turns other text."""

import re
from typing import Final

_UNPRINTABLE: Final = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
"""Control characters but line breaks and tabs, the line separators of Unicode, what turns the direction of text, and half
surrogates."""


def printable(text: str) -> str:
    """Spells out what a log file or a terminal cannot take; line breaks and tabs stay."""
    if text.isprintable():  # most texts are, and this looks at them in a tenth of the time
        return text
    return re.sub(_UNPRINTABLE, lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def on_one_line(text: str) -> str:
    """The same with line breaks and tabs spelled out, too."""
    if text.isprintable():  # as above; of a table there are many
        return text
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def printable_json(text: str) -> str:
    """The same for the text of a JSON document, which keeps its meaning: such characters stand only in its strings."""
    return (
        text
        if text.isascii() and "\x7f" not in text
        else re.sub(_UNPRINTABLE, lambda found: f"\\u{ord(found[0]):04x}", text)
    )
