"""What the process that tells people of a run is to do; see `notifier`."""

from typing import NamedTuple


class Errand(NamedTuple):
    """What a notifier is to do.

    Attributes:
        root: the run's directory.
        run_id: which run.
        app: the app's name, where the record cannot be read.
        is_sweep: whether it is a sweep.
        process: the run's process.
        urls: where to.
        events: of what people are told.
        template: the body of a message; None for our own.
        min_interval_s: seconds from one message to the next.
        timeout_s: how long sending one may take.
        since: UTC, ISO 8601: jobs that were started before are no news; empty where there are none.
        retries: how often a job is started again; 0 for never.
        retried: the names of the errors that this is worth it for; empty for all.
    """

    root: str
    run_id: str
    app: str
    is_sweep: bool
    process: tuple[str, int, str | None]
    urls: list[str]
    events: list[str]
    template: str | None
    min_interval_s: float
    timeout_s: float
    since: str
    retries: int = 0
    retried: tuple[str, ...] = ()
