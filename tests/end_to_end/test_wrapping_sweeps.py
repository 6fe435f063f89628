"""End to end: callbacks inside callbacks, real sweeps under each launcher, chosen from the group and from the app."""

import re

import pytest
from apps import HYDRA_VERSION, App

WRAPPED = ("performance_callback", "logging_callback")
BODY = """
if cfg.x == 1:
    raise ValueError("boom")
return cfg.x
"""
THREAD_SAFE = "hydra.callbacks.thread_safe_callback.callbacks"
CONDITIONAL = f"{THREAD_SAFE}.conditional_callback.callbacks"
NESTED = f"""
defaults:
  - callbacks: [thread_safe_callback]
  - /callbacks@{THREAD_SAFE}.conditional_callback: conditional_callback
{chr(10).join(f"  - /callbacks@{CONDITIONAL}.{option}: {option}" for option in WRAPPED)}
  - _self_
x: 0
hydra:
  callbacks:
    thread_safe_callback:
      output_file: jobs.json
      callbacks:
        mine:
          _target_: __main__.Mine
        conditional_callback:
          condition_key: x
          condition_value: 3
          operator: lt
"""
MINE = """
import threading
from hydra.experimental.callback import Callback

class Mine(Callback):
    def on_job_start(self, config, **kwargs):
        self.job = config.hydra.job.num

    def on_job_end(self, config, job_return, **kwargs):
        raise OSError(f"my disk is full in job {self.job}")

    def on_multirun_end(self, config, **kwargs):
        print("mine is told of the end")
"""


def without_figures(value: object) -> object:
    """What a file says but for what differs from run to run: durations, sizes."""
    if isinstance(value, dict):
        return {key: without_figures(item) for key, item in value.items() if key != "slowest_job"}
    if isinstance(value, list):
        return [without_figures(item) for item in value]
    return "a figure" if isinstance(value, float) or (isinstance(value, int) and value > 1000) else value


def test_a_wrapped_callback_does_what_an_unwrapped_one_does(app: App, launcher: str) -> None:
    """Two deep, one job failed, beside one that fails in its hooks: same files, same exit code, true state."""
    app.write(BODY, NESTED, MINE)
    bare = app.sweep(
        launcher,
        "x=0,1,2",
        f"callbacks=[{','.join(WRAPPED)}]",
        "hydra.sweep.dir=bare",
        "~hydra.callbacks.thread_safe_callback",
    )
    done = app.sweep(launcher, "x=0,1,2")
    assert done.code == bare.code == 1
    files = {file.relative_to(app.directory / "bare") for file in (app.directory / "bare").glob("*.json")}
    assert {file.name for file in files} >= {"performance.json"}
    for file in files:
        expected = without_figures(bare.json(f"../bare/{file}"))
        assert without_figures(done.json(str(file))) == expected
    assert "2 completed, 1 failed" in done.stdout
    assert "ValueError: boom" in done.log(1)
    assert "'mine' (Mine) failed in on_job_end" in done.log(0)
    assert "my disk is full in job 2" in done.log(2)
    assert done.stdout.count("mine is told of the end") == 1
    jobs = done.json("jobs.json")
    assert re.search(rf"Sweep ran 3 jobs, at most {jobs['highest_at_once']} at once; all finished", done.stdout)
    assert [(job["job_num"], job["status"], job["success"]) for job in jobs["jobs"].values()] == [
        (0, "completed", True),
        (1, "failed", False),
        (2, "completed", True),
    ]
    assert 1 <= jobs["highest_at_once"] <= (1 if launcher == "basic" else 3)


def test_only_the_jobs_that_meet_the_condition(app: App, launcher: str) -> None:
    """The key is swept: the sweep's summary is written, and each job is logged where the condition holds."""
    app.write("return cfg.x", NESTED.replace("condition_value: 3", "condition_value: 1"), MINE)
    done = app.sweep(launcher, "x=0,1")
    assert done.code == 0
    assert "Job 0 COMPLETED" in done.log(0)
    assert "Job 1" not in done.log(1)
    assert (done.root / "performance.json").exists()


def test_the_end_is_made_up_for(app: App) -> None:
    """A job leaves by sys.exit, after which Hydra 1.3 calls no end hook: all wrapped callbacks get theirs, once."""
    app.write("if cfg.x == 1:\n    sys.exit(3)", NESTED, MINE)
    done = app.sweep("basic", "x=0,1,2")
    assert done.code == 3
    assert done.stdout.count("mine is told of the end") == 1
    assert done.stdout.count("Sweep ended") == 1
    assert done.stdout.count("Sweep used") == 1
    assert done.json("jobs.json")["not_finished"] == ([] if HYDRA_VERSION >= (1, 4) else [1])
    alone = app.run("x=1", "hydra.run.dir=alone")
    assert alone.code == 3
    assert alone.stdout.count("Run ended") == 1


OF_HYDRAS_GROUP = f"""
defaults:
  - /hydra/callbacks@{THREAD_SAFE}.timer: performance_callback
  - override hydra/callbacks: [thread_safe_callback]
"""
NESTED_CONFIG = f"""
defaults:
  - /callbacks: [thread_safe_callback]
  - /callbacks@_global_.{THREAD_SAFE}.timer: performance_callback
"""


@pytest.mark.parametrize("config", [OF_HYDRAS_GROUP, "defaults: [experiment: fast]"])
def test_the_other_ways_to_choose(app: App, config: str) -> None:
    """From the group hydra/callbacks, and inside a nested config."""
    app.write("return cfg", config)
    nested = app.directory / "experiment" / "fast.yaml"
    nested.parent.mkdir()
    nested.write_text(NESTED_CONFIG, "utf-8")
    done = app.run(f"{THREAD_SAFE}.timer.output_file=timer.json")
    assert done.code == 0, done.stderr
    assert (done.root / "timer.json").exists()


def test_a_wrapped_parameter_fails_before_any_job(app: App) -> None:
    """With its full key and what is allowed, as it would unwrapped."""
    app.write("print('ran')", NESTED, MINE)
    done = app.run(f"{CONDITIONAL}.performance_callback.level=LOUD")
    assert done.code == 1
    assert "ran" not in done.stdout
    assert f"full_key: {CONDITIONAL}.performance_callback" in done.stderr
    assert "allowed is DEBUG" in done.stderr


def test_a_wrapped_redaction_holds(app: App) -> None:
    """`redaction_callback` says what is secret wherever it stands, also inside another callback."""
    app.write(BODY, f"{NESTED}ssn: 1234567\n", MINE)
    redaction = [f"+callbacks@{CONDITIONAL}.secret=redaction_callback", f"{CONDITIONAL}.secret.keys=[ssn]"]
    done = app.run(*redaction, f"{CONDITIONAL}.logging_callback.log_config=true")
    assert "ssn: <redacted>" in done.log()
    assert "1234567" not in done.log()
