"""What differs between runs: how they were started, their configs, what came out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.metrics import metrics_of

VARIES: Final = "(varies)"
"""Stands for the value of a config key that is not the same in all jobs of a sweep."""

_OF_EVERY_RUN: Final = frozenset(
    (
        *("root", "cwd", "program", "command", "other_arguments", "overrides", "hydra_overrides"),
        *("planned_overrides", "planned_jobs", "expected_jobs", "config"),
    )
)
_DIRECTORIES: Final = frozenset(("hydra.mode", "hydra.run.dir", "hydra.sweep.dir"))


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not the same in all runs.

    Attributes:
        section: `run`, `overrides`, `config` or `metrics`.
        key: its name there.
        values: its value in each run, None where it has none.
    """

    section: str
    key: str
    values: tuple[Any, ...]


def differences(runs: Sequence[RunRecord]) -> list[Difference]:
    """Compares runs.

    Args:
        runs: single runs or sweeps.

    Returns:
        What differs, by section. A sweep's config has the values that all its jobs share, and its metrics are ranges.
    """
    sections: dict[str, Callable[[RunRecord], Mapping[str, Any]]] = {
        "run": _start,
        "overrides": _overrides,
        "config": _config,
        "metrics": _metrics,
    }
    return [
        Difference(section, key, values)
        for section, look in sections.items()
        for key, values in _by_key([look(run) for run in runs])
        if any(value != values[0] and not (value != value and values[0] != values[0]) for value in values)  # noqa: PLR0124  NaN
    ]


def _by_key(looks: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, tuple[Any, ...]]]:
    for key in dict.fromkeys(key for look in looks for key in look):
        yield key, tuple(look.get(key) for look in looks)


def _start(run: RunRecord) -> dict[str, Any]:
    facts = {name: fact for name, fact in run.facts.items() if name not in _OF_EVERY_RUN}
    took = None if run.took_s is None else wording.duration(run.took_s)
    return {"mode": run.mode, "status": run.status, "jobs": wording.status_counts(run), "took": took, **dotted(facts)}


def _overrides(run: RunRecord) -> dict[str, str]:
    """As they were written: a sweep's values are a list of choices."""
    given = [run.facts.get(name) for name in ("overrides", "hydra_overrides")]
    texts = [as_text(text) for words in given if isinstance(words, list) for text in words]
    return {key: text.partition("=")[2] or text for text in texts if (key := override_key(text)) not in _DIRECTORIES}


def _config(run: RunRecord) -> dict[str, Any]:
    configs = [dotted(config) for job in run.jobs if isinstance(config := job.facts.get("config"), dict)]
    return {key: values[0] if all(value == values[0] for value in values) else VARIES for key, values in _by_key(configs)}


def _metrics(run: RunRecord) -> dict[str, Any]:
    found = [metrics_of(job) for job in run.jobs if job.status == "COMPLETED"]
    metrics = {}
    for name, values in _by_key(found):
        known = sorted(value for value in values if value is not None and value == value)  # noqa: PLR0124  not NaN
        if not known or len(values) == 1:
            metrics[name] = values[0]
        else:
            metrics[name] = known[0] if known[0] == known[-1] else f"{known[0]:.6g} to {known[-1]:.6g}"
    return metrics


def dotted(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A config as one mapping: what lies in mappings is under `<key>.<key>`, at any depth."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= dotted(item, f"{prefix}{key}.") if isinstance(item, dict) and item else {f"{prefix}{key}": item}
    return flat
