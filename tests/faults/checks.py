"""What must hold of an app with our callbacks, whatever went wrong: each complaint is a sentence."""

import csv
import dataclasses
import fnmatch
import html.parser
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from faults.fault import CALLBACKS, IN_ONE_PROCESS, Fault
from faults.scene import Left

from hydra_callback_kit import load_run
from hydra_callback_kit.cli.main import main
from hydra_callback_kit.journal.format import JOURNAL_DIR, JournalNotFoundError
from hydra_callback_kit.views.seal import is_as_sealed


def complaints(fault: Fault, launcher: str, ours: Left, bare: Left) -> list[str]:
    """Compares an app with our callbacks to the same app without them.

    Args:
        fault: what went wrong in both.
        launcher: under which launcher.
        ours: what the app with our callbacks left.
        bare: what the other left.

    Returns:
        What is not as it should be.
    """
    return [
        *(() if bare.started else ("no job started without us either",)),
        *_exit(fault, launcher, ours, bare),
        *_reports(fault, ours),
        *_leftovers(fault, ours, bare),
        *_twice(fault, ours),
        *(complaint for root in _roots(ours) for complaint in (*_strangers(fault, root), *_files(root))),
        *_record(fault, launcher, ours),
        *_away(ours),
        *_record_with_what_is_away(fault, launcher, ours),
    ]


def _roots(ours: Left) -> Iterator[Path]:
    """The directories that the run has on each disk."""
    yield ours.root
    if ours.away is not None:
        yield ours.away


def _exit(fault: Fault, launcher: str, ours: Left, bare: Left) -> Iterator[str]:
    expected = {bare.code if fault.code is None else fault.code} | fault.codes_by_chance.get(launcher, frozenset())
    if ours.code not in expected or ours.code is None:
        yield f"exit code {ours.code}, expected {' or '.join(map(str, expected))}"


def _reports(fault: Fault, ours: Left) -> Iterator[str]:
    """A hook that raises is seen in Hydra's warning, and one that failed in our own report."""
    if "hydra_callback_kit/callbacks" in ours.output and not fault.reports:
        yield "a traceback goes through our callbacks"
    reported = "Please report this as a bug" in ours.output
    if reported != fault.reports:
        yield "a bug of ours is reported" if reported else "the failure of our callbacks is not reported"


def _twice(fault: Fault, ours: Left) -> Iterator[str]:
    """A sweep that goes on cannot know of what ended on another disk, for none of it came home."""
    if fault.at_once == 1 and not (fault.again and ours.away is not None):
        yield from (f"job {x} reached its end twice" for x in sorted(ours.twice))


def _leftovers(fault: Fault, ours: Left, bare: Left) -> Iterator[str]:
    for what in ("processes", *(() if fault.waits else ("threads",)), "files"):
        left = getattr(ours, what) - getattr(bare, what)
        if left:
            yield f"{what} left behind: {sorted(left)}"


_KNOWN = (
    *("*.hydra/*.yaml", "multirun.yaml", "*app.log", ".submitit/*"),  # Hydra's own
    *(".callbacks/*.jsonl", ".callbacks/ranks-*.json", ".callbacks/upload-failed.*"),
    ".callbacks/*.open/*",  # of a sweep whose process was killed, or whose jobs outlive it
    *("detached.log", ".callbacks/detached.log.exit"),
    *(file for files in CALLBACKS.values() for file in files),
)


def _strangers(fault: Fault, root: Path) -> Iterator[str]:
    """Temporary files and locks would be among them."""
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root).as_posix()
        if not file.is_dir() and not any(fnmatch.fnmatchcase(name, known) for known in (*_KNOWN, *fault.kept)):
            yield f"{name} left behind"


def _files(root: Path) -> Iterator[str]:
    for file in sorted(root.rglob("*")):
        read = _READERS.get(file.suffix)
        if read is not None and file.is_file():
            try:
                read(file)
            except (ValueError, csv.Error) as error:
                yield f"{file.relative_to(root)} cannot be read: {error}"


def _read_json(file: Path) -> None:
    json.loads(file.read_text("utf-8"), parse_constant=_not_json)


def _read_json_lines(file: Path) -> None:
    """The last line of a journal may be torn."""
    lines = file.read_bytes().split(b"\n")
    for line in lines[:-1]:
        if line:
            json.loads(line, parse_constant=_not_json)


def _read_csv(file: Path) -> None:
    with file.open(encoding="utf-8", newline="") as text:
        head, *rows = csv.reader(text, strict=True)
    if any(len(row) != len(head) for row in rows):
        raise ValueError("rows of different lengths")


def _read_html(file: Path) -> None:
    text = file.read_text("utf-8")
    parser = html.parser.HTMLParser()
    parser.feed(text)
    parser.close()
    if not (text.rstrip().endswith("</html>") if file.stem == "profile" else is_as_sealed(file)):
        raise ValueError("it has no end")


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_READERS = {".json": _read_json, ".jsonl": _read_json_lines, ".csv": _read_csv, ".html": _read_html}


def _record(fault: Fault, launcher: str, ours: Left) -> Iterator[str]:
    try:
        run = load_run(ours.root)
    except JournalNotFoundError:
        if not fault.unrecorded:
            yield "there is no record"
        return
    if run.broken_lines:
        yield f"broken lines: {[str(line) for line in run.broken_lines]}"
    shown = CliRunner().invoke(main, ["show", "--json", str(ours.root)])
    if shown.exit_code != 0:
        yield f"show ended with {shown.exit_code}: {shown.output} {shown.exception!r}"
        return
    told = json.loads(shown.stdout, parse_constant=_not_json)
    jobs = told["jobs"]
    statuses = {job["job_num"]: job["status"] for job in jobs}
    stayed = frozenset(told["jobs_without_record"]) if fault.kills and ours.away is not None else frozenset()
    yield from _jobs(fault, launcher, dataclasses.replace(ours, started=ours.started - stayed), statuses)
    if any((job["duration_s"] or 0) < 0 for job in jobs):
        yield "a duration is negative"
    if fault.ranks > 1:
        yield from _ranks(fault, jobs)
    if not fault.unrecorded and ours.away is None:
        yield from _best(ours, statuses)
    if not fault.kills and not fault.reports:
        yield from _views(fault, ours, statuses)


def _away(ours: Left) -> Iterator[str]:
    """Jobs that have another disk leave nothing on this one."""
    if ours.away is not None:
        yield from (f"job {x} has a directory on this disk" for x in sorted(ours.started) if (ours.root / str(x)).exists())


def _record_with_what_is_away(fault: Fault, launcher: str, ours: Left) -> Iterator[str]:
    """With the lines of the other disk, which are copied as the documentation says, it tells what it would have on one."""
    if ours.away is None or not (ours.root / JOURNAL_DIR).is_dir() or not (ours.away / JOURNAL_DIR).is_dir():
        return
    with tempfile.TemporaryDirectory() as directory:
        for root in _roots(ours):
            shutil.copytree(root / JOURNAL_DIR, Path(directory, JOURNAL_DIR), dirs_exist_ok=True)
        try:
            run = load_run(Path(directory))
        except JournalNotFoundError:
            return
    statuses = {job.job_num: job.status for job in run.jobs}
    yield from (f"{complaint}, in both places" for complaint in _jobs(fault, launcher, ours, statuses))
    if not fault.unrecorded:
        yield from _best(ours, statuses)


def _best(ours: Left, statuses: dict[int, str]) -> Iterator[str]:
    """The best of those that completed has what it left."""
    best = max((num for num, status in statuses.items() if status == "COMPLETED"), default=None)
    places = [root / place for root in _roots(ours) for place in (".", str(best))]
    if best is not None and not any((place / "left.ckpt").exists() for place in places):
        yield f"job {best} is the best and has lost its checkpoint"


def _ranks(fault: Fault, jobs: list[dict[str, Any]]) -> Iterator[str]:
    """All ranks of a job are one attempt, rank 0 says what it returns, and the one that failed is named."""
    for job in jobs:
        num = job["job_num"]
        if job["attempts"] != 1:
            yield f"job {num} has {job['attempts']} attempts"
        if job["status"] == "COMPLETED" and "double" not in (job["return_value"] or {}):
            yield f"job {num} returned {job['return_value']}"
        if job["status"] == "FAILED" and "FAILED" in fault.struck and "rank 1" not in job["error"]["message"]:
            yield f"job {num} failed with {job['error']['message']!r}, which does not name rank 1"


def _jobs(fault: Fault, launcher: str, ours: Left, statuses: dict[int, str]) -> Iterator[str]:
    # in one process what came before the fault is on record for good
    recorded_before = launcher in IN_ONE_PROCESS and fault.name != "directory deleted"
    for x in sorted(ours.started):
        num = 0 if launcher == "single run" else x
        if num not in statuses:
            if not fault.unrecorded or (recorded_before and x <= 1):
                yield f"job {num} started and has no record"
        elif x == 1:
            struck = fault.struck | fault.struck_on.get(launcher, frozenset())
            if statuses[num] not in struck:
                yield f"job {num} is {statuses[num]}, expected {' or '.join(sorted(struck))}"
        elif statuses[num] not in ({"COMPLETED"} if recorded_before and x == 0 else _expected(fault, ours, x)):
            yield f"job {num} is {statuses[num]}"
    for num, status in statuses.items():
        if num not in ours.started and launcher != "single run" and status != "INTERRUPTED" and not fault.unrecorded:
            yield f"job {num} is {status}, and its task function never began"


def _expected(fault: Fault, ours: Left, x: int) -> frozenset[str]:
    return fault.others if x in ours.ended else frozenset({"INTERRUPTED"})


def _views(fault: Fault, ours: Left, expected: dict[int, str]) -> Iterator[str]:
    """The files for people tell what the record tells, once the app's process has ended in an orderly way."""
    for name, jobs in (("results.json", lambda told: told), ("performance.json", lambda told: told["jobs"])):
        file = ours.root / name
        if file.exists():
            told = {job["job_num"]: job["status"] for job in jobs(json.loads(file.read_text("utf-8")))}
            # a worker that could not write may do so as it ends, which is after the files were made
            known = told.items() <= expected.items() if fault.unrecorded else told == expected
            if not known:
                yield f"{name} tells {told}, on record is {expected}"
        elif expected and not fault.unrecorded:
            yield f"there is no {name}"
