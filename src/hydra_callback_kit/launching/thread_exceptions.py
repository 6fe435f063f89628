"""An exception that the interpreter raises in another thread, as soon as that runs a line of Python."""


def raise_in(thread: int, error: type[BaseException]) -> bool:
    """Has the interpreter raise an exception in a thread, in place of one that was not raised yet.

    Args:
        thread: the thread.
        error: the exception's class: nothing else can be named.

    Returns:
        Whether there is such a thread.
    """
    import ctypes  # noqa: PLC0415  hardly a job needs it

    return bool(ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error)))


def take_back(thread: int, error: type[BaseException]) -> None:
    """Takes back what may not have been raised yet in the calling thread: it is raised here.

    The interpreter can be told to forget it. But Python before 3.13 looks for it for ever then, between any two lines, and
    Python 3.11 does nothing else any more once a profiler or a debugger is on.

    Args:
        thread: the calling thread.
        error: what was raised.
    """
    try:
        while raise_in(thread, error):
            pass
    except error:
        pass
