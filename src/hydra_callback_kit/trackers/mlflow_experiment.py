"""The experiment that the runs of a sweep go into."""

import os
from typing import Any, NamedTuple


class Experiment(NamedTuple):
    """What MLflow calls a group of runs.

    Attributes:
        id: MLflow's number for it.
        name: its name.
    """

    id: str
    name: str


def experiment_of(client: Any, name: str | None, otherwise: str) -> Experiment:
    """An experiment, which is made if there is none.

    Args:
        client: MLflow's.
        name: its name; None for what MLflow's own settings say.
        otherwise: its name if they say nothing.

    Raises:
        ValueError: if it was deleted.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  it takes seconds

    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if not name and os.environ.get("MLFLOW_EXPERIMENT_ID"):
        found = client.get_experiment(os.environ["MLFLOW_EXPERIMENT_ID"])
        return Experiment(str(found.experiment_id), str(found.name))
    name = name or otherwise
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return Experiment(str(client.create_experiment(name)), name)
        except MlflowException:
            found = client.get_experiment_by_name(name)  # somebody else has made it in this moment
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise ValueError(f"the experiment {name!r} was deleted: restore it, or choose another one")
    return Experiment(str(found.experiment_id), name)
