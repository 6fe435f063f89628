"""`sync --to URL`: the files of a run, sent to a store, whether or not `upload_callback` was on."""

import time
from pathlib import Path
from typing import NamedTuple

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.remote.store import Store, is_url
from hydra_callback_kit.trackers.credentials import learn_credentials, without_credentials
from hydra_callback_kit.trackers.upload import TRACKER, Course, RunSent, address_of, send_run
from hydra_callback_kit.trackers.upload_record import fact_of, wanted_of


class Report(NamedTuple):
    """What was done.

    Attributes:
        place: where the run is.
        sent: what became of its files.
    """

    place: str
    sent: RunSent


def sync(run: RunRecord, redaction: Redaction, to: str) -> Report:
    """Sends what is missing of a run; what is there is compared by its checksum.

    Args:
        run: the run.
        redaction: hides what is secret.
        to: where the callback's `to` is.

    Returns:
        What was done.

    Raises:
        OSError: or whatever the store's library raises, if it cannot be reached.
    """
    address = address_of(to if is_url(to) else str(Path(to).absolute()), run.run_id)
    learn_credentials(redaction, TRACKER.variables, [to])
    began_s, course = time.monotonic(), Course(time.monotonic() + _FOR_EVER_S, lambda: None)

    def record(files: int, size: int, complete: bool) -> None:
        if complete and run.status != "RUNNING":
            _put_on_record(run, without_credentials(address), files, size, time.monotonic() - began_s)

    sent = send_run(
        Store(address, {}),
        without_credentials(address),
        run,
        wanted_of(run),
        course,
        record,
        careful=None,
    )
    return Report(without_credentials(address), sent)


def _put_on_record(run: RunRecord, address: str, files: int, size: int, took_s: float) -> None:
    """Says that all is there now, where the record says that not all of it was."""
    fact = run.facts.get(TRACKER.name)
    if type(fact) is dict and fact.get("to") == address.rstrip("/") and fact.get("complete") is not True:
        now = fact_of(address, files, size, took_s, complete=True)[TRACKER.name]
        write_line(RunIdentity(run.run_id, run.root, run.mode), "run_facts", {TRACKER.name: {**fact, **now}})


_FOR_EVER_S = 1e9
"""Somebody looks at it, and may press Ctrl-C."""
