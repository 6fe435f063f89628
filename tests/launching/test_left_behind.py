"""What a launcher has of a batch whose launch raised: found in its own list, and waited for if that is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher

from hydra_callback_kit.launching import left_behind as module
from hydra_callback_kit.launching.conductor import Conductor
from hydra_callback_kit.launching.left_behind import left_behind
from hydra_callback_kit.launching.policy import Next, Policy, Round

DONE = JobReturn(status=JobStatus.COMPLETED, _return_value=7)


class SubmititJob:
    """As submitit's: it is waited for, and raises where it left no result."""

    __module__ = "submitit.core.core"
    num_tasks = 1

    def __init__(self, result: Path, returned: Any) -> None:
        self.result_pickle = result
        self.returned = returned
        self.waited = 0

    @property
    def paths(self) -> "SubmititJob":
        """Where its files are."""
        return self

    def task(self, number: int) -> "SubmititJob":
        """Its only one."""
        assert number == 0
        return self

    def wait(self) -> None:
        """Until it is done."""
        self.waited += 1
        if isinstance(self.returned, KeyboardInterrupt):
            raise self.returned

    def results(self) -> list[Any]:
        """What it has returned."""
        if isinstance(self.returned, Exception):
            raise self.returned
        return [self.returned]


def _raised(**variables: Any) -> RuntimeError:
    """What a launcher with these variables has raised."""
    try:
        _launch(variables.get("runs"), variables.get("jobs"))
    except RuntimeError as error:
        return error
    raise AssertionError


def _launch(runs: Any, jobs: Any) -> None:
    if runs is None:
        del runs
    raise RuntimeError(f"one is lost of {len(jobs or ())}")


def test_the_basic_launcher_has_what_its_jobs_returned() -> None:
    """Those before the one that ended it."""
    assert left_behind(_raised(runs=[DONE, DONE]), [3, 5, 8]) == {3: DONE, 5: DONE}


@pytest.mark.parametrize("runs", [None, [], "text", [1, DONE], {"a": DONE}])
def test_a_variable_of_the_same_name_is_something_else(runs: Any) -> None:
    """The app's own launcher may have one."""
    assert left_behind(_raised(runs=runs, jobs=[1, 2]), [0, 1], patient=True) == {}


def test_submitits_jobs_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they return is known, and of which no result is there. Where nobody is patient, they are left alone."""
    monkeypatch.setattr(module, "_FILE_TIMEOUT_S", 0.0)
    (tmp_path / "there").touch()
    jobs = [
        SubmititJob(tmp_path / "there", DONE),
        SubmititJob(tmp_path / "lost", DONE),
        SubmititJob(tmp_path / "there", OSError("it raised")),
        SubmititJob(tmp_path / "there", DONE),
    ]
    assert left_behind(_raised(jobs=jobs), [0, 1, 2, 3]) == {}
    assert [job.waited for job in jobs] == [0, 0, 0, 0]
    assert left_behind(_raised(jobs=jobs), [0, 1, 2, 3], patient=True) == {0: DONE, 1: None, 2: None, 3: DONE}
    assert [job.waited for job in jobs] == [1, 1, 1, 1]


class _Submitit(Launcher):
    def __init__(self, jobs: list[SubmititJob], error: BaseException) -> None:
        self.jobs = jobs
        self.error = error

    def setup(self, **_: object) -> None:
        pass

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        jobs = self.jobs
        raise self.error if jobs else AssertionError


class _Patient(Policy):
    patient = True
    returned: Any = None

    def after(self, launched: Round) -> Next:
        self.returned = launched.returned
        return Next(answers={num: DONE for num, each in launched.returned.items() if each is None})


def test_a_patient_policy_gets_the_jobs_that_went_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They came home, and the sweeper gets them."""
    monkeypatch.setattr(module, "_FILE_TIMEOUT_S", 0.0)
    (tmp_path / "there").touch()
    jobs = [SubmititJob(tmp_path / "lost", None), SubmititJob(tmp_path / "there", DONE)]
    policy, config = _Patient(), config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    assert Conductor(_Submitit(jobs, OSError("lost")), [policy], config).launch([["x=0"], ["x=1"]], 4) == [DONE, DONE]
    assert policy.returned == {4: None, 5: DONE}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("lost")])
def test_ctrl_c_ends_the_waiting_and_the_sweep(tmp_path: Path, error: BaseException) -> None:
    """Before it, nobody waits."""
    jobs = [SubmititJob(tmp_path / "lost", KeyboardInterrupt())]
    policy, config = _Patient(), config_of(Path("/dev/null/nowhere"), mode="MULTIRUN")
    with pytest.raises(KeyboardInterrupt):
        Conductor(_Submitit(jobs, error), [policy], config).launch([["x=0"]], 0)
    assert policy.returned is None
    assert jobs[0].waited == isinstance(error, OSError)
