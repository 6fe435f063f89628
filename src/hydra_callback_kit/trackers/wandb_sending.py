"""Runs of ours, sent to W&B from their records: where they go there, what was sent, and the rest of it."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.trackers import wandb_library
from hydra_callback_kit.trackers.credentials import without_credentials
from hydra_callback_kit.trackers.payload import Payload, payload_of_job, payload_of_sweep, points_to_send
from hydra_callback_kit.trackers.syncing import Outcome
from hydra_callback_kit.trackers.wandb import Place, Wanted, finish, log_missing, start
from hydra_callback_kit.trackers.wandb_library import Chosen
from hydra_callback_kit.trackers.wandb_values import project_of


def place_of(run: RunRecord, job_num: int, wanted: Wanted, chosen: Chosen, timeout_s: float) -> Place:
    """Where the run of a job goes.

    Args:
        run: the run of ours.
        job_num: the job's number.
        wanted: what the user wants.
        chosen: what W&B's own settings say.
        timeout_s: how long W&B may try, in seconds.
    """
    group = (wanted.group or payload_of_sweep(run).name) if run.mode == "MULTIRUN" else wanted.group
    return Place(
        run_id=f"{run.run_id}-{job_num}",
        mode=chosen.mode,
        address=without_credentials(chosen.address) if chosen.mode in wandb_library.ONLINE else "",
        project=chosen.project or project_of(as_text(run.facts.get("job_name") or "hydra")),
        entity=chosen.entity,
        group=group,
        directory=wandb_library.directory(run.root),
        timeout_s=timeout_s,
    )


def send_job(place: Place, run: RunRecord, job: JobRecord, wanted: Wanted) -> Outcome:
    """Sends all of a job that W&B has not got, and ends its run.

    Args:
        place: where it goes.
        run: the job's run of ours.
        job: the job, with its config if that is to be sent.
        wanted: what the user wants.

    Returns:
        What became of it.

    Raises:
        ConnectionError: if nobody answers any more.
        Exception: what else W&B has raised. Of the try nothing is left on this machine.
    """
    payload = payload_of_job(run, job)
    if was_sent(place, payload, wanted):
        return "complete"
    outcome: Outcome = "updated" if is_known(place) else "made"
    before = _kept(place)
    try:
        _send(place, payload, points_to_send(run, job), wanted)
    except Exception:
        _clear(place, before)
        if place.address:
            wandb_library.reach(place.address, place.timeout_s)
        raise
    note_sent(place, payload, wanted)
    return outcome


def _send(place: Place, payload: Payload, points: Iterable[Point], wanted: Wanted) -> None:
    made = start(place, payload, wanted)
    try:
        log_missing(made, points)
    except Exception:
        made.finish(exit_code=1)
        raise
    finish(made, payload, place.timeout_s)


def _kept(place: Place) -> set[Path]:
    """W&B's own directories of a run, one for each time that it was begun on this machine."""
    return set((place.directory / "wandb").glob(f"*run-*-{place.run_id}"))


def _clear(place: Place, before: set[Path]) -> None:
    """Removes what a try has left that came to nothing."""
    for directory in _kept(place) - before:
        shutil.rmtree(directory, ignore_errors=True)
    for link in (place.directory / "wandb").glob("*"):
        if link.is_symlink() and not link.exists():  # to the last run, and to its logs
            link.unlink(missing_ok=True)


def note_begun(place: Place) -> None:
    """Notes beside W&B's own files that a run was begun, so that `sync` can say that it goes on with it."""
    if not is_known(place):
        _write(place, "")


def note_sent(place: Place, payload: Payload, wanted: Wanted) -> None:
    """Notes there what was sent, so that `sync` need not send it again."""
    _write(place, _digest(place, payload, wanted))


def was_sent(place: Place, payload: Payload, wanted: Wanted) -> bool:
    """Whether the very same was sent to the same place."""
    try:
        return _note(place).read_text("utf-8") == _digest(place, payload, wanted)
    except (OSError, ValueError):
        return False


def is_known(place: Place) -> bool:
    """Whether anything of the job was sent to the same place before."""
    return _note(place).is_file()


def _write(place: Place, text: str) -> None:
    file = _note(place)
    with contextlib.suppress(OSError):  # then it is sent again, and nothing comes of it
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def _note(place: Place) -> Path:
    where = _sha256([place.address, place.project, place.entity])[:8]
    return place.directory / "wandb" / "hydra-callback-kit" / f"{place.run_id}-{where}.sha256"


def _digest(place: Place, payload: Payload, wanted: Wanted) -> str:
    what = {**payload._asdict(), "started_at": None, "ended_at": None, "reported": sorted(payload.reported)}
    return _sha256(as_json([what, place.group, wanted._asdict()]))


def _sha256(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
