"""What `--since` says: how long ago, or a date or a time."""

import re
from datetime import datetime, timedelta, timezone
from typing import Final

import click

_AGO: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(s|m|min|h|d|w)", re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def since(text: str, now: datetime | None = None) -> datetime:
    """Reads a point of time.

    Args:
        text: how long ago (`90s`, `30min`, `2h`, `3d`, `2w`), a date (`2026-03-01`: its beginning), or a date and a time in
            ISO 8601. Without an offset it is local time.
        now: the time; None for the clock's.

    Raises:
        click.UsageError: if it is none of these.
    """
    ago, now = _AGO.fullmatch(text.strip()), now or datetime.now(timezone.utc)
    try:
        if ago:
            return now - timedelta(seconds=float(ago[1]) * _SECONDS[ago[2].lower()])
        if _DATE.fullmatch(text.strip()):
            return datetime.fromisoformat(text.strip().replace("Z", "+00:00")).astimezone(timezone.utc)
    except (ValueError, OverflowError, OSError):  # there is no such day, or the system knows none so early
        pass
    raise click.UsageError(
        f"--since {text!r} is no time. Write how long ago, such as 30min, 2h, 3d or 2w, or a date, such as 2026-03-01 or "
        "2026-03-01T14:05."
    )
