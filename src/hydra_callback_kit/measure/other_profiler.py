"""Profilers that are not ours: Python has one place for them in a thread, and from Python 3.12 on one more in a process."""

import sys
from typing import Any


def other_profiler() -> str:
    """What else profiles or traces the calling thread: a debugger, coverage, `python -m cProfile`; empty if nothing does."""
    hook = sys.getprofile() or sys.gettrace()
    if hook is not None:
        return name_of(hook)
    monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = map(monitoring.get_tool, range(6)) if monitoring else ()
    return next((str(tool) for tool in tools if tool is not None), "")


def name_of(hook: Any) -> str:
    """What a profiler is called.

    Args:
        hook: what Python calls for it; None for none.

    Returns:
        `cProfile.Profile`, or the function's name; empty for none.
    """
    if hook is None:
        return ""
    kind = hook if hasattr(hook, "__qualname__") else type(hook)
    return f"{getattr(kind, '__module__', None) or type(hook).__module__}.{kind.__qualname__}"


def put_back(hook: Any) -> None:
    """Gives a profiler of the job's its place in the calling thread again, which the end of ours has taken from it.

    Args:
        hook: what Python called for it; None for none.
    """
    if hasattr(hook, "enable"):  # Python's own is no function
        hook.enable()
    elif callable(hook):
        sys.setprofile(hook)
