"""What a user reads: nothing twice, nothing that says nothing, and what the app varied rather than how it was started."""

import os
import pty
import subprocess

from apps import App
from terminal import cli

CONFIG = """
defaults:
  - callbacks: [standard_callbacks, validation_callback]
  - _self_
x: 0
y: 1
hydra:
  callbacks:
    results_aggregator_callback: {output_file: [results.csv, results.json], sort_by: z}
    validation_callback:
      json_schema: {properties: {x: {type: integer, maximum: 3}}}
"""


def on_a_terminal(app: App, *arguments: str) -> str:
    """What appears on a terminal, both streams together."""
    outside, inside = pty.openpty()
    with subprocess.Popen(
        app.command(*arguments), cwd=app.directory, env=app.environment(), stdout=inside, stderr=inside, stdin=inside
    ):
        os.close(inside)
        printed = b""
        try:
            while chunk := os.read(outside, 1 << 16):
                printed += chunk
        except OSError:  # the other end is closed
            pass
    os.close(outside)
    return printed.decode()


def test_an_abort_is_said_once_on_a_terminal(app: App) -> None:
    """One message, whatever other callbacks are on."""
    app.write("return 1", CONFIG)
    for arguments in (["x=4"], ["-m", "x=1,4"]):
        said = on_a_terminal(app, *arguments)
        assert said.count("was not started") == 1, said
        assert "ended after" not in said


def test_no_figure_is_said_twice(app: App) -> None:
    """With logging and performance on, the second says only what the first does not."""
    app.write("return {'z': cfg.x}", CONFIG)
    done = app.run("-m", "x=1,2")
    assert done.stdout.count("2 completed") == 1
    assert "Job 0 used CPU " in done.stdout
    assert "Sweep used CPU " in done.stdout
    assert "took" not in done.stdout.replace("a job took:", "")
    assert "jobs at once" not in done.stdout  # one after another
    assert f"Results of 2 jobs: results.csv, results.json, best.json (in {done.root})" in done.stdout
    alone = app.run("-m", "x=1,2", "~hydra.callbacks.logging_callback")
    assert "Job 0 took " in alone.stdout
    assert ": 2 completed (CPU " in alone.stdout


def test_performance_says_the_times_where_logging_is_not_heard(app: App) -> None:
    """`logging_callback` at DEBUG says nothing on the console."""
    app.write("return {'z': cfg.x}", CONFIG)
    done = app.run("-m", "x=1,2", "hydra.callbacks.logging_callback.level=DEBUG")
    assert ": 2 completed (CPU " in done.stdout


def test_what_chooses_our_callbacks_is_no_column(app: App) -> None:
    """Tables show what varies: neither the kit's own overrides nor those that all jobs share."""
    app.write("return {'z': cfg.x}", CONFIG)
    done = app.run("-m", "x=1,2", "y=5", "callbacks=[standard_callbacks,validation_callback]")
    head = (done.root / "results.csv").read_text().splitlines()[0].split(",")
    assert {"x", "y"} <= set(head)
    assert not any("callbacks" in name for name in head)
    assert "slowest: job " in done.stdout
    for line in done.stdout.splitlines():
        assert "callbacks=" not in line or "[HYDRA] \t#" in line, line
    assert "| x=2" in done.stdout  # in the table of the best
    assert "y=5" not in done.stdout.partition("Best jobs")[2].partition("Sweep")[0]
    assert "callbacks" not in cli("show", done.root).out.partition("job  status")[2]
    assert done.json("results.json")[0]["overrides"]["callbacks"] == ["standard_callbacks", "validation_callback"]


def test_a_group_callbacks_of_the_apps_own_is_a_column(app: App) -> None:
    """Its options are what was varied."""
    (app.directory / "callbacks").mkdir()
    for name in ("early_stopping", "none"):
        (app.directory / "callbacks" / f"{name}.yaml").write_text(f"# @package _global_\nstopping: {name}\n")
    app.write("return {'z': cfg.x}", CONFIG.replace("  - callbacks:", "  - callbacks: none\n  - override hydra/callbacks:"))
    done = app.run("-m", "callbacks=early_stopping,none")
    assert done.code == 0, done.stderr
    assert "callbacks" in (done.root / "results.csv").read_text().splitlines()[0].split(",")


def test_a_job_that_is_run_again_says_little(app: App) -> None:
    """`rerun --execute` does not tell of the whole sweep after each job."""
    app.write("if not os.path.exists('fine'):\n    raise ValueError('boom')\nreturn {'z': cfg.x}", CONFIG)
    done = app.run("-m", "x=1,2,3")
    (app.directory / "fine").touch()
    again = cli("rerun", done.root, "--execute", cwd=app.directory)
    assert again.code == 0
    for said in ("Best jobs", "Results of", "Sweep used", "Latest run", "Provenance"):
        assert said not in again.out + again.err
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED"] * 3
    assert done.json("best.json")["job_num"] == 2


def test_an_aborted_run_says_why(app: App) -> None:
    """`show` gives the reason in its lines, and `failed` names it."""
    app.write("return 1", CONFIG)
    done = app.run("-m", "x=4,5")
    lines = "aborted: The sweep was not started: 1 violation in 2 of 2 jobs\n  x must be at most 3\n"
    assert lines in cli("show", done.root).out
    failed = cli("failed", done.root)
    assert failed.code == 0
    assert lines in failed.out
