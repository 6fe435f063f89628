"""What a callback has to say between sweeper and launcher."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction

Batch = Mapping[int, Sequence[str]]
"""Jobs: the overrides of each by its number."""


class Round(NamedTuple):
    """What came of one launch.

    Attributes:
        batch: the jobs that were handed to the launcher, with the overrides that it got.
        returned: what the launcher says of them, by number; None where it says that it knows nothing, and where it says that
            the job is gone. Where it raised, most are not there.
        error: what the launcher raised; None if it returned.
    """

    batch: Batch
    returned: Mapping[int, JobReturn | None]
    error: BaseException | None = None


class Next(NamedTuple):
    """What is to be done about jobs of a round.

    Attributes:
        batch: jobs that are to be started again, with the overrides that they get.
        answers: what the sweeper gets for others, whether they came home or not.
        alone: jobs that are to be started again each in a launch of its own, after those of the batch.
    """

    batch: Batch = MappingProxyType({})
    answers: Mapping[int, JobReturn] = MappingProxyType({})
    alone: Batch = MappingProxyType({})


class Policy:
    """Says which jobs are started, how and how often, and sees what came home of them. This one lets all start once.

    It lives in the parent process alone, and is never pickled. What it knows it has from records. Where two of them speak of
    the same job, the one whose place is first decides. What it raises ends the sweep.
    """

    place: ClassVar[int] = 0
    """Where it stands among the policies of a sweep: the lowest is asked first."""

    patient: ClassVar[bool] = False
    """Whether jobs that go on are waited for where their launcher has given up: Ray's and submitit's do so at the first one
    that does not come home. Then what they return is in the round."""

    def context_of_sweeper(self, context: HydraContext) -> HydraContext:
        """What the sweeper is set up with.

        Args:
            context: what Hydra, or a policy before this one, sets it up with.
        """
        return context

    def sees_sweeper(self, sweeper: Sweeper) -> None:
        """Called with the sweeper before it is asked to sweep.

        Args:
            sweeper: the user's, set up.
        """

    def context_of_jobs(self, context: HydraContext) -> HydraContext:
        """What the user's launcher is set up with, and hands on to the processes of its jobs.

        Args:
            context: what the sweeper, or a policy before this one, sets it up with.
        """
        return context

    def task_of_jobs(self, task_function: TaskFunction) -> TaskFunction:
        """What the user's launcher has its jobs call.

        Args:
            task_function: the app's, or what a policy before this one has made of it.
        """
        return task_function

    def set_up(self, launcher: Launcher) -> None:
        """Called with the user's launcher before its first launch.

        Args:
            launcher: it is set up; what is changed in it is seen in no config.
        """

    def numbers(self, batch: Batch) -> Mapping[int, int]:  # noqa: ARG002  the sweeper's own
        """The numbers under which jobs are started.

        Args:
            batch: the jobs that the sweeper asks for, by its own numbers.

        Returns:
            By the sweeper's number the job's own, where that is another one. No two jobs get the same.
        """
        return {}

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:  # noqa: ARG002  it has none
        """The jobs that are not to be started.

        Args:
            batch: the jobs that the sweeper asks for.

        Returns:
            What the sweeper gets in their place, by their numbers.
        """
        return {}

    def handed_over(self, batch: Batch) -> Batch:
        """What the launcher gets of each job: the same texts, of a kind that may take something along to the job.

        Args:
            batch: the jobs of a launch, or what a policy before this one has made of them.
        """
        return batch

    def came_home(self, returned: Mapping[int, JobReturn | None]) -> None:
        """Called when the launcher has returned or raised, with what is known of the jobs that were started.

        Args:
            returned: as in `Round`.
        """

    def after(self, launched: Round) -> Next | None:  # noqa: ARG002  nothing is done
        """Called after each launch, unless Ctrl-C or `abort` has ended the sweep; it may wait.

        A launcher that raised ends the sweep, unless each job that did not come home is started again or answered for.

        Args:
            launched: what came of it, but for the jobs that a policy before this one has seen to.

        Returns:
            What is to be done about its jobs; None: nothing.
        """
        return None
