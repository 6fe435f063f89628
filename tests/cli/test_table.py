"""`table`: from a sweep to a file, and what is said where that cannot be."""

from pathlib import Path

import pytest
from apps import App
from terminal import cli

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback]
  - _self_
model: 0
data: 0
seed: 0
hydra: {callbacks: {results_aggregator_callback: {average_over: [seed]}}}
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a sweep lies, which is only read."""
    app = App(tmp_path_factory.mktemp("swept"))
    app.write("return {'acc': cfg.model + cfg.data / 10 + cfg.seed / 100, 'loss': 1}", CONFIG)
    assert app.sweep("basic", "model=1,2", "data=1,2", "seed=1,2").code == 0
    return app.directory


def test_on_the_screen_and_in_files(swept: Path) -> None:
    """What is averaged over is on record."""
    asked = ("out", "--rows", "model", "--columns", "data", "--metric", "acc")
    said = cli("table", *asked, cwd=swept).out
    assert said.splitlines()[2] == "| 1     | 1.115 ± 0.005     | 1.215 ± 0.005     |"
    for suffix in (".tex", ".md", ".html", ".csv"):
        done = cli("table", *asked, "-o", f"table{suffix}", cwd=swept)
        assert (done.code, done.out, done.err) == (0, "", f"table{suffix}: 2 x 2 settings of 8 jobs\n")
        assert "1.115" in (swept / f"table{suffix}").read_text("utf-8")
    assert cli("table", *asked, "--mode", "min", cwd=swept).out.splitlines()[2].count("**") == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rows", "modle"], "--rows names 'modle', which no job was given. Did you mean model?"),
        (
            ["--rows", "model", "--columns", "x"],
            "--columns names 'x', which no job was given. Overrides are: data, model, seed.",
        ),
        (
            ["--rows", "model", "--metric", "acc"],
            "The jobs of one cell differ in data: average over it (--average-over data)",
        ),
        (["--rows", "model", "--columns", "data"], "Say --metric METRIC. The jobs returned: acc, loss."),
        (["--rows", "model", "--columns", "data", "--metric", "ac"], "Did you mean acc?"),
        (["--rows", "model", "-o", "x.docx"], "Its suffix must be one of .tex, .md, .html, .csv."),
        ([], "Missing option '--rows'"),
        (["--rows", "model", "--columns", "data", "--metric", "acc", "-o", "config.yaml/x.md"], "cannot be written"),
    ],
)
def test_what_cannot_be(swept: Path, arguments: list[str], said: str) -> None:
    """It is said what to type, and nothing is written."""
    done = cli("table", "out", *arguments, cwd=swept)
    assert done.code != 0
    assert said in done.err
    assert not list(swept.glob("x.*"))
