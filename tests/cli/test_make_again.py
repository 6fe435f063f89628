"""`show --remake`: what a journal says of summaries is anybody's text, and only files in the run's directory are written."""

import json
from pathlib import Path
from typing import Any

import pytest
from journals import a_run, write_job
from terminal import cli

from hydra_callback_kit.journal.writer import write_line

RESULTS = {"output_file": ["results.json"], "sort_by": None}


def made_by(parameters: Any) -> Any:
    """What a sweep says of one table."""
    return [{"class": "ResultsAggregatorCallback", "parameters": parameters}]


def a_sweep(root: Path, summaries: Any, *, ended: bool = True, **made_of: Any) -> None:
    """A sweep with one completed job, and what it says of its summaries."""
    run = a_run(root)
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_local", "command": ["app.py"]})
    write_line(run, "run_facts", {"summaries": summaries})
    write_job(run, 0, "COMPLETED", return_value=3)
    if ended:
        write_line(run, "run_ended", {"duration_s": 1.0})
    for name, value in made_of.items():
        write_line(run, "run_facts", {name: value})


def test_it_is_made_again_once(tmp_path: Path) -> None:
    """Then nothing is out of date."""
    a_sweep(tmp_path, made_by(RESULTS), summed_up={"running": 1})
    assert "out of date (results.json): made while 1 still ran" in cli("show", tmp_path).out
    assert cli("show", tmp_path, "--remake").code == 0
    (row,) = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert (row["status"], row["return_value"]) == ("COMPLETED", 3)
    assert "summaries" not in cli("show", tmp_path).out


def test_secret_keys_of_the_sweep_stay_secret(tmp_path: Path) -> None:
    """What it says of them is read as every other fact."""
    a_sweep(tmp_path, made_by(RESULTS), secret_keys=["x", 1])
    assert cli("show", tmp_path, "--remake").code == 0
    assert (tmp_path / "results.json").exists()


@pytest.mark.parametrize("name", ["../outside.json", "{out}/outside.json", "link/outside.json"])
def test_nothing_outside_of_the_run_is_written(tmp_path: Path, name: str) -> None:
    """A name that leads out, an absolute one, and a link on the way."""
    root = tmp_path / "run"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    name = name.format(out=tmp_path)
    a_sweep(root, made_by({"output_file": ["results.json", name]}))
    said = cli("show", root, "--remake")
    assert said.code == 1
    assert "lies outside of" in said.err
    assert not (tmp_path / "outside.json").exists()
    assert not (root / "results.json").exists()


@pytest.mark.parametrize(
    "summaries",
    [
        [{"class": "subprocess.Popen", "parameters": {"args": "touch outside"}}],
        [{"class": "AbortRun", "parameters": {}}, {"class": "load_run", "parameters": {"path": "."}}],
        [{"class": "ResultsAggregatorCallback", "parameters": []}, {"class": []}, "ResultsAggregatorCallback", {}, None],
        {"ResultsAggregatorCallback": {}},
        "ResultsAggregatorCallback",
    ],
)
def test_nothing_else_is_built(tmp_path: Path, summaries: Any) -> None:
    """Names that are no callbacks that make summaries: nothing of theirs is called."""
    a_sweep(tmp_path, summaries)
    before = sorted(tmp_path.iterdir())
    said = cli("show", tmp_path, "--remake", cwd=tmp_path)
    assert said.code == 0
    assert "nothing was made again" in said.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "parameters", [{"output_file": "x.exe"}, {"colour": "red"}, {"output_file": {"a": 1}}, {"top_k": "x"}]
)
def test_parameters_that_are_none_are_named(tmp_path: Path, parameters: dict[str, Any]) -> None:
    """Another release's, or a stranger's."""
    a_sweep(tmp_path, made_by(parameters))
    said = cli("show", tmp_path, "--remake")
    assert said.code == 1
    assert "What ResultsAggregatorCallback made cannot be made again here" in said.err


def test_while_the_sweep_lives_they_are_its_own(tmp_path: Path) -> None:
    """This process has written that it started, and it is there."""
    a_sweep(tmp_path, made_by(RESULTS), ended=False)
    assert "summaries" not in cli("show", tmp_path).out
    assert "nothing was made again" in cli("show", tmp_path, "--remake").err
