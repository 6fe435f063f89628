"""What is said of a sweep that goes on, before anything of it runs."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.asked import AskedJobs, differing_keys
from hydra_callback_kit.journal.job_numbers import joined_numbers
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.launching.before import Before, Wanted
from hydra_callback_kit.launching.matching import Found
from hydra_callback_kit.views import wording

MAX_KEYS: Final = 5
"""Keys in which jobs differ that are named."""
MAX_COMPARED: Final = 200
"""Earlier jobs that one is compared with, to find the one that it is most like."""
MAX_VALUE: Final = 60
"""Characters of a value that is shown."""

_IGNORE: Final = "hydra.callbacks.resume_callback.ignore"
_GONE: Final = "hydra.callbacks.resume_callback.assume_gone=true"

Line = tuple[int, str]
"""A level of `logging`, and what is said."""


class Decided(NamedTuple):
    """What was decided about jobs.

    Attributes:
        found: what each is, by the sweeper's number.
        before: the earlier starts of the sweep.
        asked: what is asked of each, by the sweeper's number.
        is_left_out: tells the keys that do not matter.
        wanted: what the user wants.
        secret: the numbers of those that are run again because a secret is among their overrides.
        whole: whether these are all jobs of the sweep.
    """

    found: Mapping[int, Found]
    before: Sequence[Before]
    asked: AskedJobs
    is_left_out: Callable[[str], bool]
    wanted: Wanted
    secret: Collection[int]
    whole: bool


def lines_about(decided: Decided) -> Iterator[Line]:
    """What is to be said about the jobs, in this order."""
    done = [each for each in decided.found.values() if each.earlier is not None and each.earlier.what == "taken over"]
    if not any(each.earlier for each in decided.found.values()):
        yield from _nothing_matches(decided)
    elif decided.whole:
        yield logging.INFO, _how_it_goes_on(decided, done)
    elif done:
        yield logging.INFO, f"Not run again: {_by_status(decided, done)}."
    yield from _why_again(decided)
    waiting = [each.num for each in decided.found.values() if each.earlier is not None and each.earlier.what == "waits"]
    if waiting:
        what = (
            f"{_jobs(waiting)} was started before, and may still run or wait in a queue: it is neither run now nor taken "
            f"over, and counts as failed here. Start the sweep again once it has ended; if it is gone, with {_GONE}."
        )
        yield logging.WARNING, what
    here = next((each for each in decided.before if each.here), None)
    if decided.whole and here is not None:
        asked_for = {each.num for each in decided.found.values()}
        others = [num for num in here.jobs if num not in asked_for]
        if others:
            yield logging.INFO, f"{_jobs(others)} stays on record, and is not asked for any more."


def _how_it_goes_on(decided: Decided, done: Sequence[Found]) -> str:
    total = len(decided.found)
    run = [each.num for each in decided.found.values() if each.earlier is None or each.earlier.what == "again"]
    is_run = f"{wording.jobs(len(run))} {'is' if len(run) == 1 else 'are'} run: {joined_numbers(run, ', ')}" if run else ""
    elsewhere = [each.record.root for each in decided.before if not each.here]
    there = any(not each.earlier.here for each in done if each.earlier is not None)
    source = f", taken over from {elsewhere[0]}" if there and elsewhere else ""
    if not done:
        return f"The sweep goes on: {is_run or 'no job is run'}."
    not_run = f"{len(done)} of {wording.jobs(total)} {'is' if len(done) == 1 else 'are'} not run again"
    return f"The sweep goes on: {not_run} ({_by_status(decided, done)}){source}. {is_run or 'Nothing is left to run'}."


def _by_status(decided: Decided, done: Iterable[Found]) -> str:
    numbers: dict[str, list[int]] = {}
    for each in done:
        if each.earlier is not None:
            before = next(before for before in decided.before if before.here == each.earlier.here)
            numbers.setdefault(before.jobs[each.earlier.num].status, []).append(each.num)
    return "; ".join(f"{joined_numbers(nums, ', ')} {status.lower()}" for status, nums in numbers.items())


def _why_again(decided: Decided) -> Iterator[Line]:
    """Why jobs are run again that were done."""
    if decided.secret:
        yield logging.WARNING, f"{_jobs(decided.secret)} is run in any case: a secret in which jobs differ is not compared."
    for before in decided.before:
        here = {
            each.earlier.num: each.num
            for each in decided.found.values()
            if each.earlier and each.earlier.here == before.here
        }
        running = [] if before.here else [num for num, job in before.jobs.items() if job.status == "RUNNING"]
        if running and decided.whole:
            where = f"{_jobs(running)} of {before.record.root}"
            yield logging.WARNING, f"{where} may still run, and is not taken over: what is asked of it is run here."
        texts = before.only_a_text(decided.wanted).intersection(here)
        if texts:
            yield logging.WARNING, f"{_jobs(texts)} is run again: of what it returned only a text is on record."
        unknown = [num for num, job in before.jobs.items() if job.status == "COMPLETED" and num not in before.asked.jobs]
        if unknown and decided.whole:
            what = (
                f"{_jobs(unknown)} of {before.record.root} has completed, but what was asked of it is not known: it ran "
                "without resume_callback, and no config.yaml is saved in its directory."
            )
            yield logging.WARNING, what


def _nothing_matches(decided: Decided) -> Iterator[Line]:
    """In which keys the jobs that are done differ from those that are asked for."""
    for before in decided.before:
        done = [num for num, job in before.jobs.items() if job.status in decided.wanted.skip and num in before.asked.jobs]
        if not done or not decided.found:
            continue
        num, now = next((num, decided.asked.flat(num) or {}) for num in decided.found)
        candidates = [num] if num in done else []
        flats = [(each, before.asked.flat(each) or {}) for each in (*candidates, *done[:MAX_COMPARED])]
        keys, earlier, flat = min(
            (([*differing_keys(flat, now, decided.is_left_out)], each, flat) for each, flat in flats),
            key=lambda compared: len(compared[0]),
        )
        named = [f"  {key}: {_shown(flat, key)} -> {_shown(now, key)}" for key in keys[:MAX_KEYS]]
        more = [f"  and {len(keys) - MAX_KEYS} more"] if len(keys) > MAX_KEYS else []
        differ = "\n".join([f"Job {earlier} there and job {num} now differ in", *named, *more])
        what = (
            f"Nothing that was done in {before.record.root} ({wording.jobs(len(done))}) is asked for now: all jobs are run. "
            f"{differ}\nKeys that do not matter belong into {_IGNORE}."
        )
        yield logging.WARNING, printable(what)


def _shown(flat: Mapping[str, Any], key: str) -> str:
    return wording.shortened(json.dumps(flat[key], ensure_ascii=False), MAX_VALUE) if key in flat else "(not there)"


def _jobs(numbers: Collection[int]) -> str:
    """`Job 3`, `Each of the jobs 3-5`: a sentence goes on in the singular."""
    return f"Job {next(iter(numbers))}" if len(numbers) == 1 else f"Each of the jobs {joined_numbers(numbers, ', ')}"
