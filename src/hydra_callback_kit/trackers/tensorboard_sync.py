"""`sync --to tensorboard`: the event files of a run of ours, from its record."""

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.trackers.syncing import Report
from hydra_callback_kit.trackers.tensorboard import NAME, bring_up_to_date
from hydra_callback_kit.trackers.tensorboard_place import path_of

LIBRARY = None
"""Nothing has to be installed."""


def sync(run: RunRecord, redaction: Redaction, given: str | None, project: str | None) -> Report:  # noqa: ARG001  the same for all
    """Writes what is missing of a run.

    Args:
        run: the run, with the configs of its jobs.
        redaction: not needed: the record has no secrets.
        given: not taken: the files lie with the jobs.
        project: the same.

    Returns:
        What was done.

    Raises:
        ValueError: if `given` or `project` is given.
        OSError: if a file cannot be written.
    """
    if given is not None or project is not None:
        raise ValueError("its files lie in the directories of the jobs: leave out --address and --project")
    fact = run.facts.get(NAME)
    log_config = type(fact) is dict and fact.get("log_config") is True
    made, updated, complete, running = 0, 0, 0, 0
    for job in run.jobs:
        path = path_of(run, job)
        is_new = not path.exists()
        if job.status == "RUNNING":
            running += 1
        elif not bring_up_to_date(path, run, job, log_config=log_config):
            complete += 1
        elif is_new:
            made += 1
        else:
            updated += 1
    return Report(f"TensorBoard's files in {run.root}", made, updated, complete, running)
