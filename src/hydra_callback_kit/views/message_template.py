"""What a template of a message may name."""

import string
from typing import Final

FIELDS: Final = (
    *("app", "what", "event", "status", "counts", "best", "duration", "host", "directory", "error", "failed", "reason"),
)
"""What a template may name."""


def names_in(template: str) -> list[str]:
    """The names that stand in braces in a template.

    Raises:
        ValueError: if it is no template, or something else than a name stands there: nothing in a template is looked up,
            formatted or called.
    """
    names = []
    for _, name, form, conversion in string.Formatter().parse(template):
        if form or conversion:
            raise ValueError(f"{{{name}}} may have nothing behind its name")
        if name is not None:
            names.append(name)
    return names
