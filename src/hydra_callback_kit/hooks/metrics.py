"""Metrics that the task function reports while it runs."""

from collections.abc import Mapping
from typing import Any

from hydra_callback_kit.hooks.facts import FactError
from hydra_callback_kit.hooks.running_jobs import running_job


def report_metrics(values: Mapping[str, Any] | None = None, /, *, step: float | None = None, **more: Any) -> None:
    """Reports metrics of the job that runs: at once on disk, so that a job that is killed keeps them.

    It may be called any number of times, from any thread of the job's process. Where no callback of this package is on, or
    no job runs (in a test of the task function, say), it does nothing, and costs next to nothing. In a distributed job
    rank 0 alone reports. A process that the job has started itself reports nothing.

    The last value of each metric is a column of the results, of `hydra-callback-kit show` and of the averages, and `best`
    and `sort_by` take its name; so do `<name>.min` and `<name>.max` for the smallest and the largest value. Of a metric and
    a value of the same name that the task function returns, the returned one counts.

    Args:
        values: values by name, for names such as `val/loss`; the items of a mapping in it are named `<name>.<key>`. A value
            is a number, or what holds a single one (of NumPy, torch, JAX); NaN and the infinities are kept. What is no
            number is left out, with one warning for each name.
        step: where the values belong on the way: an epoch, a batch. Without one, they are in the order of the calls.
        more: the same as `values`, for names that Python takes: `report_metrics(loss=0.3)`.

    Raises:
        FactError: if `values` is no mapping from names to values, or `step` is no number. It is a `ValueError`.

    Files:
        `metrics.jsonl` (JSON lines) in the job's output directory, or `metrics_<job>.jsonl` where the jobs of a sweep share
        one: a first line with the run and the job, then a line for each call with `attempt`, `time` (UTC), `step` and
        `values`. Another attempt at the job appends to it. What lay there and is not of this package is kept as
        `metrics.jsonl.bak`.

    Example:
        ```python
        @hydra.main(config_path="conf", config_name="config")
        def train(cfg):
            for epoch in range(cfg.epochs):
                report_metrics({"train/loss": train_one(model), "val/loss": validate(model)}, step=epoch)
        ```
    """
    if values is not None and not isinstance(values, Mapping):
        raise FactError(values, f"Metrics are a mapping such as {{'val/loss': 0.3}}, not of type {type(values).__name__}.")
    config = running_job()
    if config is not None:
        from hydra_callback_kit.hooks.metric_recorder import record_metrics  # noqa: PLC0415  a test of the task needs no Hydra

        record_metrics(config, {**values, **more} if values else more, step)
