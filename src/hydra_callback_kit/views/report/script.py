"""What stands in the page's script elements, piece by piece: no piece is as large as the page."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.printable import printable

SCRIPTS: Final = (
    *("data", "table", "plots", "front", "settings", "parallel", "matters", "courses", "timeline", "resources", "start"),
)
"""The parts of the page's own script, in their order."""
ASSETS: Final = Path(__file__).with_name("assets")
_BLOCK: Final = 1 << 16
MANY: Final = 1_000
"""Values of a list that are written at once: while it is written, each takes many times its size."""
_ESCAPED: Final = re.compile(r"(?:\\u[0-9a-f]{4})+|\\.")
"""Characters that JSON has escaped; halves of one character together."""
_END: Final = "</script"


def own_script() -> Iterator[str]:
    """The page's own script."""
    return ((ASSETS / f"{name}.js").read_text("utf-8") for name in SCRIPTS)


def data_script(data: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """The page's data as one JSON object.

    Args:
        data: its keys and values. An iterator is written as a list, and each of its items is asked for when it is written.
    """
    before = "{"
    for key, value in data:
        yield f"{before}{script_json(key)}:"
        yield from _pieces(value)
        before = ","
    yield "}" if before == "," else "{}"


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield from data_script(value.items())
    elif isinstance(value, Iterator) or (isinstance(value, list) and value and isinstance(value[0], (dict, list))):
        yield "["
        for place, item in enumerate(value):
            yield "," if place else ""
            yield from _pieces(item)
        yield "]"
    elif isinstance(value, list) and len(value) > MANY:
        for start in range(0, len(value), MANY):
            yield f"{',' if start else '['}{script_json(value[start : start + MANY])[1:-1]}"
        yield "]"
    else:
        yield script_json(value)


def script_json(value: Any) -> str:
    """JSON that can stand in a script element: it holds no `<`, `>` or `&`, and only ASCII; its texts are `printable`."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: json.dumps(printable(json.loads(f'"{found[0]}"')))[1:-1], text)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def library_script(file: Path) -> Iterator[str]:
    """A library's script, in which nothing ends a script element.

    Args:
        file: where it lies.

    Raises:
        OSError: if it cannot be read.
    """
    with file.open(encoding="utf-8", newline="") as script:
        held = ""
        while block := script.read(_BLOCK):
            text = held + block
            cut = text.rfind("<", max(0, len(text) - len(_END) + 1))  # it may go on in the next block
            held = text[cut:] if cut >= 0 else ""
            yield text[: len(text) - len(held)].replace(_END, "<\\/script")
        yield held
