"""Work for the end of a process, which a second Ctrl-C does not cost."""

import atexit
from collections.abc import Callable


def at_exit(work: Callable[[], None]) -> Callable[[], None]:
    """Has something done as the process ends, once more if Ctrl-C comes into it.

    People press it twice, and submitit sends it to its jobs a second time: the rest of the work would be lost.

    Args:
        work: what is to be done; it may be done again, in part or whole.

    Returns:
        The work itself: this is a decorator.
    """

    @atexit.register
    def as_the_process_ends() -> None:
        try:
            work()
        except KeyboardInterrupt:
            work()

    return work
