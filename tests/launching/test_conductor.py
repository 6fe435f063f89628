"""The conductor between sweeper and launcher: what it lets start, under which numbers, and what others see of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from apps import LAUNCHERS, App
from hook_calls import config_of
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit import AbortRun, load_run
from hydra_callback_kit.launching.conductor import Conductor
from hydra_callback_kit.launching.numbers import Numbers
from hydra_callback_kit.launching.policy import Batch, Next, Policy, Round

SKIPS = """
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra_callback_kit import RecordingCallback
from hydra_callback_kit.launching.in_place import put_in_place
from hydra_callback_kit.launching.policy import Policy

class Odd(Policy):
    def answers(self, batch):
        print("asked for", list(batch))
        return {num: JobReturn(status=JobStatus.COMPLETED, _return_value=100 + num) for num in batch if num % 2}

    def came_home(self, returned):
        print("came home", {num: each.return_value for num, each in returned.items()})

class Skips(RecordingCallback):
    def on_multirun_start(self, config, **kwargs):
        put_in_place(config, Odd())

class Sees(RecordingCallback):
    def on_multirun_start(self, config, **kwargs):
        print("sees", config.hydra.launcher._target_)
"""
CONFIG = """
x: 0
hydra:
  callbacks:
    skips: {_target_: __main__.Skips}
    sees: {_target_: __main__.Sees}
"""


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_policy_keeps_jobs_from_starting(app: App, launcher: str) -> None:
    """The others keep their numbers and directories; what the user chose is what everybody sees."""
    app.write("return cfg.x", CONFIG, SKIPS)
    done = app.sweep(launcher, "x=10,11,12,13,14", "hydra.sweeper.max_batch_size=3")
    assert done.code == 0, done.stderr
    assert "asked for [0, 1, 2]" in done.stdout
    assert "came home {0: 10, 2: 12}" in done.stdout
    assert "came home {4: 14}" in done.stdout
    run = load_run(done.root)
    assert {job.job_num: (job.return_value, job.overrides) for job in run.jobs} == {
        num: (10 + num, {"x": 10 + num}) for num in (0, 2, 4)
    }
    assert run.launched == {num: (f"x={10 + num}",) for num in (0, 2, 4)}
    assert sorted(path.name for path in done.root.iterdir() if path.name.isdecimal()) == ["0", "2", "4"]
    chosen = yaml.safe_load((done.root / "multirun.yaml").read_text())["hydra"]["launcher"]
    assert f"sees {chosen['_target_']}\n" in done.stdout
    of_a_job = yaml.safe_load((done.root / "4" / ".hydra" / "hydra.yaml").read_text())["hydra"]["launcher"]
    assert of_a_job == chosen
    without = app.sweep(launcher, "x=1", "~hydra.callbacks.skips", "~hydra.callbacks.sees", "hydra.sweep.dir=bare")
    assert yaml.safe_load((app.directory / "bare" / "multirun.yaml").read_text())["hydra"]["launcher"] == chosen, without


def test_secrets_of_what_is_launched_are_hidden(app: App) -> None:
    """As in every other line of the journal."""
    app.write("return cfg.x", CONFIG, SKIPS)
    done = app.sweep("basic", "x=10,12", "+db.password=hunter2222")
    assert done.code == 0, done.stderr
    journal = "".join(file.read_text() for file in (done.root / ".callbacks").iterdir())
    assert "hunter2222" not in journal
    run = load_run(done.root)
    assert run.launched == {0: run.jobs[0].task_overrides}


def test_where_no_policy_acts_there_is_no_conductor(app: App) -> None:
    """A sweep with the standard set does not import it."""
    app.write("return cfg.x", "defaults: [callbacks: standard_callbacks, _self_]\nx: 0", _AT_THE_END)
    done = app.sweep("basic", "x=1,2")
    assert done.code == 0
    assert "imported: []" in done.stdout
    assert load_run(done.root).launched == {}


_AT_THE_END = """
import atexit
atexit.register(lambda: print("imported:", [name for name in sys.modules if name.endswith(".conductor")]))
"""


class _Launches(Launcher):
    """Returns what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[list[str]], list[int]]] = []

    def setup(self, **_: object) -> None:
        pass

    def launch(self, job_overrides: list[list[str]], initial_job_idx: int) -> list[JobReturn]:
        numbers = [initial_job_idx + place for place in range(len(job_overrides))]
        self.asked.append((job_overrides, numbers))
        return [JobReturn(status=JobStatus.COMPLETED, _return_value=num) for num in numbers]


class _Answers(Policy):
    def __init__(self, numbers: set[int]) -> None:
        self.mine = numbers
        self.home: list[int] = []

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:
        return {num: JobReturn(status=JobStatus.COMPLETED, _return_value=-num) for num in self.mine if num in batch}

    def came_home(self, returned: Mapping[int, JobReturn | None]) -> None:
        self.home += returned


@given(st.integers(0, 30), st.integers(1, 8), st.sets(st.integers(0, 38)), st.sets(st.integers(0, 38)))
def test_the_sweeper_gets_an_answer_for_each_job_in_its_order(
    first: int, count: int, some: set[int], others: set[int]
) -> None:
    """Whatever the policies answer, a job is started or answered for, never both, and the launcher sees its number."""
    launcher, policies = _Launches(), [_Answers(some), _Answers(others)]
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    batch = [[f"x={num}"] for num in range(first, first + count)]
    returned = Conductor(launcher, policies, config).launch(batch, first)
    started = [num for num in range(first, first + count) if num not in some | others]
    assert [each.return_value for each in returned] == [
        num if num in started else -num for num in range(first, first + count)
    ]
    assert launcher.asked == ([([[f"x={num}"] for num in started], started)] if started else [])
    assert [policy.home for policy in policies] == [started, started]


class _Fails(Launcher):
    """Loses, fails or completes jobs, each round as it is told."""

    def __init__(self, rounds: Sequence[tuple[set[int], set[int], bool]]) -> None:
        self.rounds = list(rounds)
        self.batches: list[list[int]] = []

    def setup(self, **_: object) -> None:
        pass

    def launch(self, job_overrides: list[list[str]], initial_job_idx: int) -> list[JobReturn]:
        batch = [initial_job_idx + place for place in range(len(job_overrides))]
        self.batches.append(batch)
        failing, _, raises = self.rounds.pop(0) if self.rounds else (set(), set(), False)
        if raises:
            raise RuntimeError("the pool is gone")
        status = {num: JobStatus.FAILED if num in failing else JobStatus.COMPLETED for num in batch}
        return [JobReturn(status=status[num], _return_value=num if num not in failing else OSError(num)) for num in batch]


class _Again(Policy):
    """Starts again what failed; where the launcher raised, some of the jobs, and answers for others."""

    def __init__(self, launcher: _Fails) -> None:
        self.answered = [answered for _, answered, _ in launcher.rounds]

    def after(self, launched: Round) -> Next | None:
        answered = self.answered.pop(0) if self.answered else set()
        if launched.error is not None:
            answers = {
                num: JobReturn(status=JobStatus.COMPLETED, _return_value=num) for num in answered & set(launched.batch)
            }
            return Next({num: each for num, each in launched.batch.items() if num not in answers}, answers)
        failed = [num for num, each in launched.returned.items() if each and each.status is JobStatus.FAILED]
        return Next({num: [*launched.batch[num], "again=1"] for num in failed}) if failed else None


_ROUNDS = st.lists(st.tuples(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.booleans()), max_size=4)


@given(_ROUNDS, st.integers(0, 5), st.integers(1, 5))
def test_jobs_are_started_again_until_no_policy_asks_for_it(
    rounds: Sequence[tuple[set[int], set[int], bool]], first: int, count: int
) -> None:
    """The sweeper gets one answer for each, in its order: that of the last round the job was in."""
    launcher = _Fails(rounds)
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    asked = list(range(first, first + count))
    returned = Conductor(launcher, [Policy(), _Again(launcher)], config).launch([[f"x={num}"] for num in asked], first)
    assert [each.return_value for each in returned] == asked
    assert launcher.batches[0] == asked
    left = set(asked)
    for batch, (failing, answered, raises) in zip(launcher.batches, [*rounds, *[(set(), set(), False)] * 5], strict=False):
        assert set(batch) == left
        left &= left - answered if raises else failing
    assert not left


@pytest.mark.parametrize("care", [Policy(), _Answers({1})])
def test_a_launcher_that_raises_ends_the_sweep_where_nobody_takes_care(care: Policy) -> None:
    """Its own exception comes out."""
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    with pytest.raises(RuntimeError, match="the pool is gone"):
        Conductor(_Fails([(set(), set(), True)]), [care], config).launch([["x=0"], ["x=1"]], 0)


def test_a_sweep_of_no_job_is_the_launchers_own() -> None:
    """It says that it launches none, as without a conductor, or refuses to."""
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    launcher = _Launches()
    assert Conductor(launcher, [_Answers({1}), _TakesCare()], config).launch([], 4) == []
    assert launcher.asked == [([], [])]
    with pytest.raises(RuntimeError, match="the pool is gone"):
        Conductor(_Fails([(set(), set(), True)]), [_TakesCare()], config).launch([], 0)


class _Interrupts(_Fails):
    def launch(self, job_overrides: list[list[str]], initial_job_idx: int) -> list[JobReturn]:
        self.batches.append([])
        raise self.rounds[0]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AbortRun("no"), AbortRun("no", 3)])
def test_ctrl_c_and_an_abort_end_the_sweep_whatever_a_policy_says(error: BaseException) -> None:
    """Nothing is started again."""
    launcher = _Interrupts([error])
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    with pytest.raises(type(error)):
        Conductor(launcher, [_TakesCare()], config).launch([["x=0"]], 0)
    assert len(launcher.batches) == 1


class _TakesCare(Policy):
    def after(self, launched: Round) -> Next:
        return Next(launched.batch)


class _Alone(Policy):
    """Starts what did not complete again: the first together, each other one by itself."""

    def after(self, launched: Round) -> Next | None:
        left = [num for num, each in launched.returned.items() if each and each.status is JobStatus.FAILED]
        again = {num: launched.batch[num] for num in left}
        return Next({num: again[num] for num in left[:1]}, {}, {num: again[num] for num in left[1:]}) if left else None


def test_jobs_that_are_started_again_alone_have_a_launch_each() -> None:
    """After those that are started together; what comes of one of them is asked after it."""
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    launcher = _Fails([({0, 1, 3}, set(), False), ({0}, set(), False), ({1}, set(), False)])
    returned = Conductor(launcher, [_Alone()], config).launch([[f"x={num}"] for num in range(4)], 0)
    assert launcher.batches == [[0, 1, 2, 3], [0], [1], [3], [0], [1]]
    assert [each.return_value for each in returned] == [0, 1, 2, 3]


class _SeesTo(Policy):
    def __init__(self, numbers: set[int]) -> None:
        self.mine = numbers
        self.asked: list[list[int]] = []

    def after(self, launched: Round) -> Next:
        self.asked.append(list(launched.batch))
        assert launched.returned.keys() == launched.batch.keys()
        return Next(answers={num: JobReturn(status=JobStatus.COMPLETED, _return_value=-num) for num in self.mine})


def test_a_policy_is_asked_for_what_those_before_it_have_not_seen_to() -> None:
    """And not at all where nothing is left."""
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    policies = [_SeesTo({1}), _SeesTo({0, 1, 2}), _SeesTo({0})]
    returned = Conductor(_Launches(), policies, config).launch([["x=0"], ["x=1"], ["x=2"]], 0)
    assert [policy.asked for policy in policies] == [[[0, 1, 2]], [[0, 2]], []]
    assert [each.return_value for each in returned] == [0, -1, -2]


class _Numbers(Policy):
    def numbers(self, batch: Batch) -> Mapping[int, int]:
        return {num: 10 * num for num in batch}


def test_a_job_is_started_and_answered_for_under_its_own_number() -> None:
    """What the sweeper gets is in the sweeper's order."""
    launcher = _Launches()
    config = config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    conductor = Conductor(launcher, [_Numbers(), _Answers({20})], config)
    returned = conductor.launch([["x=1"], ["x=2"], ["x=3"]], 1)
    assert [each.return_value for each in returned] == [10, -20, 30]
    assert launcher.asked == [([["x=1"], ["x=3"]], [10, 30])]


WRAPS = """
import functools
from hydra_callback_kit import RecordingCallback
from hydra_callback_kit.launching.in_place import put_in_place
from hydra_callback_kit.launching.policy import Policy

class Twice:
    def __init__(self, task):
        self.task = task
        functools.update_wrapper(self, task)

    def __call__(self, cfg):
        return 2 * self.task(cfg)

class First(Policy):
    place = 1

    def task_of_jobs(self, task_function):
        print("first", task_function.__name__)
        return Twice(task_function)

    def context_of_jobs(self, context):
        print("launcher's", type(context).__name__)
        return context

    def context_of_sweeper(self, context):
        print("sweeper's", type(context).__name__)
        return context

class Second(Policy):
    place = 2

    def task_of_jobs(self, task_function):
        print("second", type(task_function).__name__)
        return task_function

class Wraps(RecordingCallback):
    def on_multirun_start(self, config, **kwargs):
        for policy in (Second(), First()):
            put_in_place(config, policy)

    def on_job_start(self, config, *, task_function, **kwargs):
        print("starts", task_function.__name__)
"""


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_policies_say_what_the_sweeper_and_the_launcher_are_set_up_with(app: App, launcher: str) -> None:
    """In the order of their places; the jobs call what they have made of the task function."""
    app.write("return cfg.x", "x: 0\nhydra: {callbacks: {wraps: {_target_: __main__.Wraps}}}", WRAPS)
    done = app.sweep(launcher, "x=10,11")
    assert done.code == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith(("sweeper", "launcher", "first", "second"))] == [
        *("sweeper's HydraContext", "launcher's HydraContext"),
        *("first main", "second Twice"),
    ]
    assert [job.return_value for job in load_run(done.root).jobs] == [20, 22]


def test_numbers_are_the_numbers_at_the_places() -> None:
    """From either side, and it is the first of them itself."""
    numbers = Numbers([3, 7, 8])
    assert (numbers, [numbers + place for place in range(3)], 1 + numbers) == (3, [3, 7, 8], 7)
