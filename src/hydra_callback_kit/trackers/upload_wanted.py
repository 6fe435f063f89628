"""Which files of a run are wanted in a store, and which of those that are there are an earlier attempt's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.remote.patterns import is_meant
from hydra_callback_kit.remote.tree import directories_above, inside

_NEVER: Final = (".submitit/**/*.pkl",)
"""What a launcher has pickled: it holds the configs as they are, secrets included, and tells nobody anything."""


class Wanted(NamedTuple):
    """What of a run goes there.

    Attributes:
        what: globs of the files that do.
        exclude: globs of those that do not.
    """

    what: Sequence[str]
    exclude: Sequence[str]

    def takes(self, name: str) -> bool:
        """Whether a file goes there, by its name in the job's directory or in the sweep's."""
        return is_meant(name, self.what) and not is_meant(name, (*self.exclude, *_NEVER))


def is_of_the_last_attempt(job: JobRecord) -> bool:
    """Whether only the last attempt at a job can say what is to be there.

    Files of an attempt that completed may have been deleted here because they are there: those stay.
    """
    return (
        job.attempts > 1 and len(job.earlier) >= job.attempts - 1 and all(each.status != "COMPLETED" for each in job.earlier)
    )


def files_of_job(names: Iterable[str], directory: str, wanted: Wanted) -> list[str]:
    """Those of a job's files that are wanted there; the journal of a single run, and a sweep's own files, are none.

    Args:
        names: files that are there, by their names in the run.
        directory: the job's.
        wanted: what goes there.
    """
    own = (name for name in names if name.startswith(f"{directory}/") or not directory)
    return sorted(name for name in own if wanted.takes(inside(name, directory)) and not name.startswith(f"{JOURNAL_DIR}/"))


def stale_files(run: RunRecord, owners: Mapping[str, JobRecord], gone: Iterable[str], wanted: Wanted) -> set[str]:
    """What earlier attempts at jobs have left there, of those whose files lie on this machine.

    Args:
        run: the run.
        owners: its jobs by their directories.
        gone: what is there, and not here.
        wanted: what goes there.
    """
    host, stale = this_process().host, set[str]()
    for place, job in owners.items():
        if is_of_the_last_attempt(job) and job.status != "RUNNING" and job.host == host and (run.root / place).is_dir():
            own = [name for name in gone if next(filter(owners.__contains__, directories_above(name)), None) == place]
            stale.update(files_of_job(own, place, wanted))
    return stale
