"""`sync --to tensorboard`: the event files of a run of ours, from its record."""

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.trackers.syncing import Outcome, Report, send_each
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
    """
    if given is not None or project is not None:
        raise ValueError("its files lie in the directories of the jobs: leave out --address and --project")
    fact = run.facts.get(NAME)
    log_config = type(fact) is dict and fact.get("log_config") is True

    def send(job: JobRecord) -> Outcome:
        path = path_of(run, job)
        is_new = not path.exists()
        if not bring_up_to_date(path, run, job, log_config=log_config):
            return "complete"
        return "made" if is_new else "updated"

    return send_each(f"TensorBoard's files in {run.root}", run.jobs, send)
