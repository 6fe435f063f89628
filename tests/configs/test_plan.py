"""What a sweep is going to run: recorded at its start, multiplied again later, and compared with what started."""

import pytest
from apps import App
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_callback_kit.configs.plan import jobs_of, missing_jobs
from hydra_callback_kit.journal.reader import read_run

SWEPT = ["x=1,2", "y=range(0,2)", "+z='a b'"]
SHUFFLED = ["x=shuffle(1,2)", "y=range(0,2)", "+z='a b'"]
PLANNED = jobs_of(SWEPT)


def test_jobs_are_multiplied_as_the_sweeper_does() -> None:
    """The last override varies fastest, quotes and prefixes stay, and a redacted value stays redacted."""
    assert [(f"x={x}", f"y={y}", "+z='a b'") for x in (1, 2) for y in (0, 1)] == PLANNED
    assert jobs_of(["db.password=<redacted 12345>", "x=1,2"]) == [("db.password=<redacted 12345>", f"x={x}") for x in (1, 2)]


@given(st.sets(st.integers(0, 3)), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_missing_jobs_take_the_numbers_that_are_left(started: set[int], random: object) -> None:
    """Whatever has started, in whatever order the sweep was shuffled, each combination runs once, under its own number."""
    order = list(PLANNED)
    random.shuffle(order)
    missing = missing_jobs(SHUFFLED, {num: order[num] for num in started})
    assert missing.keys() == set(range(4)) - started
    assert sorted([*missing.values(), *(order[num] for num in started)]) == sorted(PLANNED)
    in_order = missing_jobs(SWEPT, {num: PLANNED[num] for num in started})
    assert in_order == {num: job for num, job in enumerate(PLANNED) if num not in started}


def test_a_job_that_was_run_again_with_other_overrides_is_not_missing() -> None:
    """Numbers tell; only where the sweep was shuffled nobody knows which job it was."""
    assert list(missing_jobs(SWEPT, {0: ("x=9",), 1: (), 7: PLANNED[2]})) == [2, 3]
    with pytest.raises(ValueError, match="not planned"):
        missing_jobs(SHUFFLED, {0: ("x=9",)})


def test_the_plan_is_recorded_where_it_is_known(app: App) -> None:
    """Globs are spelled out, sweeper parameters come first, and a shuffled sweep has nothing missing."""
    app.write("return 1", "hydra: {sweeper: {params: {x: '1,2'}}}\nx: 0\ny: 0\n" + CALLBACKS)
    (app.directory / "model").mkdir()
    for name in ("cnn", "mlp"):
        (app.directory / "model" / f"{name}.yaml").write_text(f"name: {name}\n", "utf-8")
    done = app.sweep("basic", "y=shuffle(1,2)", "+model=glob(c*)")
    run = read_run(done.root)
    assert run.facts["planned_overrides"] == ["x=1,2", "y=shuffle(1,2)", "+model=cnn"]
    assert run.planned_jobs == len(run.jobs) == 4
    assert missing_jobs(run.facts["planned_overrides"], {job.job_num: job.task_overrides for job in run.jobs}) == {}


CALLBACKS = "defaults:\n  - callbacks: [logging_callback]\n  - _self_\n"
