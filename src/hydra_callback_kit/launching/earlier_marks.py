"""The secrets of a sweep that goes on: which of them are those on record, of which only the marks are known."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence

from hydra_callback_kit.journal.masking import is_marked, pairs_of_marks
from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.launching.before import Before
from hydra_callback_kit.launching.matching import Found


def earlier_marks(
    before: Sequence[Before], shown: Mapping[int, Sequence[str]], found: Mapping[int, Found], fixed: Collection[str]
) -> dict[str, str]:
    """The marks that secrets have on record, by those that they have now.

    A secret that all jobs share is the one that all jobs shared; another counts as the one whose place it takes.

    Args:
        before: the earlier starts of the sweep.
        shown: the overrides of the jobs that are asked for now, redacted, by the sweeper's numbers.
        found: which earlier jobs they are.
        fixed: the keys of the overrides that are the same for all jobs of this start.
    """
    jobs = {here.here: {num: job.task_overrides for num, job in here.jobs.items()} for here in before}
    hidden = [words for known in jobs.values() for words in known.values() if any(map(is_marked, words))]
    if not hidden:
        return {}
    now = [each for each in _shared(shown.values()) if override_key(each) in fixed]
    pairs = [*pairs_of_marks(_shared(hidden), now)]
    for num, each in found.items():
        earlier = each.earlier
        pairs += pairs_of_marks(() if earlier is None else jobs[earlier.here].get(earlier.num, ()), shown[num])
    marks: dict[str, str] = {}
    for mark, known in pairs:
        if known not in marks.values():  # two secrets stay two
            marks.setdefault(mark, known)
    return marks


def secrets_that_varied(before: Sequence[Before]) -> set[str]:
    """The keys of the secret overrides in which jobs on record differ."""
    texts = _by_key(job.task_overrides for each in before for job in each.jobs.values())
    return {key for key, known in texts.items() if len(known) > 1}


def _shared(jobs: Iterable[Sequence[str]]) -> list[str]:
    """The overrides in which a secret is hidden that is the same in all jobs."""
    return [text for known in _by_key(jobs).values() if len(known) == 1 for text in known]


def _by_key(jobs: Iterable[Sequence[str]]) -> dict[str, set[str]]:
    texts: dict[str, set[str]] = {}
    for override in filter(is_marked, itertools.chain.from_iterable(jobs)):
        texts.setdefault(override_key(override), set()).add(override)
    return texts
