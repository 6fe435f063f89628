"""`sync --to mlflow`: a run of ours, from its record, whether or not `mlflow_callback` was on."""

from typing import Any

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.trackers.credentials import learn_credentials, without_credentials
from hydra_callback_kit.trackers.mlflow import TRACKER, Runs, Wanted
from hydra_callback_kit.trackers.mlflow_experiment import experiment_of
from hydra_callback_kit.trackers.mlflow_library import address, load, using
from hydra_callback_kit.trackers.mlflow_sending import Destination, send_run
from hydra_callback_kit.trackers.syncing import NotSaidError, Report

LIBRARY = "mlflow"


def sync(run: RunRecord, redaction: Redaction, given: str | None, project: str | None) -> Report:
    """Sends what is missing of a run.

    Args:
        run: the run, with the configs of its jobs.
        redaction: hides what is secret.
        given: where MLflow is; None for what its own settings say.
        project: the experiment's name; None for what the run's record says, or MLflow's own settings.

    Returns:
        What was done.

    Raises:
        NotSaidError: if the record names another place than MLflow's own settings.
    """
    uri = address(given)
    fact = run.facts.get(TRACKER.name)
    said: dict[str, Any] = fact if type(fact) is dict else {}
    named = said.get("uri")
    if given is None and named is not None and named != without_credentials(uri):
        # a record may be anybody's, and MLflow would send this user's token there
        raise NotSaidError(as_text(named), f"MLflow's own settings say {without_credentials(uri)}")
    load(uri)
    learn_credentials(redaction, TRACKER.variables, [uri])
    runs = Runs(uri)
    name = project or (as_text(said["experiment"]) if said.get("experiment") else None)
    experiment = experiment_of(runs.client, name, as_text(run.facts.get("job_name") or "hydra"))
    to = Destination(experiment.id, said.get("nested") is not False, _wanted(said), redaction)
    with using(uri):
        return send_run(runs, run, to, f"MLflow at {without_credentials(uri)}, experiment {experiment.name}")


def _wanted(said: dict[str, Any]) -> Wanted:
    own, source, patterns = said.get("tags"), said.get("source"), said.get("log_artifacts")
    tags = {name: as_text(tag) for each in (source, own) if type(each) is dict for name, tag in each.items()}
    log_artifacts = [as_text(glob) for glob in patterns] if type(patterns) is list else [".hydra", "*.log"]
    return Wanted(tags, said.get("log_config") is not False, log_artifacts)
