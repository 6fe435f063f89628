"""`time_limit_callback`: its parameters, and what it does to a process that runs several apps."""

import threading
from pathlib import Path
from typing import Any

import pytest
from apps import VERSION_BASE
from hook_calls import call_job, config_of, job_of
from hydra import initialize_config_dir
from hydra.core import utils as hydra_utils
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from hydra_callback_kit import JobTimeoutError, ParameterError, RecordingCallback, SweepTimeoutError, TimeLimitCallback
from hydra_callback_kit.callbacks import failure_limit_callback
from hydra_callback_kit.configs.hydra_internals import Hydra
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.launching import single_run

pytestmark = pytest.mark.filterwarnings("ignore:hydra.utils.instantiate:UserWarning")  # 1.4, without `hydra.main`


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        ("job_s", {}),
        ("job_s", {"job_s": None, "sweep_s": None}),
        ("job_s", {"job_s": 0}),
        ("job_s", {"job_s": -1.0}),
        ("job_s", {"job_s": 1e-9}),
        ("job_s", {"job_s": float("nan"), "sweep_s": 1}),
        ("job_s", {"job_s": float("inf")}),
        ("sweep_s", {"sweep_s": 0}),
        ("sweep_s", {"sweep_s": 0.009}),
        ("sweep_s", {"job_s": 1, "sweep_s": -0.1}),
        ("action", {"job_s": 1, "action": "kill"}),
        ("grace_s", {"job_s": 1, "grace_s": -1}),
        ("grace_s", {"job_s": 1, "grace_s": float("nan")}),
    ],
)
def test_bad_parameters_fail_when_it_is_built(parameter: str, given: dict[str, Any]) -> None:
    """With the parameter's name, what is allowed, and what to write."""
    with pytest.raises(ParameterError, match="Write for example") as raised:
        TimeLimitCallback(**given)
    assert raised.value.parameter == parameter


def test_good_ones_do_not() -> None:
    """One limit is enough; there need be no time to clean up."""
    assert TimeLimitCallback(job_s=1).sweep_s is None
    assert TimeLimitCallback(sweep_s=0.5, grace_s=0).job_s is None
    assert TimeLimitCallback(job_s=1, sweep_s=2, action="interrupt").action == "interrupt"


def run(directory: Path, task: Any, *overrides: str) -> Any:
    """A single run of an app in this process; its `JobReturn`."""
    (directory / "config.yaml").write_text(
        "defaults: [callbacks: [time_limit_callback], _self_]\nhydra: {callbacks: {time_limit_callback: {job_s: 0.3}}}\n"
    )
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(directory), **VERSION_BASE):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        out = f"hydra.run.dir={directory}/out"
        return hydra.run("config", task, [out, *overrides], with_log_configuration=False)


def loops(_: Any) -> None:
    """Never returns."""
    while True:
        pass


def test_only_the_run_that_chose_it_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra's own function is back once it has started, and after one that was refused at its start."""
    hydras = hydra_utils.run_job
    monkeypatch.setattr(single_run._module, "run_job", hydras)  # another test may have left a run that never came to it
    assert Hydra.run.__globals__ is vars(single_run._module)
    with pytest.raises(JobTimeoutError):
        run(tmp_path, loops)
    assert single_run._module.run_job is hydras
    single_run.wrap_task_of(OmegaConf.create({}), pytest.fail)  # of a run that was refused
    assert run(
        tmp_path, lambda _: single_run._module.run_job is hydras, "~hydra.callbacks.time_limit_callback"
    ).return_value in (
        True,
        False,
    )
    assert run(tmp_path, lambda _: single_run._module.run_job is hydras).return_value
    assert single_run._module.run_job is hydras
    assert not single_run._wraps


def test_a_run_in_another_thread_is_limited_too(tmp_path: Path) -> None:
    """No signal reaches it."""
    came: list[BaseException] = []

    def in_thread() -> None:
        try:
            run(tmp_path, loops)
        except JobTimeoutError as error:
            came.append(error)

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join(30)
    assert [str(error) for error in came] == ["the job took longer than job_s=0.3"]


@pytest.mark.parametrize(("error", "counted"), [(SweepTimeoutError("no"), []), (JobTimeoutError("no"), [1])])
def test_jobs_that_its_sweep_had_no_time_for_are_no_failures(tmp_path: Path, error: Exception, counted: list[int]) -> None:
    """`failure_limit_callback` does not count them; those that took too long have failed."""
    config = config_of(tmp_path, mode="MULTIRUN")
    recording = RecordingCallback()
    recording.on_multirun_start(config=config)
    call_job(recording, job_of(config, num=1, id="1"), error)
    run_id = identify_run(config).run_id
    assert [job.job_num for job in failure_limit_callback._failed(tmp_path, run_id, but=0)] == counted
