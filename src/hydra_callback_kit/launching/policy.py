"""What a callback has to say between sweeper and launcher."""

from collections.abc import Mapping, Sequence

from hydra.core.utils import JobReturn

Batch = Mapping[int, Sequence[str]]
"""Jobs that the sweeper asks for: the overrides of each by its number."""


class Policy:
    """Says which jobs are not started, and sees what came home of the others. This one lets all start.

    It lives in the parent process alone, and is never pickled. What it knows it has from records. Of two that say of the
    same job that it is not started, the one that was put in place first gives the answer. What it raises ends the sweep.
    """

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:  # noqa: ARG002  it has none
        """The jobs that are not to be started.

        Args:
            batch: the jobs that the sweeper asks for.

        Returns:
            What the sweeper gets in their place, by their numbers.
        """
        return {}

    def came_home(self, returned: Mapping[int, JobReturn | None]) -> None:
        """Called when the launcher has returned or raised, with what is known of the jobs that were started.

        Args:
            returned: what the launcher says of them, by number; None where it says that it knows nothing. Where it raised,
                most are not there.
        """
