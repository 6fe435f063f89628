"""Between sweeper and launcher: says to the process that has detached the sweep that its first jobs are launched."""

from hydra_callback_kit.launching.detached import say_launched
from hydra_callback_kit.launching.policy import Batch, Policy


class SaysLaunched(Policy):
    """Lets all jobs start, and says so as the launcher is called: they may wait long in its queue."""

    place = 60  # what others refuse is not launched

    def handed_over(self, batch: Batch) -> Batch:
        """Says it before the first launch."""
        say_launched()
        return batch
