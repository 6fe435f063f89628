"""One line of the journal, checked: whatever others have written, what passes is what the writer could have written."""

import json
import re
from datetime import datetime
from typing import Any, Final

from hydra_callback_kit.journal.format import MAX_LINE, SCHEMA_VERSION

MAX_DEPTH: Final = 100
"""Levels of a line. The writer cuts what is nested deeper than a fifth of it."""

_END_OF_PIDS: Final = 1 << 32
END_OF_JOBS: Final = 1 << 53
"""JavaScript counts no further."""
_ENDS: Final = ("COMPLETED", "FAILED", "INTERRUPTED")
_DECODER = json.JSONDecoder()
_SHAPE: dict[str, tuple[type, ...]] = {
    "v": (int,),
    "time": (str,),
    "run": (str,),
    "event": (str,),
    "host": (str,),
    "pid": (int,),
    "born": (str, type(None)),
    "facts": (dict,),
}
_INTACT = {(int, str, str, str, str, int, str, dict)}

# views sort by it as text and write it as a time, in any time zone and on any system
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2999
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?\+00:00"


class BrokenLineError(ValueError):
    """A line of the journal is not what the writer writes."""


def parse_line(text: bytes) -> dict[str, Any]:  # noqa: C901, PLR0912  what may be wrong, one after another
    """Parses one line and checks that it has the shape that the writer gives it.

    Args:
        text: the line, without its newline.

    Raises:
        BrokenLineError: if it has not; the message says what is wrong.
    """
    if len(text) >= MAX_LINE:
        raise BrokenLineError(f"longer than {MAX_LINE} bytes, and no line is")
    try:
        line, end = _DECODER.raw_decode(text.decode("utf-8"))
        if end != len(text):  # white space, which is harmless, or worse; or not ASCII, which the writer never writes
            line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenLineError(f"not JSON: {error}") from error
    if type(line) is not dict:
        raise BrokenLineError("not a JSON object")
    # most of what is read is intact: the names and types are gone through one by one only when something is wrong
    if tuple(map(type, map(line.get, _SHAPE))) not in _INTACT:
        for key, kinds in _SHAPE.items():
            if key not in line or type(line[key]) not in kinds:
                raise BrokenLineError(f"{key!r} is missing or of the wrong type")
    if line["v"] != SCHEMA_VERSION:
        raise BrokenLineError(f"schema version {line['v']}, but this release reads version {SCHEMA_VERSION}")
    if not _is_time(line["time"]):
        raise BrokenLineError("'time' is no time in UTC")
    if "job" in line and not (type(line["job"]) is int and type(line.get("attempt")) is str):
        raise BrokenLineError("'job' or 'attempt' is missing or of the wrong type")
    if "job" in line and not 0 <= line["job"] < END_OF_JOBS:
        raise BrokenLineError("'job' is no job's number")
    if line["event"].startswith("rank_") and not ("job" in line and type(line.get("rank")) is int and line["rank"] > 0):
        raise BrokenLineError("'job' or 'rank' is missing or of the wrong type")
    if line["event"] in ("job_ended", "rank_ended") and line["facts"].get("status") not in _ENDS:
        raise BrokenLineError("'status' is not how a job ends")
    if not 0 < line["pid"] < _END_OF_PIDS:
        raise BrokenLineError("'pid' is no process's")
    # a level takes two characters beside the 100 of every line: most lines need no second look
    if len(text) > 3 * MAX_DEPTH and text.count(b"{") + text.count(b"[") > MAX_DEPTH and _is_deeper(line, MAX_DEPTH):
        raise BrokenLineError(f"nested deeper than {MAX_DEPTH} levels, and no line is")
    return line


def _is_time(text: str) -> bool:
    # as the writer writes it, which is looked at in half the time
    usual = len(text) == 32 and text[4:20:3] == "--T::." and text[26:] == "+00:00"  # noqa: PLR2004  the longest form
    try:
        written = usual or re.fullmatch(_TIME, text) is not None
        return written and _FIRST_YEAR <= datetime.fromisoformat(text).year <= _LAST_YEAR
    except ValueError:
        return False


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether a JSON value is nested deeper; without recursion, which has its own bound."""
    level = [value]
    for _ in range(levels):
        level = [
            item
            for each in level
            for item in (each.values() if type(each) is dict else each)
            if type(item) is dict or type(item) is list
        ]
    return bool(level)
