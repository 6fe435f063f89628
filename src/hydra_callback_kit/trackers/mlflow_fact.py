"""What the record of a job says of its run in MLflow."""

from collections.abc import Mapping
from typing import Any

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.trackers.credentials import without_credentials
from hydra_callback_kit.trackers.mlflow import TRACKER


def job_fact(place: Mapping[str, Any], run_id: str, *, sent: bool) -> dict[str, Any]:
    """The fact of a job.

    Args:
        place: `uri` and `experiment_id`.
        run_id: its run there.
        sent: whether all of it was sent.
    """
    uri = without_credentials(place["uri"])
    return {TRACKER.name: {"run_id": run_id, "experiment_id": place["experiment_id"], "uri": uri, "sent": sent}}


def unsent_run(job: JobRecord) -> str | None:
    """The id of a job's run that was begun and not finished, where the job is over."""
    fact = job.facts.get(TRACKER.name)
    if job.status == "RUNNING" or type(fact) is not dict or fact.get("sent") or not fact.get("run_id"):
        return None
    return str(fact["run_id"])
