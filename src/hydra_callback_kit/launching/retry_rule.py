"""Which failures are worth another attempt: a rule over the names of the classes that an exception comes from."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from hydra_callback_kit.journal.kinds import PRUNED, is_one_of

ENDS: Final = ("hydra_callback_kit.AbortRun", "KeyboardInterrupt")
"""What says that no job of the sweep is to be started any more."""

NEVER: Final = (*ENDS, PRUNED)
"""What a job that it ended is not started again after."""

NOTE: Final = "retry"
"""The note that tells the jobs of a sweep which failures are not the last word: see `note`."""


def is_worth_it(kinds: Sequence[str], errors: Collection[str]) -> bool:
    """Tells whether a job is worth another attempt.

    Args:
        kinds: of what it failed by; none where it was killed, which always is.
        errors: what is worth it; empty for anything.
    """
    return not is_one_of(kinds, NEVER) and (not errors or not kinds or is_one_of(kinds, errors))


def note(errors: Collection[str], last: Mapping[int, int]) -> dict[str, Any]:
    """What the jobs are told.

    Args:
        errors: as above.
        last: the number of the last attempt at each job of which that is known.
    """
    return {"errors": list(errors), "last": dict(last)}


def is_the_last_word(noted: Mapping[str, Any], job_num: int, attempt: int, kinds: Sequence[str]) -> bool:
    """Tells whether a job that has failed is not going to be started again.

    Args:
        noted: the note.
        job_num: the job.
        attempt: the number of the attempt that has failed.
        kinds: of what it failed by; none where it was killed.
    """
    return attempt >= noted["last"].get(job_num, attempt + 1) or not is_worth_it(kinds, noted["errors"])
