"""End to end: what would run is shown, and nothing runs."""

import shlex
import subprocess

import pytest
from apps import App

CONFIG = """
defaults:
  - callbacks: [standard_callbacks, output_guard_callback, validation_callback]
  - _self_
x: 0
twice: ${x}
db: {password: null}
hydra:
  callbacks:
    validation_callback:
      json_schema: {properties: {x: {maximum: 5}}}
"""
DRY = "+callbacks=dry_run_callback"


def everything(app: App) -> set[str]:
    """The names of all that lies in the app's directory."""
    return {path.name for path in app.directory.iterdir() if path.name != "__pycache__"}


def test_a_sweep_is_listed_and_nothing_is_made(app: App, launcher: str) -> None:
    """Count, a table of overrides, duplicates marked, secrets redacted; no directory, no other callback, exit code 0."""
    app.write("print('RAN')", CONFIG)
    before = everything(app)
    done = app.sweep(launcher, "x=1,2,2", "db.password=swordfish", DRY)
    assert done.code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "3 jobs, all with db.password=<redacted>; 1 job repeats an earlier one",
        "job  x  duplicate",
        "  0  1",
        "  1  2",
        "  2  2  repeats job 1",
    ]
    assert done.stderr == "This was a dry run: nothing was started.\n"
    assert everything(app) == before


@pytest.mark.parametrize("mode", [[], ["-m"]])
def test_configs_are_shown_as_the_job_would_see_them(app: App, mode: list[str]) -> None:
    """Each job's config, resolved, in a single run and in a sweep."""
    app.write("print('RAN')", CONFIG)
    done = app.run(*mode, "x=4", DRY, "hydra.callbacks.dry_run_callback.show_config=true")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("1 job: x=4\n")
    assert "\nx: 4\ntwice: 4\n" in f"\n{done.stdout}"


def test_what_is_not_valid_would_not_run(app: App) -> None:
    """`validation_callback` is asked first, and no directory is made for its message either."""
    app.write("print('RAN')", CONFIG)
    before = everything(app)
    done = app.sweep("basic", "x=1,9", DRY)
    assert done.code == 1
    assert "x = 9: must be at most 5\n    job 1 (x=9" in done.stderr
    assert everything(app) == before


def test_what_hydra_refuses_is_left_to_hydra(app: App) -> None:
    """A sweep that Hydra cannot read ends with Hydra's own message."""
    app.write("print('RAN')", CONFIG)
    done = app.sweep("basic", "x=interval(0,1)", DRY)
    assert done.code == 1
    assert "RAN" not in done.stdout


@pytest.mark.parametrize("way", ["> /dev/full", "| true", "2>&- >&-"])
def test_nothing_runs_where_the_list_cannot_be_shown(app: App, way: str) -> None:
    """A full disk, a pipe that nobody reads, streams that are closed: a dry run starts nothing all the same."""
    app.write('open("RAN", "w").close()', CONFIG)
    command = shlex.join(
        app.command("-m", f"x=range(0,{5_000 if way == '| true' else 2})", DRY, "~hydra.callbacks.validation_callback")
    )
    subprocess.run(["/bin/sh", "-c", f"{command} {way}"], cwd=app.directory, env=app.environment(), timeout=120, check=False)
    assert not (app.directory / "RAN").exists()
    assert not (app.directory / "out").exists()


def test_what_the_stream_cannot_hold_is_spelled_out(app: App) -> None:
    """An ASCII terminal, or a pipe on Windows."""
    app.write("print('RAN')", CONFIG)
    done = app.run("-m", "x='größe',b", DRY, PYTHONIOENCODING="ascii")
    assert (done.code, "RAN" in done.stdout) == (0, False)
    assert r"gr\xf6\xdfe" in done.stdout
