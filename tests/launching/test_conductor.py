"""The conductor between sweeper and launcher: what it lets start, under which numbers, and what others see of it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from apps import LAUNCHERS, App
from hook_calls import config_of
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit import load_run
from hydra_callback_kit.launching.conductor import Conductor
from hydra_callback_kit.launching.numbers import Numbers
from hydra_callback_kit.launching.policy import Batch, Policy

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
        self.numbers = numbers
        self.home: list[int] = []

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:
        return {num: JobReturn(status=JobStatus.COMPLETED, _return_value=-num) for num in self.numbers if num in batch}

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


def test_numbers_are_the_numbers_at_the_places() -> None:
    """From either side, and it is the first of them itself."""
    numbers = Numbers([3, 7, 8])
    assert (numbers, [numbers + place for place in range(3)], 1 + numbers) == (3, [3, 7, 8], 7)
