"""Runs of ours, sent to W&B from their records: where they go there, what was sent, and the rest of it."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.trackers import wandb_library
from hydra_callback_kit.trackers.payload import Payload, payload_of_job, payload_of_sweep, points_to_send
from hydra_callback_kit.trackers.wandb import Curves, Place, Wanted, finish, start
from hydra_callback_kit.trackers.wandb_library import Chosen


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
        project=chosen.project or as_text(run.facts.get("job_name") or "hydra"),
        entity=chosen.entity,
        group=group,
        directory=wandb_library.directory(run.root),
        timeout_s=timeout_s,
    )


def send_job(place: Place, run: RunRecord, job: JobRecord, wanted: Wanted) -> None:
    """Sends all of a job that W&B has not got, and ends its run.

    Args:
        place: where it goes.
        run: the job's run of ours.
        job: the job, with its config if that is to be sent.
        wanted: what the user wants.
    """
    payload = payload_of_job(run, job)
    made = start(place, payload, wanted)
    Curves().go_on(made, points_to_send(run, job))
    finish(made, payload, place.timeout_s)
    note_sent(place, payload, wanted)


def note_sent(place: Place, payload: Payload, wanted: Wanted) -> None:
    """Notes beside W&B's own files what was sent, so that `sync` need not send it again."""
    file = _note(place)
    with contextlib.suppress(OSError):  # then it is sent again, and nothing comes of it
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_digest(place, payload, wanted), "utf-8")


def was_sent(place: Place, payload: Payload, wanted: Wanted) -> bool:
    """Whether the very same was sent to the same place."""
    try:
        return _note(place).read_text("utf-8") == _digest(place, payload, wanted)
    except (OSError, ValueError):
        return False


def is_known(place: Place) -> bool:
    """Whether anything of the job was sent before."""
    return _note(place).is_file()


def _note(place: Place) -> Path:
    return place.directory / "wandb" / "hydra-callback-kit" / f"{place.run_id}.sha256"


def _digest(place: Place, payload: Payload, wanted: Wanted) -> str:
    what = {**payload._asdict(), "started_at": None, "ended_at": None, "reported": sorted(payload.reported)}
    to: dict[str, Any] = {**place._asdict(), "directory": None, "timeout_s": None}
    text = json.dumps(as_json([what, to, wanted._asdict()]), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
