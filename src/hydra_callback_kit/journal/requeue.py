"""A job that submitit puts back into the queue, after its time limit or a preemption: `SystemExit` ends it, to run again."""

from types import TracebackType
from typing import Any


def is_requeue(value: Any) -> bool:
    """Tells whether a job ends because submitit has put it back into the queue.

    Apps may exit with any code: it counts who has raised it.

    Args:
        value: what the job has raised, or returned.
    """
    if not issubclass(type(value), SystemExit):
        return False
    # an exception of the app's may have an attribute of its own under this name
    at: TracebackType | None = vars(BaseException)["__traceback__"].__get__(value)
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and str(at.tb_frame.f_globals.get("__name__")).partition(".")[0] == "submitit"
