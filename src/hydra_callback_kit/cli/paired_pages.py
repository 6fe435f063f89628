"""What `compare` says of two sweeps or settings, pair by pair, for people and for machines."""

import shlex
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError
from hydra_callback_kit.cli.target import MAX_NAMED, chosen_metric
from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.overrides import override_key, typed_overrides
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import ranking_on_record, unknown_key
from hydra_callback_kit.views.direction import Best, direction_of
from hydra_callback_kit.views.figures import in_words
from hydra_callback_kit.views.paired import Paired, paired
from hydra_callback_kit.views.pairs import Alone, Pairs, Side, pairs_of, varied_in_pairs, what_sets_apart
from hydra_callback_kit.views.plain_table import Column

_SIDES: Final = 2


class PairedBy(NamedTuple):
    """By what two sides are compared.

    Attributes:
        metric: the metric; None for the one that is on record, or the only one.
        mode: which value is the best; None for what can be known.
        average_over: the keys of overrides to average over.
    """

    metric: str | None
    mode: Best | None
    average_over: tuple[str, ...]


def compare_pairs(
    names: Sequence[str], runs: Sequence[RunRecord], settings: Sequence[str], by: PairedBy, *, as_json: bool
) -> None:
    """Compares two sides and prints what comes out.

    Args:
        names: what the runs are called.
        runs: one or two of them.
        settings: two for one run; none, one or two for two runs. Each is one or more overrides.
        by: the metric and so on.
        as_json: whether it is for machines.

    Raises:
        NothingToShowError: if there is no pair.
        click.UsageError: if it is not told which two are meant, or a key or a setting is unknown.
    """
    sides = _sides(names, runs, settings)
    record = ranking_on_record(runs[0])
    metric = chosen_metric(runs, by.metric or record.metric)
    asked_mode = by.mode or (record.mode if metric == record.metric else None)
    mode = direction_of(runs[0].facts, metric, asked_mode)
    over = [key.strip().lstrip("+") for each in by.average_over for key in each.strip("[]").split(",")]
    _check_keys([job for run in runs for job in run.jobs], over, "--average-over")
    keys_of_settings = {override_key(each) for setting in settings for each in shlex.split(setting)}
    apart = {*keys_of_settings, *what_sets_apart(sides)}
    found = pairs_of(*sides, metric, apart=apart, over=over)
    if not found.pairs:
        raise NothingToShowError(_no_pair(sides, found, metric))
    result = paired(found.pairs, mode)
    if as_json:
        screen.print_json(_as_row(sides, found, result, metric, mode))
    else:
        _print(sides, found, result, metric, mode, averaged=over)


def _sides(names: Sequence[str], runs: Sequence[RunRecord], settings: Sequence[str]) -> tuple[Side, Side]:
    if len(runs) == 1 and len(settings) != _SIDES:
        raise click.UsageError("One path has two sides if --setting is given twice: --setting model=a --setting model=b.")
    if len(settings) > _SIDES:
        raise click.UsageError(f"--setting was given {len(settings)} times: a comparison has two sides.")
    of_runs = [0, len(runs) - 1]
    chosen = [settings[min(i, len(settings) - 1)] if settings else "" for i in range(_SIDES)]
    first, second = (
        Side(
            " ".join([*([names[i]] if len(runs) > 1 else []), *([setting] if setting else [])]),
            _with(runs[i].jobs, setting, names[i]) if setting else runs[i].jobs,
        )
        for i, setting in zip(of_runs, chosen, strict=True)
    )
    known = {(job.root, job.job_num) for job in first.jobs}
    both = sorted(job.job_num for job in second.jobs if (job.root, job.job_num) in known)
    if both:
        raise click.UsageError(
            f"Both sides hold {wording.named_jobs(both)}, and a job says nothing of itself. Give two sweeps, or two "
            "settings of one sweep that share no job: --setting model=a --setting model=b."
        )
    return first, second


def _with(jobs: Sequence[JobRecord], setting: str, name: str) -> list[JobRecord]:
    """The jobs that were given the overrides of a setting."""
    try:
        words = shlex.split(setting)
    except ValueError as error:
        raise click.UsageError(
            f"--setting {setting!r} cannot be read: {error}. Write for example --setting 'lr=0.1 m=a'."
        ) from None
    if not words or not all(override_key(word) and ("=" in word or word.startswith("~")) for word in words):
        raise click.UsageError(
            f"--setting {setting!r} is no override such as model=big. Write for example --setting 'model=big lr=1'."
        )
    wanted = as_json(typed_overrides(words))
    _check_keys(jobs, list(wanted), "--setting")
    given = [as_json(job.overrides) for job in jobs]
    found = [job for job, each in zip(jobs, given, strict=True) if all(each.get(key) == wanted[key] for key in wanted)]
    if found:
        return found
    known = list(
        dict.fromkeys(" ".join(w for w in of_the_app(job.task_overrides) if override_key(w) in wanted) for job in jobs)
    )
    hint = wording.did_you_mean(" ".join(words), known)
    more = f" and {len(known) - MAX_NAMED} more" if len(known) > MAX_NAMED else ""
    raise click.UsageError(
        f"No job of {name} was given {' '.join(words)}.{hint} There are: {'; '.join(known[:MAX_NAMED])}{more}."
    )


def _check_keys(jobs: Sequence[JobRecord], keys: Sequence[str], option: str) -> None:
    unknown = unknown_key(jobs, keys)
    if unknown:
        raise click.UsageError(unknown.replace("average_over", option, 1))


def _no_pair(sides: Sequence[Side], found: Pairs, metric: str) -> str:
    keys = [dict.fromkeys(key for job in side.jobs for key in job.overrides) for side in sides]
    return "\n".join(
        [
            f"There is no pair: two jobs, one of each side, that have completed with {metric} and differ in nothing else.",
            *(f"  {side.name} was given {', '.join(of) or 'no overrides'}" for side, of in zip(sides, keys, strict=True)),
            f"  {_alone(sides, found.alone)}",
        ]
    )


def _as_row(sides: Sequence[Side], found: Pairs, result: Paired, metric: str, mode: Best) -> dict[str, Any]:
    rows = [
        {
            "overrides": pair.overrides,
            "first": pair.first,
            "second": pair.second,
            "difference": difference,
            "first_jobs": list(pair.first_jobs),
            "second_jobs": list(pair.second_jobs),
        }
        for pair, difference in zip(found.pairs, result.differences, strict=True)
    ]
    alone = [{"side": ("first", "second")[each.side], "job_num": each.job.job_num, "why": each.why} for each in found.alone]
    return {
        "first": sides[0].name,
        "second": sides[1].name,
        "metric": metric,
        "mode": mode,
        **result.as_row(),
        "better": result.better(mode),
        "pairs": rows,
        "without_partner": alone,
    }


def _print(sides: Sequence[Side], found: Pairs, result: Paired, metric: str, mode: Best, *, averaged: Sequence[str]) -> None:
    first, second = (side.name for side in sides)
    screen.say(screen.Styled(f"{first} and {second}", bold=True), f" by {metric} ({mode} is best)")
    facts = {}
    unsaid = {key: values for key, values in what_sets_apart(sides).items() if f"{key}=" not in first + second}
    if unsaid:
        facts["they differ in"] = ", ".join(
            f"{key} ({_cell(one) or 'none'} and {_cell(other) or 'none'})" for key, (one, other) in unsaid.items()
        )
    count = len(found.pairs)
    facts["pairs"] = f"{count}, of {_of_what(found, averaged)} whose other overrides are equal"
    error = result.figures.stderr
    spread = "" if error is None else " (mean ± standard error)"
    facts["difference"] = f"{in_words(result.figures.mean, error)}{spread}, {first} minus {second}"
    if result.interval is None and error is not None:
        facts["95 % interval"] = "none: a difference is no finite number"
    elif result.interval is None:
        seeds = "; without --average-over jobs are pairs" if averaged else ""
        facts["95 % interval"] = f"none: one pair does not tell how differences spread{seeds}"
    else:
        degrees = f"{count - 1} degree{'' if count == _SIDES else 's'} of freedom"
        facts["95 % interval"] = f"{_number(result.interval[0])} to {_number(result.interval[1])} (Student's t, {degrees})"
    neither = f", not to be compared in {result.incomparable}" if result.incomparable else ""
    facts["better"] = f"{first} in {result.wins}, {second} in {result.losses}, equal in {result.ties}{neither}"
    if found.alone:
        facts["no pair"] = _alone(sides, found.alone)
    facts["so"] = _verdict(first, second, result, mode)
    screen.print_facts(facts)
    screen.say()
    keys = varied_in_pairs(found.pairs)
    screen.print_table(
        [
            *(Column(key, [_cell(pair.overrides.get(key)) for pair in found.pairs]) for key in keys),
            Column(first, [_number(pair.first) for pair in found.pairs], right=True),
            Column(second, [_number(pair.second) for pair in found.pairs], right=True),
            Column("difference", [_number(each) for each in result.differences], right=True),
        ]
    )


def _of_what(found: Pairs, averaged: Sequence[str]) -> str:
    if averaged:
        return f"means over the {', '.join(averaged)} that both have,"
    return "jobs (the mean of those that have the same overrides)" if found.repeated else "jobs"


def _verdict(first: str, second: str, result: Paired, mode: Best) -> str:
    better = result.better(mode)
    if result.interval is None:
        return "nothing can be said of which is better"
    if better == "neither":
        return "neither is known to be better: the interval holds 0"
    return f"{first if better == 'first' else second} is better: the interval does not hold 0"


def _alone(sides: Sequence[Side], alone: Sequence[Alone]) -> str:
    """`out: job 7 (seed 4 is not there), ...`: which jobs are in no pair, by side and reason."""
    groups: dict[tuple[int, str], list[int]] = {}
    for each in alone:
        why = f"{each.job.status}" if each.why == "no metric" and each.job.status != "COMPLETED" else each.why
        groups.setdefault((each.side, why), []).append(each.job.job_num)
    return "; ".join(
        f"{wording.named_jobs(sorted(nums))} of {sides[side].name} ({why})" for (side, why), nums in groups.items()
    )


def _cell(value: Any) -> str:
    return "" if value is None else as_text(as_json(value))


def _number(value: float) -> str:
    return f"{value:.6g}"
