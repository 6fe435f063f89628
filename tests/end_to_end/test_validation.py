"""End to end: a config that is not valid never starts a job, under each launcher."""

import re
import shlex
import subprocess

import pytest
from apps import App, Finished, without_numbers
from click.testing import CliRunner

from hydra_callback_kit.cli.main import main
from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [validation_callback]
  - _self_
x: 0
lr: 0.1
gap: ???
twice: ['${x}', '${x}']
out: ${hydra:runtime.output_dir}
db: {password: hunter2}
hydra:
  callbacks:
    validation_callback:
      required_keys: [gap]
      forbid_missing: true
      json_schema:
        properties:
          x: {type: integer, maximum: 5}
          lr: {exclusiveMinimum: 0}
          db: {properties: {password: {maxLength: 10}, _target_: {const: app.Db}}}
"""
PREAMBLE = "from omegaconf import OmegaConf"
BODY = """
print("RAN", cfg.x, flush=True)
print("SAW", repr(OmegaConf.to_yaml(cfg)), flush=True)
"""


WITHOUT_US = "~hydra.callbacks.validation_callback"


def stopped(done: Finished) -> str:
    """The message of an app that was stopped: on stderr once, without a traceback, and in the log."""
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    message = done.stderr.strip()
    assert message
    assert done.stdout.count(message) == 1
    return message


def test_a_mistake_is_reported_before_anything_runs(app: App, launcher: str) -> None:
    """All violations of all jobs at once; no job and no job directory; the record says that it was aborted, and why."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep(launcher, "gap=1", "x=1,9", "lr=0.1,-1", "db.password=swordfish123,ok")
    message = stopped(done)
    assert message.startswith("The sweep was not started: 3 violations in 7 of 8 jobs\n")
    assert "x = 9: must be at most 5\n    job 4 (gap=1 x=9 lr=0.1 db.password=<redacted>)" in message
    assert "lr = -1: must be more than 0" in message
    assert "swordfish" not in done.stdout + done.stderr
    assert "RAN" not in done.stdout
    assert [path.name for path in done.root.iterdir()] == [".callbacks"]
    run = read_run(done.root)
    assert (run.status, without_numbers(run.facts["aborted"]), run.jobs) == ("FAILED", message, ())
    shown = CliRunner().invoke(main, ["show", str(done.root)])
    assert "FAILED" in shown.output
    assert "lr = -1: must be more than 0" in shown.output


def test_a_job_that_was_not_known_never_runs(app: App, launcher: str) -> None:
    """Checked as it starts: the exit code is not 0, its log and its record say why, and it is recorded once."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep(launcher, "gap=1", "x=1,9", "hydra.callbacks.validation_callback.check_sweep=false")
    assert done.code == 1
    assert "Job 1 (gap=1 x=9) was not started: 1 violation\n  x = 9: must be at most 5\n" in done.stderr
    assert "x = 9" in done.log(1)
    (job,) = (job for job in read_run(done.root).jobs if job.job_num == 1)
    assert job.status == "FAILED"
    assert job.error is not None
    assert job.error.type == "hydra_callback_kit.AbortRun"
    assert job.error.message.startswith("Job 1 (gap=1 x=9) was not started")
    outputs = [done.stdout, *(file.read_text("utf-8") for file in done.root.glob(".submitit/*/*.out"))]
    if launcher != "joblib":  # which ends its workers, whatever they run, as soon as one leaves
        assert "RAN 1" in "".join(outputs)
    assert "RAN 9" not in "".join(outputs)


def test_a_valid_config_is_not_changed(app: App) -> None:
    """The job sees what it saw without us, interpolations unresolved, in a single run and in a sweep."""
    app.write(BODY, CONFIG, PREAMBLE)

    def seen(done: Finished) -> list[str]:
        assert done.code == 0
        return re.findall("SAW .*", done.stdout)

    ours, bare = (seen(app.run("gap=1", "x=2", *without)) for without in ([], [WITHOUT_US]))
    assert ours == bare
    assert "- ${x}" in ours[0]
    ours, bare = (seen(app.sweep("basic", "gap=1", "x=1,2", *without)) for without in ([], [WITHOUT_US]))
    assert ours == bare
    assert len(ours) == 2
    assert [job.status for job in read_run(app.directory / "out").jobs] == ["COMPLETED", "COMPLETED"], (
        "it alone keeps the record"
    )


def test_a_single_run_is_stopped(app: App) -> None:
    """Every violation at once, before the output directory is prepared."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.run("x=six", "lr=0", "db.password=swordfish123", "+far=${nope.x}")
    message = stopped(done)
    assert message.startswith("The run was not started: 5 violations\n")
    assert "gap is ??? and needs a value" in message
    assert 'far = "${nope.x}": cannot be resolved' in message
    assert 'db.password = "<redacted>": must have at most 10 characters' in message
    assert [path.name for path in done.root.iterdir()] == [".callbacks"]
    run = read_run(done.root)
    assert (run.status, without_numbers(run.facts["aborted"])) == ("FAILED", message)


def test_one_mistake_among_two_hundred_jobs_fits_one_screen(app: App) -> None:
    """Sweeper parameters, a range, duplicates, and an override that Hydra cannot compose, found together."""
    sweeper = "\n  sweeper: {params: {lr: 'choice(0.1,0.2)'}}\n"
    app.write(BODY, CONFIG.rstrip() + sweeper, PREAMBLE)
    duplicates = "hydra.callbacks.validation_callback.forbid_duplicates=true"
    message = stopped(app.sweep("basic", "gap=range(0,25)", "x=1,2,2,7", duplicates))
    assert message.startswith("The sweep was not started: 2 violations in 100 of 200 jobs\n")
    assert "the config repeats that of an earlier job\n    job 2 (lr=0.1 gap=0 x=2)" in message
    assert "x = 7: must be at most 5\n    job 3 (lr=0.1 gap=0 x=7)" in message
    assert len(message.splitlines()) < 24
    message = stopped(app.sweep("basic", "gap=1", "+db.password=1,2"))
    assert re.search("2 violations in 4 of 4 jobs\n  the config cannot be composed: .*<redacted>", message)


def test_a_warning_goes_on(app: App) -> None:
    """`on_invalid=warn` logs the same, and the jobs run."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep("basic", "gap=1", "x=1,9", "hydra.callbacks.validation_callback.on_invalid=warn")
    assert done.code == 0
    assert "The config is not valid: 1 violation in 1 of 2 jobs\n  x = 9: must be at most 5" in done.stdout
    assert done.stdout.count("must be at most 5") == 1
    assert "RAN 9" in done.stdout


def test_a_users_own_callback_can_stop_a_run(app: App) -> None:
    """With an exit code of its own; the message is on stderr once."""
    preamble = """
    from hydra.experimental.callback import Callback
    from hydra_callback_kit import abort
    class Guard(Callback):
        def on_run_start(self, config, **kwargs):
            abort(config, "the data is not there", exit_code=4)
    """
    app.write("print('RAN')", "hydra: {callbacks: {guard: {_target_: __main__.Guard}}}", preamble)
    done = app.run()
    assert (done.code, done.stderr) == (4, "the data is not there\n")
    assert "the data is not there" in done.stdout
    assert read_run(done.root).status == "FAILED"


def test_a_bad_parameter_stops_the_app(app: App) -> None:
    """With the config key, before anything else."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.run("gap=1", "hydra.callbacks.validation_callback.on_invalid=abrt")
    assert done.code == 1
    assert "on_invalid=abort" in done.stderr
    assert "hydra.callbacks.validation_callback" in done.stderr
    assert not done.root.exists()


@pytest.mark.parametrize("way", ["2>&-", "2>&- >&-", "> /dev/full"])
def test_a_run_is_stopped_also_where_that_cannot_be_said(app: App, way: str) -> None:
    """Closed streams and full disks let no invalid job start."""
    app.write('open("RAN", "w").close()', "defaults:\n  - callbacks: [validation_callback]\n  - _self_\nx: 0\n")
    words = app.command("hydra.callbacks.validation_callback.required_keys=[nope]")
    command = ["/bin/sh", "-c", f"{shlex.join(words)} {way}"]
    done = subprocess.run(command, cwd=app.directory, env=app.environment(), timeout=120, check=False)
    assert done.returncode != 0
    assert not (app.directory / "RAN").exists()


def test_a_value_that_holds_a_secret_is_not_shown(app: App) -> None:
    """It came by an interpolation, to where the key does not tell."""
    config = """
    defaults:
      - callbacks: [validation_callback]
      - _self_
    db: {password: hunter2222, url: "pg://u:${.password}@h"}
    hydra: {callbacks: {validation_callback: {json_schema: {properties: {db: {properties: {url: {pattern: "^http"}}}}}}}}
    """
    app.write("return 1", config)
    done = app.run()
    assert done.code == 1
    assert "db.url" in done.stderr
    assert "hunter2222" not in done.stderr + done.stdout
