"""What of a run goes to a store, and in which order: each job's files, the sweep's own, and the journal as the last.

A mark beside the journal, `.callbacks/upload.json`, says whether all of the journal is there. It is made first, which shows
that the store can be written to, and says so last: a reader sees a whole run or none.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.journal_lines import files_of_run
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.remote.mark import MARK, mark, whole
from hydra_callback_kit.remote.sending import Sent, send
from hydra_callback_kit.remote.store import Store
from hydra_callback_kit.remote.tree import LocalFile, directories_above, inside, journal_apart
from hydra_callback_kit.trackers.patience import Tracker
from hydra_callback_kit.trackers.upload_wanted import Wanted, files_of_job, stale_files

TRACKER: Final = Tracker(
    "uploaded",
    "The upload",
    ("AWS_", "GOOGLE_", "AZURE_", "FSSPEC_"),
    ("fsspec", "s3fs", "gcsfs", "adlfs", "aiobotocore", "botocore", "aiohttp", "azure", "asyncio"),
    is_address=True,
    says="%s failed at %s: %s. The job is not affected, and its files are here. To send what is missing there, type: %s",
)


class Course(NamedTuple):
    """How long is sent, and who hears that the store takes something in.

    Attributes:
        until_s: when to stop, by the monotonic clock.
        answered: called whenever it has.
    """

    until_s: float
    answered: Callable[[], None]


def address_of(to: str, run_id: str) -> str:
    """Where a run goes: below `to`, by its id, which no other run has."""
    return f"{to.rstrip('/')}/{run_id}"


def begin(store: Store, course: Course) -> bool:
    """Makes sure that a store can be written to. Where a run goes on, what it has left there stays readable.

    Args:
        store: where it goes.
        course: who hears of it.

    Returns:
        That it can.
    """
    if store.read(MARK) is None:
        store.write(MARK, mark(is_whole=False))
    course.answered()
    return True


def take_back(store: Store) -> bool:
    """Removes what `begin` has left of a run of which nothing is sent, unless something else is there.

    Args:
        store: where it was to go.

    Returns:
        That it has.
    """
    if store.listed().keys() <= {MARK}:
        store.remove(MARK)
        store.remove_if_empty(JOURNAL_DIR)
    return True


def send_job(
    store: Store, root: Path, directory: str, wanted: Wanted, course: Course, may_be_stale: Callable[[], bool]
) -> Sent:
    """Sends the files of a job, and removes what an earlier attempt at it has left there.

    Args:
        store: where its run goes.
        root: the run's directory.
        directory: the job's, relative to it; empty for that of a single run.
        wanted: what goes there.
        course: how long.
        may_be_stale: tells whether what is there and not here is an earlier attempt's; it is asked if there is any.
    """
    here = list(journal_apart(root, directory))
    known = store.listed(directory)
    sent = send(store, [file for file in here if wanted.takes(inside(file.name, directory))], known, *course)
    gone = files_of_job(known.keys() - {file.name for file in here}, directory, wanted)
    if gone and sent.complete and may_be_stale():
        _remove(store, gone, course)
    return sent


def _remove(store: Store, names: Iterable[str], course: Course) -> None:
    for name in names:
        if time.monotonic() < course.until_s:
            store.remove(name)
            course.answered()


class RunSent(NamedTuple):
    """What became of a run.

    Attributes:
        now: of the files that were looked at.
        files: how many of its files are there.
        bytes: of these.
        left_out: how many are not wanted there.
        is_whole: whether all is there, the journal included.
        running: how many jobs still run, and are left to send theirs.
        missing: how many files are not there that are wanted there.
    """

    now: Sent
    files: int
    bytes: int
    left_out: int
    is_whole: bool
    running: int
    missing: int


def send_run(
    store: Store,
    address: str,
    run: RunRecord,
    wanted: Wanted,
    course: Course,
    record: Callable[[int, int, bool], object],
    *,
    careful: Collection[str] | None,
) -> RunSent:
    """Sends what is missing of a run.

    Args:
        store: where it goes.
        address: what that is called on record.
        run: its record.
        wanted: what goes there.
        course: how long.
        record: puts on record how many files and bytes are there, and whether that is all, before the journal is sent.
        careful: the directories of jobs whose files are compared by their checksums; None for all. Else those of jobs that
            were sent as they ended are compared by size and time.
    """
    known, owners = store.listed(), _owners(run)
    running = {place for place, job in owners.items() if job.status == "RUNNING" and place}
    files, there, left_out, in_all = [], 0, 0, 0
    gone = {name: info for name, info in known.items() if running.isdisjoint(directories_above(name))}
    for file in journal_apart(run.root, "", running):
        gone.pop(file.name, None)
        place = next((above for above in directories_above(file.name) if above in owners), "")
        if not wanted.takes(inside(file.name, place)):
            left_out += 1
            continue
        in_all += file.size
        info = known.get(file.name)
        sent_at = float("-inf") if careful is None or place in careful else _sent_at(owners.get(place), f"{address}/{place}")
        if info is None or info.get("size") != file.size or file.changed_s > sent_at:
            files.append(file)
        else:
            there += 1
    now = send(store, files, known, *course)
    if now.complete:
        stale = stale_files(run, owners, gone, wanted)
        _remove(store, stale, course)
        gone = {name: info for name, info in gone.items() if name not in stale}
    # what was sent before, and is not here any more
    sizes = [info.get("size") or 0 for name, info in gone.items() if not name.startswith(f"{JOURNAL_DIR}/")]
    there += now.sent + now.there + len(sizes)
    in_all += sum(sizes)
    record(there, in_all, now.complete)
    is_whole = now.complete and run.status != "RUNNING" and _send_journal(store, run, known, course)
    return RunSent(now, there, in_all, left_out, is_whole, run.count("RUNNING"), len(files) - now.sent - now.there)


def count_not_sent(run: RunRecord, address: str, wanted: Wanted) -> int:
    """How many files of a run are not there, as far as can be told without the store.

    Args:
        run: its record.
        address: what the place is called on record.
        wanted: what goes there.
    """
    owners, count = _owners(run), 0
    for file in journal_apart(run.root, ""):
        place = next(filter(owners.__contains__, directories_above(file.name)), "")
        is_new = file.changed_s > _sent_at(owners.get(place), f"{address}/{place}")
        count += is_new and wanted.takes(inside(file.name, place))
    return count


def _send_journal(store: Store, run: RunRecord, known: Mapping[str, Mapping[str, Any]], course: Course) -> bool:
    if whole(store.read(MARK)):
        store.write(MARK, mark(is_whole=False))
    files = []
    for path in files_of_run(run.root, run.run_id):
        status = path.lstat()
        files.append(LocalFile(path, path.relative_to(run.root).as_posix(), status.st_size, status.st_mtime))
    sent = send(store, files, known, *course)
    if sent.complete:
        store.write(MARK, mark(is_whole=True))
    return sent.complete


def completed_places(run: RunRecord) -> dict[str, JobRecord]:
    """The jobs that completed and share their directories with no other, by these, relative to the run's."""
    return {place: job for place, job in _owners(run).items() if job.status == "COMPLETED"}


def distributed_places(run: RunRecord) -> list[str]:
    """Those of jobs of several processes: rank 0 has sent what was there as it ended."""
    return [place for place, job in completed_places(run).items() if is_distributed(job)]


def is_distributed(job: JobRecord) -> bool:
    """Whether a job is of several processes."""
    return (job.world_size or 1) > 1


def all_ranks_have_ended(job: JobRecord) -> bool:
    """Whether each of them has said that it is done."""
    done = {rank.rank for rank in job.ranks if rank.status == "COMPLETED" and rank.ended_at is not None}
    return len(done) >= (job.world_size or 1)


def _owners(run: RunRecord) -> dict[str, JobRecord]:
    """The jobs by their directories, as far as these lie in the run's and are theirs alone."""
    owners: dict[str, list[JobRecord]] = {}
    for job in run.jobs:
        place = place_of(run.root, job.output_dir)
        if place is not None:
            owners.setdefault(place, []).append(job)
    return {place: jobs[0] for place, jobs in owners.items() if len(jobs) == 1}


def place_of(root: Path, directory: Path | None) -> str | None:
    """A job's directory relative to the run's, with slashes; empty if it is the same, None if it lies elsewhere."""
    if directory is None or not directory.is_relative_to(root):
        return None
    name = directory.relative_to(root).as_posix()
    return "" if name == "." else name


def _sent_at(job: JobRecord | None, address: str) -> float:
    """When a job whose files are all there was sent there; else before all of its files."""
    fact = {} if job is None else job.facts.get(TRACKER.name)
    if type(fact) is dict and fact.get("complete") is True and fact.get("to") == address.rstrip("/"):
        try:
            return datetime.fromisoformat(as_text(fact.get("at"))).timestamp()
        except ValueError:
            pass
    return float("-inf")
