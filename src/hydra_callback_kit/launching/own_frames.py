"""The traceback of what a task function raises begins in the task function, whatever of ours has called it."""


def without_frames_of(file: str, error: BaseException) -> None:
    """Has the traceback of an exception begin below the frames of a module.

    Python 3.10 keeps its beginning where the exception passes on.

    Args:
        file: the module's file.
        error: what has come out of it.
    """
    at = error.__traceback__
    while at is not None and at.tb_next is not None and at.tb_frame.f_code.co_filename == file:
        at = at.tb_next
    error.__traceback__ = at
