"""The job's run as MLflow's active run: what the app logs with MLflow's own functions lands there.

MLflow keeps its active runs by thread, and makes requests for each that it starts. So that the job's thread waits for
nobody, the run comes ready made from a request of ours, and is put where MLflow looks: it has no public function for that.
"""

import os
from typing import Any, Final

_EXPERIMENT: Final = "MLFLOW_EXPERIMENT_ID"

_before: Final[dict[str, Any]] = {}
"""What this process had chosen before the first of its jobs that run."""
_active: Final[list[tuple[int, str]]] = []
"""By process, the runs of the jobs that run in it."""


def take_away() -> list[str]:
    """Takes the active runs of this thread away, without a word to anybody. They still are to be ended.

    Returns:
        Their ids, the innermost first.
    """
    stack = _stack()
    run_ids = [str(run.info.run_id) for run in reversed(stack)]
    stack.clear()
    return run_ids


def make_active(run: Any, uri: str) -> None:
    """Makes a run the only active run of this thread, and its experiment and address those of this process.

    Args:
        run: MLflow's `Run`.
        uri: where it is.
    """
    import mlflow  # noqa: PLC0415  it takes seconds
    from mlflow.tracking import fluent  # noqa: PLC0415  the same

    _active[:] = [each for each in _active if each[0] == os.getpid()]
    if not _active:
        _before["uri"] = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
        _before["experiment"] = getattr(fluent, "_active_experiment_id", None)
        _before["variable"] = os.environ.get(_EXPERIMENT)
    _active.append((os.getpid(), run.info.run_id))
    if mlflow.get_tracking_uri() != uri:
        mlflow.set_tracking_uri(uri)
    fluent._active_experiment_id = run.info.experiment_id  # noqa: SLF001  `set_experiment` makes a request
    os.environ[_EXPERIMENT] = str(run.info.experiment_id)  # as it does
    _stack()[:] = [mlflow.ActiveRun(run)]


def put_back(run_id: str) -> None:
    """Makes address and experiment what they were, once no job runs in this process any more.

    Args:
        run_id: the run of the job that has ended.
    """
    here = os.getpid(), run_id
    if here not in _active:
        return
    _active.remove(here)
    if not _active:
        import mlflow  # noqa: PLC0415  it takes seconds
        from mlflow.tracking import fluent  # noqa: PLC0415  the same

        mlflow.set_tracking_uri(_before["uri"])
        fluent._active_experiment_id = _before["experiment"]  # noqa: SLF001  as above
        if _before["variable"] is None:
            os.environ.pop(_EXPERIMENT, None)
        else:
            os.environ[_EXPERIMENT] = _before["variable"]


def forget_all() -> None:
    """Takes the active runs away of jobs that have left this thread without a word, and puts back what they found."""
    here = [run_id for pid, run_id in _active if pid == os.getpid()]
    if here:
        take_away()
    for run_id in here:
        put_back(run_id)


def _stack() -> list[Any]:
    from mlflow.tracking import fluent  # noqa: PLC0415  it takes seconds

    stack: Any = fluent._active_run_stack  # noqa: SLF001  see above
    runs: list[Any] = stack.get() if hasattr(stack, "get") else stack  # before MLflow 2.14 a list, the process's own
    return runs
