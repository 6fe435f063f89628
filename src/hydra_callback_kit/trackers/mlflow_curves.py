"""The curves of a job in MLflow: the points that it reports, how many of them are there, and which value is the latest.

MLflow keeps each point for ever, takes one that it has for the same, and calls that of the highest step the latest. How many
values were sent is a tag of the run: it tells whether any are missing, which the latest value does not.
"""

from collections.abc import Sequence
from typing import Any

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.trackers.batches import send_in_batches
from hydra_callback_kit.trackers.mlflow_values import (
    METRICS_A_BATCH,
    POINTS,
    Names,
    metrics_of,
    milliseconds,
    now_ms,
    points_as_metrics,
    same,
)
from hydra_callback_kit.trackers.payload import Payload


def send_points(client: Any, run_id: str, points: Sequence[Point], first: int, names: Names) -> Exception | None:
    """Sends points of a job.

    Args:
        client: MLflow's.
        run_id: the job's run there.
        points: in the order in which they were reported.
        first: how many without a step the job has reported before these.
        names: what its metrics are called there.

    Returns:
        Why one of them was refused: it is left out, and all others are sent; None if none was.
    """
    from mlflow.entities import Metric  # noqa: PLC0415  it takes seconds

    metrics = [Metric(*point) for point in points_as_metrics(points, first, names)]
    return send_in_batches(metrics, METRICS_A_BATCH, lambda some: client.log_batch(run_id, some), _is_refusal)


def settle(client: Any, run_id: str, payload: Payload, sent: int) -> None:
    """Ends the curves of a job, once their points are there.

    What the job returned under the name of a metric that it has reported as well becomes the latest value: a point more, at
    the last step. Nothing is sent of a job that has reported nothing.

    Args:
        client: MLflow's.
        run_id: the job's run there.
        payload: what is known of the job.
        sent: how many values of its metrics are there.
    """
    from mlflow.entities import Metric, RunTag  # noqa: PLC0415  it takes seconds

    if not payload.reported:
        return
    returned = returned_too(payload)
    there = client.get_run(run_id).data.metrics if returned else {}
    latest: list[Any] = []
    for name, value in returned.items():
        if not same(there.get(name), value):
            points = [(point.step, point.timestamp) for point in client.get_metric_history(run_id, name)]
            step, time_ms = max(points, default=(0, 0))
            latest.append(Metric(name, value, max(milliseconds(payload.ended_at) or now_ms(), time_ms + 1), step))
    client.log_batch(run_id, latest, tags=[RunTag(POINTS, str(sent))])


def returned_too(payload: Payload) -> dict[str, float]:
    """What a job has returned under the names of metrics that it has reported as well, as MLflow has it."""
    names = Names(payload.metrics)
    return metrics_of({name: payload.metrics[name] for name in payload.returned if name in payload.reported}, names)


def _is_refusal(error: Exception) -> bool:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  it takes seconds

    refusals = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
    return isinstance(error, ValueError) or (isinstance(error, MlflowException) and error.error_code in refusals)
