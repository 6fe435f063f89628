"""What a sweep that went on has taken over, in words."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import wording


def resumed(run_facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each time that a sweep went on, and what it took over then; what no writer writes is passed by.

    `1 job taken over`, and by which command, where that is not the one that the sweep was started with.

    Args:
        run_facts: what is on record of the run.
    """
    return [
        (each["at"], f"{wording.jobs(each['taken_over'])} taken over{_by(each.get('command'))}")
        for each in _times(run_facts)
        if [type(each.get(name)) for name in ("at", "taken_over")] == [str, int]
    ]


def went_on_otherwise(run_facts: Mapping[str, Any]) -> bool:
    """Whether it has once gone on with another command than it was started with, so that its jobs are not that one's.

    Args:
        run_facts: what is on record of the run.
    """
    return any(each.get("otherwise") is True for each in _times(run_facts))


def _by(command: Any) -> str:
    return f" by {shlex.join(map(as_text, command))}" if isinstance(command, list) else ""


def _times(run_facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    said = run_facts.get("resumed")
    for each in said if isinstance(said, list) else ():
        if isinstance(each, dict):
            yield each
