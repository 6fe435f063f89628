"""`compare` pair by pair: two sweeps, two settings, and what is said where that cannot be."""

from pathlib import Path

import pytest
from apps import App
from terminal import cli

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback]
  - _self_
model: big
data: 0
seed: 0
"""
BODY = """
if cfg.seed == 4:
    raise ValueError("boom")
big = cfg.model == "big"
return {"acc": 0.5 + 0.1 * big + cfg.seed / 100 + 0.01 * (big and cfg.seed == 2), "loss": cfg.seed}
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a sweep lies, which is only read."""
    app = App(tmp_path_factory.mktemp("swept"))
    app.write(BODY, CONFIG)
    app.sweep("basic", "model=big,small", "seed=1,2,4")
    return app.directory


def test_two_settings_of_a_sweep(swept: Path) -> None:
    """The spread is that of the differences; the job that failed is named."""
    asked = ("compare", "out", "--setting", "model=big", "--setting", "model=small", "--metric", "acc")
    said = cli(*asked, cwd=swept)
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "model=big and model=small by acc (max is best)"
    assert "2, of jobs whose other overrides are equal" in said.out
    assert "0.105 ± 0.005 (mean ± standard error), model=big minus model=small" in said.out
    assert "0.041469 to 0.168531 (Student's t, 1 degree of freedom)" in said.out
    assert "model=big in 2, model=small in 0, equal in 0" in said.out
    assert "job 2 of model=big (FAILED); job 5 of model=small (FAILED)" in said.out
    assert "model=big is better: the interval does not hold 0" in said.out
    assert ["1", "0.61", "0.51", "0.1"] in said.words()
    found = cli(*asked, "--mode", "min", "--json", cwd=swept).json()
    assert isinstance(found, dict)
    assert (found["first"], found["better"], found["wins"], found["losses"]) == ("model=big", "second", 0, 2)
    assert found["interval"] == pytest.approx([0.105 - 12.7062047364 * 0.005, 0.105 + 12.7062047364 * 0.005])
    assert [each["second_jobs"] for each in found["pairs"]] == [[3], [4]]
    assert found["without_partner"] == [
        {"side": "first", "job_num": 2, "why": "no metric"},
        {"side": "second", "job_num": 5, "why": "no metric"},
    ]


def test_two_sweeps(app: App) -> None:
    """What sets them apart is found and said; with means there may be one pair, which has no interval."""
    app.write(BODY, CONFIG)
    assert app.sweep("basic", "model=big", "seed=1,2,3", "hydra.sweep.dir=a").code == 0
    assert app.sweep("basic", "model=small", "seed=1,2", "hydra.sweep.dir=b").code == 0
    said = cli("compare", "a", "b", "--metric", "acc", cwd=app.directory).out
    assert "they differ in  model (big and small)" in said
    assert "0.105 ± 0.005 (mean ± standard error), a minus b" in said
    assert "job 2 of a (no partner)" in said
    said = cli("compare", "a", "b", "--metric", "acc", "--average-over", "seed", cwd=app.directory).out
    assert "none: one pair does not tell how differences spread; without --average-over jobs are pairs" in said
    assert "nothing can be said of which is better" in said
    both = cli("compare", "a", "b", "--metric", "acc", "--setting", "seed=1", "--setting", "seed=2", cwd=app.directory)
    assert both.out.startswith("a seed=1 and b seed=2 by acc")
    assert "they differ in  model (big and small)\n" in both.out


def test_the_metric_and_its_direction_are_those_on_record(app: App) -> None:
    """As the sweep was asked to rank."""
    app.write("return {'acc': cfg.seed + (cfg.model == 'big'), 'other': 1}", CONFIG)
    ranked = "{sort_by: acc, mode: min, average_over: [seed]}"
    app.sweep("basic", "model=big,small", "seed=1,2", f"hydra.callbacks.results_aggregator_callback={ranked}")
    said = cli("compare", "out", "--setting", "model=big", "--setting", "model=small", cwd=app.directory).out
    assert "by acc (min is best)" in said
    assert "model=big in 0, model=small in 2, equal in 0" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--setting", "model=big"], "two sides if --setting is given twice"),
        (["--setting", "model=bgi", "--setting", "model=big"], "No job of out was given model=bgi. Did you mean model=big?"),
        (
            ["--setting", "modle=big", "--setting", "model=big"],
            "--setting names 'modle', which no job was given. Did you mean model?",
        ),
        (["--setting", "model", "--setting", "model=big"], "--setting 'model' is no override such as model=big."),
        (["--setting", "model='big", "--setting", "model=big"], "cannot be read"),
        (["--setting", "model=big", "--setting", "model=small"], "Say --metric METRIC. The jobs returned: acc, loss."),
        (["--setting", "model=big", "--setting", "model=small", "--metric", "ac"], "Did you mean acc?"),
        (
            ["--setting", "model=big", "--setting", "model=small", "--metric", "acc", "--average-over", "sed"],
            "--average-over names 'sed', which no job was given. Did you mean seed?",
        ),
        (
            ["--setting", "model=big seed=1", "--setting", "model=small seed=4", "--metric", "acc"],
            "There is no pair: two jobs, one of each side, that have completed with acc",
        ),
        (
            ["--setting", "model=big"] * 2 + ["--metric", "acc"],
            "Both sides hold jobs 0-2, and a job says nothing of itself.",
        ),
        (["--setting", "model=big", "--setting", "+model='big' seed=1", "--metric", "acc"], "Both sides hold job 0,"),
        (["out", "--metric", "acc"], "Both sides hold jobs 0-5,"),
        (["--metric", "acc"], "two sides"),
        ([], "Give two paths or more"),
        (["out", "out", "--metric", "acc"], "Pairs are of two"),
        (["out", *["--setting", "model=big"] * 3], "a comparison has two sides"),
    ],
)
def test_what_cannot_be(swept: Path, arguments: list[str], said: str) -> None:
    """It is said what to type."""
    done = cli("compare", "out", *arguments, cwd=swept)
    assert done.code != 0
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("odd", "better"), [("nan", "1, small in 0, equal in 1, not to be compared in 1"), ("inf", "2, small in 0, equal in 1")]
)
def test_a_value_that_is_no_finite_number(app: App, odd: str, better: str) -> None:
    """Nothing can be said then, and the pairs add up."""
    app.write(f"return {{'acc': [float('{odd}'), 1.0, 2.0][cfg.seed] if cfg.model == 'big' else 1.0}}", CONFIG)
    app.sweep("basic", "model=big,small", "seed=0,1,2")
    asked = ("compare", "out", "--setting", "model=big", "--setting", "model=small", "--metric", "acc")
    said = cli(*asked, cwd=app.directory).out
    assert "95 % interval  none: a difference is no finite number" in said
    assert f"model=big in {better.replace('small', 'model=small')}\n" in said
    assert "nothing can be said of which is better" in said
    found = cli(*asked, "--json", cwd=app.directory).json()
    assert isinstance(found, dict)
    assert (found["interval"], found["better"]) == (None, "neither")
    assert sum(found[each] for each in ("wins", "ties", "losses", "incomparable")) == len(found["pairs"])
