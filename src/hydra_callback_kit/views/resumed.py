"""What a sweep that went on has taken over, in words."""

from collections.abc import Mapping
from typing import Any

from hydra_callback_kit.views import wording


def resumed(run_facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each time that a sweep went on, and what it took over then: `1 job taken over`; what no writer writes is passed by.

    Args:
        run_facts: what is on record of the run.
    """
    said = run_facts.get("resumed")
    return [
        (each["at"], f"{wording.jobs(each['taken_over'])} taken over")
        for each in (said if isinstance(said, list) else ())
        if isinstance(each, dict) and [type(each.get(name)) for name in ("at", "taken_over")] == [str, int]
    ]
