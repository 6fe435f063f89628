"""What is wrong with a run's jobs, on one screen: the same violation of many jobs is said once."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from hydra_callback_kit.checks.violation import ABSENT, Violation
from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.encoder import to_json

MAX_VIOLATIONS: Final = 10
"""Violations that are spelled out; the others are counted."""
MAX_VALUE: Final = 80
"""Characters of a value that are shown."""
MAX_OVERRIDES: Final = 100
"""Characters of a job's overrides that are shown."""
MAX_RANGES: Final = 8
"""Ranges of job numbers that are shown."""


class InvalidJob(NamedTuple):
    """A job and everything that is wrong with its config.

    Attributes:
        job_num: the job's index in the sweep; None for a single run.
        overrides: the job's overrides, secrets redacted.
        violations: what is wrong, secrets redacted.
    """

    job_num: int | None
    overrides: Sequence[str]
    violations: Sequence[Violation]


def report(headline: str, jobs: Sequence[InvalidJob], total: int = 1) -> str:
    """Puts everything that is wrong into words.

    Args:
        headline: what becomes of it: `The sweep was not started`.
        jobs: the jobs whose configs are not valid, in the order of their numbers.
        total: how many jobs there are.

    Returns:
        A line for the whole, and for each violation a line and the jobs that have it.
    """
    groups: dict[tuple[str, str], list[tuple[InvalidJob, Violation]]] = {}
    for job in jobs:
        for violation in job.violations:
            groups.setdefault((violation.key, violation.problem), []).append((job, violation))
    where = f" in {len(jobs)} of {_count(total, 'job')}" if total > 1 else ""
    lines = [f"{headline}: {_count(len(groups), 'violation')}{where}"]
    examples = 3 if len(groups) <= 3 else 1  # noqa: PLR2004  three and three: it is to fit one screen
    for group in list(groups.values())[:MAX_VIOLATIONS]:
        lines += _group(group, total, examples)
    if len(groups) > MAX_VIOLATIONS:
        lines.append(f"  and {_count(len(groups) - MAX_VIOLATIONS, 'more violation')}")
    return "\n".join(lines)


def _group(group: Sequence[tuple[InvalidJob, Violation]], total: int, examples: int) -> list[str]:
    _, violation = group[0]
    values = {_value(violation.value) for _, violation in group}
    same = values.pop() if len(values) == 1 else ""
    name = violation.key or "the config"
    lines = [f"  {name}{same and f' = {same}'}{':' if same else ''} {violation.problem}"]
    if total == 1:
        return lines
    for job, of_job in group[:examples]:
        value = "" if same or of_job.value is ABSENT else f": {_value(of_job.value)}"
        lines.append(
            f"    job {job.job_num} ({_cut(' '.join(of_the_app(job.overrides)) or 'no overrides', MAX_OVERRIDES)}){value}"
        )
    rest = [job.job_num for job, _ in group[examples:] if job.job_num is not None]
    if rest:
        lines.append(f"    and {_count(len(rest), 'more job')}: {_ranges(rest)}")
    return lines


def _value(value: Any) -> str:
    return "" if value is ABSENT else _cut(json.dumps(to_json(value), ensure_ascii=False), MAX_VALUE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _ranges(numbers: Iterable[int]) -> str:
    """`3-5, 7, 9-12`, the first few."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    return ", ".join(texts[:MAX_RANGES]) + (", …" if len(texts) > MAX_RANGES else "")
