"""`RecordingCallback`: what a subclass gets without doing anything for it."""

import functools
import pickle
from pathlib import Path
from typing import Any

import pytest
from apps import App
from hook_calls import call_job, call_run, config_of, job_of, returned
from hydra.experimental.callback import Callback

from hydra_callback_kit import RecordingCallback, abort, load_run
from hydra_callback_kit.configs.identity import identify_run, note_run
from hydra_callback_kit.journal.life import Found, Sight
from hydra_callback_kit.journal.reader import read_run


class Heard(RecordingCallback):
    """Notes what it hears; calls no super()."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.heard: list[str] = []

    def on_run_start(self, config: Any, **kwargs: Any) -> None:
        """The run is on record by now."""
        self.heard.append(f"start of {load_run(config).mode}")

    def on_job_start(self, config: Any, **kwargs: Any) -> None:
        """So is the job."""
        self.heard.append(f"job {load_run(config).jobs[0].status}")
        if self.fails:
            raise ValueError("a mistake of the user's")

    def on_job_end(self, config: Any, job_return: Any, **kwargs: Any) -> None:
        """And its end."""
        self.heard.append(f"job {load_run(config).jobs[0].status}")

    def at_the_end(self, config: Any) -> None:
        """The run is over."""
        self.heard.append(f"{load_run(config).status} at the end")


class Deeper(Heard):
    """Overrides what was overridden, and calls it."""

    def on_job_end(self, config: Any, job_return: Any, **kwargs: Any) -> None:
        """After its parent."""
        super().on_job_end(config, job_return, **kwargs)
        self.heard.append("deeper")


def test_a_hook_comes_after_what_it_overrides_is_recorded(tmp_path: Path) -> None:
    """No super() is needed, and every hook finds on record what it is called for."""
    callback = Heard()
    call_run(callback, config_of(tmp_path))
    assert callback.heard == ["start of RUN", "job RUNNING", "job COMPLETED", "COMPLETED at the end"]
    assert len((next((tmp_path / ".callbacks").iterdir())).read_text().splitlines()) == 4


def test_a_chain_of_subclasses_records_once(tmp_path: Path) -> None:
    """super() is harmless, at any depth, and the end comes once."""
    callback = Deeper()
    call_run(callback, config_of(tmp_path))
    assert callback.heard == ["start of RUN", "job RUNNING", "job COMPLETED", "deeper", "COMPLETED at the end"]
    assert len((next((tmp_path / ".callbacks").iterdir())).read_text().splitlines()) == 4


def test_a_mistake_in_a_hook_breaks_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with its traceback, is not called a bug of ours, and the job is on record all the same."""
    callback = Heard(fails=True)
    call_run(callback, config_of(tmp_path))
    assert callback.heard[-1] == "COMPLETED at the end"
    (record,) = caplog.records
    assert record.getMessage() == "Heard.on_job_start failed. The job is not affected."
    assert "a mistake of the user's" in caplog.text


def test_the_hook_decides_what_a_run_is(tmp_path: Path) -> None:
    """`on_multirun_start` starts a sweep in `hydra.sweep.dir`, also where nobody set `hydra.mode`."""
    run = config_of(tmp_path)
    run.hydra.mode = None
    run.hydra.run.dir = str(tmp_path / "elsewhere")
    callback = RecordingCallback()
    callback.on_multirun_start(config=run)
    call_job(callback, job_of(run, num=0, id="0"))
    callback.on_multirun_end(config=run)
    assert (read_run(tmp_path).mode, read_run(tmp_path).count("COMPLETED")) == ("MULTIRUN", 1)
    assert not (tmp_path / "elsewhere").exists()


def test_before_the_run_may_abort(tmp_path: Path) -> None:
    """Then nothing has started, and nothing is on record: the directory may be another run's."""

    class Refusing(RecordingCallback):
        def before_the_run(self, config: Any) -> None:
            abort(config, "not today")

    config = config_of(tmp_path)
    config.hydra.runtime.output_dir = "???"
    with pytest.raises(SystemExit, match="not today"):
        Refusing().on_run_start(config=config)
    assert not (tmp_path / ".callbacks").exists()


def test_a_subclass_is_pickled_like_any_class(tmp_path: Path) -> None:
    """A launcher sends it to its workers."""
    callback = pickle.loads(pickle.dumps(Heard()))
    callback.on_job_end(config_of(tmp_path), returned())
    assert callback.heard == ["job COMPLETED"]


OWN = """
import hydra_callback_kit
from hydra.experimental.callback import Callback

from hydra_callback_kit import RecordingCallback, add_job_facts, load_run

class Slowest(RecordingCallback):
    def on_job_end(self, config, job_return, **kwargs):
        add_job_facts({"squared": config.x**2, "password": "hunter2-hunter2"}, config)

    def at_the_end(self, config):
        run = load_run(config)
        print("AT THE END", run.status, [job.facts.get("squared") for job in run.jobs])
"""
CONFIG = """
x: 0
hydra:
  callbacks:
    slowest:
      _target_: __main__.Slowest
"""


def test_one_of_ones_own_in_a_sweep(app: App, launcher: str) -> None:
    """Each job's facts are on record under every launcher, also of the job that failed, and the end comes once."""
    app.write('if cfg.x == 1:\n    raise ValueError("boom")\nreturn cfg.x', CONFIG, OWN)
    done = app.sweep(launcher, "x=0,1,2")
    assert done.code == 1
    assert done.stdout.count("AT THE END FAILED [0, 1, 4]") == 1, done.stdout
    assert not any(b"hunter2" in file.read_bytes() for file in done.root.glob(".callbacks/*"))


class Mixin:
    """A hook of somebody else's, who calls no super()."""

    def on_job_end(self, config: Any, **kwargs: Any) -> None:
        """Notes it."""
        self.heard = [*getattr(self, "heard", []), "mixin"]


class TheirCallback(Callback):
    """A callback that was there before."""

    def on_job_end(self, config: Any, job_return: Any, **kwargs: Any) -> None:
        """Notes it."""
        self.heard = [*getattr(self, "heard", []), "theirs"]


class WithMixin(Mixin, RecordingCallback):
    """Theirs comes first in the order of the classes."""


class Migrated(TheirCallback, RecordingCallback):
    """The natural way to give a callback a record."""


class Aliased(RecordingCallback):
    """One function for both kinds of runs, as people write it."""

    def on_run_start(self, config: Any, **kwargs: Any) -> None:
        """Notes it."""
        self.heard = ["start"]

    on_multirun_start = on_run_start
    on_job_end = functools.partialmethod(on_run_start)


@pytest.mark.parametrize("kind", [WithMixin, Migrated, Aliased])
def test_hooks_are_recorded_wherever_a_class_has_them_from(tmp_path: Path, kind: type[RecordingCallback]) -> None:
    """From a mixin, from another base class, under another name, or as another kind of callable."""
    run = config_of(tmp_path, mode="MULTIRUN")
    run.hydra.run.dir = str(tmp_path / "elsewhere")
    callback = kind()
    callback.on_multirun_start(config=run)
    call_job(callback, job_of(run, num=0, id="0"))
    callback.on_multirun_end(config=run)
    assert callback.heard
    record = read_run(tmp_path)
    assert (record.mode, record.status, record.jobs[0].status) == ("MULTIRUN", "COMPLETED", "COMPLETED")
    assert not (tmp_path / "elsewhere").exists()


def test_what_cannot_be_called_is_no_hook() -> None:
    """It is said where the class is made, not as jobs that never end."""
    with pytest.raises(TypeError, match="on_job_end is no hook"):
        type("Wrong", (RecordingCallback,), {"on_job_end": None})


def test_a_mistake_before_the_run_does_not_cost_the_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged by its own name; with `fails_closed` it stops the run."""

    class Mistaken(RecordingCallback):
        def before_the_run(self, config: Any) -> None:
            raise ValueError("a mistake")

    call_run(Mistaken(), config_of(tmp_path / "a"))
    assert read_run(tmp_path / "a").status == "COMPLETED"
    assert "Mistaken.before_the_run failed. The job is not affected." in caplog.text
    closed = Mistaken()
    closed.fails_closed = True
    config = config_of(tmp_path / "b")
    config.hydra.runtime.output_dir = "???"
    with pytest.raises(SystemExit, match=r"cannot find out whether it may\. ValueError: a mistake"):
        closed.on_run_start(config=config)


def test_a_mistake_at_the_end_has_its_own_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not that of the hook that happened to bring it."""

    class Mistaken(RecordingCallback):
        def at_the_end(self, config: Any) -> None:
            raise LookupError("no job completed")

    call_run(Mistaken(), config_of(tmp_path))
    assert [record.getMessage() for record in caplog.records] == ["Mistaken.at_the_end failed. The job is not affected."]


@pytest.mark.parametrize("now", ["12", "13", None], ids=["requeued", "another", "none"])
def test_a_sweep_that_goes_on_lives_where_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: str | None
) -> None:
    """Its first process was in a job of Slurm's that is gone, or was started again; it is on another machine."""

    class Says:
        """A batch system that has the job in which the sweep goes on, and no other."""

        def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
            """It was started again, if the sweep was in it before."""
            return Found("runs", int(now == "12")) if job == now else Found("gone", 0)

    monkeypatch.setenv("SLURM_CLUSTER_NAME", "c")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    config = config_of(tmp_path, mode="MULTIRUN")
    Heard().on_multirun_start(config=config, config_name="config")
    sight = Sight(is_alive=lambda process: None, batch_system=Says())
    assert read_run(tmp_path, sight=sight).over
    if now is None:
        monkeypatch.delenv("SLURM_JOB_ID")
    else:
        monkeypatch.setenv("SLURM_JOB_ID", now)
        monkeypatch.setenv("SLURM_RESTART_COUNT", str(int(now == "12")))
    again = config_of(tmp_path, mode="MULTIRUN")
    note_run(again, identify_run(config)._replace(goes_on=True))
    Heard().on_multirun_start(config=again, config_name="config")
    assert not read_run(tmp_path, sight=sight).over
