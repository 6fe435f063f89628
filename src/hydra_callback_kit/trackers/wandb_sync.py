"""`sync --to wandb`: a run of ours, from its record, whether or not `wandb_callback` was on."""

from typing import Any, Final

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.trackers import wandb_library
from hydra_callback_kit.trackers.credentials import learn_credentials
from hydra_callback_kit.trackers.syncing import Outcome, Report, send_each
from hydra_callback_kit.trackers.wandb import TRACKER, Wanted
from hydra_callback_kit.trackers.wandb_sending import place_of, send_job
from hydra_callback_kit.trackers.wandb_values import NOT_A_PROJECT, is_project

LIBRARY = "wandb"

_TIMEOUT_S: Final = 60.0
"""How long W&B is waited for at the start of each run, and at its end."""


def sync(run: RunRecord, redaction: Redaction, given: str | None, project: str | None) -> Report:
    """Sends what is missing of a run.

    Args:
        run: the run, with the configs of its jobs.
        redaction: hides what is secret in an error.
        given: not taken: where W&B is, and with which key, its own settings say.
        project: the project; None for what the run's record says, or W&B's own settings, or the app's name.

    Returns:
        What was done.

    Raises:
        ValueError: if `given` is given, the project's name is none, or W&B is disabled.
        ConnectionError: if nobody answers.
        PermissionError: if there is no API key.
    """
    if given is not None:
        raise ValueError("where W&B is, WANDB_BASE_URL says; its key belongs to that place")
    fact = run.facts.get(TRACKER.name)
    wanted = _wanted(fact if type(fact) is dict else {}, project)
    if wanted.project is not None and not is_project(wanted.project):
        raise ValueError(f"{wanted.project!r} is no name of a project: {NOT_A_PROJECT}")
    wandb_library.load()
    chosen = wandb_library.chosen(None, wanted.project, wanted.entity)
    if chosen.mode == "disabled":
        raise ValueError("it is disabled here, and takes nothing. Set WANDB_MODE=online, or type: wandb enabled")
    learn_credentials(redaction, TRACKER.variables, [chosen.address])
    if chosen.mode in wandb_library.ONLINE:
        wandb_library.reach(chosen.address, _TIMEOUT_S)
    place = place_of(run, 0, wanted, chosen, _TIMEOUT_S)
    where = place.address or str(place.directory / "wandb")

    def send(job: JobRecord) -> Outcome:
        return send_job(place_of(run, job.job_num, wanted, chosen, _TIMEOUT_S), run, job, wanted)

    return send_each(f"W&B ({chosen.mode}) at {where}, project {place.project}", run.jobs, send)


def _wanted(said: dict[str, Any], project: str | None) -> Wanted:
    tags = said.get("tags")
    project, entity, group, job_type = (
        project or _text(said, "project"),
        *(_text(said, name) for name in ("entity", "group", "job_type")),
    )
    log_config = said.get("log_config") is not False
    return Wanted(project, entity, group, job_type, list(map(as_text, tags)) if type(tags) is list else [], log_config)


def _text(said: dict[str, Any], name: str) -> str | None:
    return as_text(said[name]) if said.get(name) else None
