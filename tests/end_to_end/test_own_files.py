"""End to end: a file of the user's that has the name of one of ours is kept, whichever it is and whatever lies there."""

import os
import stat
from pathlib import Path

import pytest
from apps import App, Finished
from click.testing import CliRunner
from intruders import INTRUDERS, looked_at
from repositories import Repository

from hydra_callback_kit.cli.main import main

CONFIG = """
defaults:
  - callbacks:
    - performance_callback
    - results_aggregator_callback
    - thread_safe_callback
    - provenance_callback
    - resource_monitor_callback
    - report_callback
    - latest_run_callback
  - _self_
hydra:
  callbacks:
    thread_safe_callback: {output_file: jobs.json}
    results_aggregator_callback:
      {output_file: [results.csv, results.json, results.jsonl, results.md], sort_by: return_value, average_over: [x]}
    report_callback: {plotly_js: directory}
x: 0
"""
AT_THE_START = ("provenance.json", "git.patch", "config_resolved.yaml")
AT_THE_END = (
    *("performance.json", "jobs.json", "resources.csv", "report.html", "best.json"),
    *(f"results{more}.{form}" for more in ("", "_averaged") for form in ("csv", "json", "jsonl", "md")),
)
OURS = (*AT_THE_START, *AT_THE_END)
"""What we write in the directory of a run."""
NOT_OURS = {".callbacks", ".hydra", "app.log"}


def write(app: App, body: str = "return cfg.x") -> None:
    """The app, in a work tree that differs from its commit."""
    app.write(body, CONFIG)
    repository = Repository.made(app.directory)
    repository.commit(**{".gitignore": "out\nlatest*\n*.bak*\n__pycache__\n"})
    repository.write("app.py", (app.directory / "app.py").read_text("utf-8") + "# changed\n")


def kept_in(root: Path) -> set[str]:
    """The names of what was set aside."""
    return {file.name for file in root.glob("*.bak*")}


def said(done: Finished) -> int:
    """How often the log says so."""
    return done.stdout.count("is not what hydra-callback-kit wrote")


def test_these_are_all_and_what_is_ours_is_replaced(app: App) -> None:
    """Run after run in one directory, each file is that of the last one; the command line replaces it, too."""
    write(app)
    for number in (1, 2):
        done = app.run(f"x={number}")
        assert (done.code, said(done)) == (0, 0), done.stdout
        assert {file.name for file in done.root.iterdir()} == {*OURS, *NOT_OURS}
        assert done.json("best.json")["job"]["overrides"] == {"x": number}
        assert os.readlink(app.directory / "latest") == "out"  # noqa: PTH115  as written
    before = (done.root / "report.html").read_bytes()
    shown = CliRunner().invoke(main, ["report", str(done.root), "--plotly-js", "directory"])
    assert "kept" not in shown.output
    assert (done.root / "report.html").read_bytes() != before
    assert kept_in(done.root) | kept_in(app.directory) == set()


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_what_lies_there_is_kept(app: App, intruder: str) -> None:
    """It gets another name, the log says which, and what a link leads to is as it was."""
    write(app)
    (app.directory / "out").mkdir()
    before = {}
    for name in OURS:
        INTRUDERS[intruder](app.directory / "out" / name)
        before[name] = looked_at(app.directory / "out" / name)
    done = app.run()
    assert (done.code, said(done)) == (0, len(OURS)), done.stdout
    for name in OURS:
        assert stat.S_ISREG((done.root / name).lstat().st_mode), name
        assert looked_at(done.root / f"{name}.bak") == before[name], name
        assert f"{done.root / name} is not what hydra-callback-kit wrote" in done.stdout
        assert f": it is kept as {done.root / name}.bak" in done.stdout
    assert said(app.run()) == 0


def test_what_a_person_has_edited_is_kept(app: App) -> None:
    """By the next run, and by the command line; what nobody has touched is not."""
    write(app)
    done = app.run()
    edited = {}
    for name in OURS[::2]:
        with (done.root / name).open("a", encoding="utf-8") as file:
            file.write("edited\n")
        edited[name] = (done.root / name).read_bytes()
    again = app.run()
    assert said(again) == len(edited)
    assert kept_in(done.root) == {f"{name}.bak" for name in edited}
    for name, content in edited.items():
        assert (done.root / f"{name}.bak").read_bytes() == content, name


def test_plotlys_script_is_kept_where_it_is_not_ours(app: App) -> None:
    """It lies beside the page of a sweep: somebody else's, and one that a person has edited."""
    write(app)
    (app.directory / "out").mkdir()
    (app.directory / "out" / "plotly.min.js").write_text("mine", "utf-8")
    done = app.sweep("basic", "x=1,2")
    assert (done.root / "plotly.min.js.bak").read_text("utf-8") == "mine"
    assert said(app.sweep("basic", "x=1,2")) == 0
    (done.root / "plotly.min.js.bak").unlink()
    for name in ("report.html", "plotly.min.js"):
        with (done.root / name).open("a", encoding="utf-8") as file:
            file.write("edited\n")
    shown = CliRunner().invoke(main, ["report", str(done.root), "--plotly-js", "directory"])
    assert shown.output.count("it is kept as") == 2
    assert (done.root / "plotly.min.js").read_bytes() != (done.root / "plotly.min.js.bak").read_bytes()


def test_what_the_job_wrote_is_kept(app: App) -> None:
    """A single run's job writes where we write, too."""
    write(app, f'for name in {AT_THE_END}:\n    open(os.path.join("out", name), "w").write(f"mine: {{name}}")\nreturn 1')
    done = app.run()
    for name in AT_THE_END:
        assert (done.root / f"{name}.bak").read_text("utf-8") == f"mine: {name}"
        assert "mine" not in (done.root / name).read_text("utf-8")[:100]


def test_what_a_job_goes_on_writing_is_left_to_it(app: App, launcher: str) -> None:
    """The samples have no file then, and their means are on record; the log says so."""
    body = """
    from hydra.core.hydra_config import HydraConfig
    name = os.path.join(HydraConfig.get().runtime.output_dir, "resources.csv")
    while not os.path.exists(name):
        time.sleep(0.01)
    for epoch in range(5):
        open(name, "w").write(f"epoch {epoch}")
        time.sleep(0.1)
    """
    write(app, body)
    done = app.sweep(launcher, "x=0,1", "hydra.callbacks.resource_monitor_callback.interval_s=0.05")
    assert done.code == 0, done.stderr
    for number in ("0", "1"):
        assert (done.root / number / "resources.csv").read_text("utf-8") == "epoch 4"
        assert kept_in(done.root / number) == set()
    for job in done.json("results.json"):
        assert job["facts"]["resources"]["file"] is None
        assert job["facts"]["resources"]["samples"] > 2
    if launcher == "basic":
        assert done.stdout.count("writes to") == 1


def test_a_sweep_in_the_directory_of_another_replaces_its_jobs_files(app: App, launcher: str) -> None:
    """Whichever process wrote them; what was edited in between is kept."""
    write(app)
    first = app.sweep(launcher, "x=0,1")
    with (first.root / "1" / "resources.csv").open("a", encoding="utf-8") as file:
        file.write("edited\n")
    app.sweep(launcher, "x=0,1")
    assert [file.relative_to(first.root).as_posix() for file in first.root.rglob("*.bak*")] == ["1/resources.csv.bak"]
    assert (first.root / "1" / "resources.csv.bak").read_text("utf-8").endswith("edited\n")


def test_where_nothing_is_written_nothing_is_moved(app: App) -> None:
    """No patch in a clean work tree, no best job: a file of that name stays where it is."""
    app.write("return 1", CONFIG.replace("return_value", "nope"))
    (app.directory / "out").mkdir()
    for name in ("git.patch", "best.json"):
        (app.directory / "out" / name).write_text("mine", "utf-8")
    done = app.run()
    assert kept_in(done.root) == set()
    assert {(done.root / name).read_text("utf-8") for name in ("git.patch", "best.json")} == {"mine"}


@pytest.mark.parametrize("command", ["report", "collect"])
def test_what_the_command_line_is_told_to_write_is_written_over(app: App, command: str) -> None:
    """As by every other tool: links are followed; what lies beside it is kept."""
    write(app)
    done = app.sweep("basic", "x=1,2")
    there = app.directory / "there"
    there.mkdir()
    name = "page.html" if command == "report" else "table.csv"
    (app.directory / name).write_text("what lay there", "utf-8")
    (there / name).symlink_to(app.directory / name)
    (there / "plotly.min.js").write_text("mine", "utf-8")
    more = ["--plotly-js", "directory"] if command == "report" else []
    result = CliRunner().invoke(main, [command, str(done.root), "-o", str(there / name), *more])
    assert result.exit_code == 0, result.output
    assert (there / name).is_symlink()
    assert "what lay there" not in (app.directory / name).read_text("utf-8")
    assert kept_in(there) == ({"plotly.min.js.bak"} if command == "report" else set())
