"""Where event files lie, and what they are made of."""

import dataclasses
from pathlib import Path

import pytest

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.trackers.event_file import events_in, scalars_event, version_event, write_whole
from hydra_callback_kit.trackers.tensorboard import Scalars, bring_up_to_date
from hydra_callback_kit.trackers.tensorboard_place import path_of


def sweep(root: Path, *subdirs: str, fact: object = None) -> RunRecord:
    """A sweep whose jobs lie there."""
    facts = {} if fact is None else {"tensorboard": fact}
    jobs = [JobRecord(num, "COMPLETED", root=root, subdir=subdir, facts=facts) for num, subdir in enumerate(subdirs)]
    return RunRecord("run", root, "MULTIRUN", "COMPLETED", jobs=jobs)


@pytest.mark.parametrize(
    ("subdirs", "fact", "expected"),
    [
        (["0", "1"], None, ["0/tensorboard", "1/tensorboard"]),
        (["same", "same"], None, ["same/tensorboard_0", "same/tensorboard_1"]),
        (["0"], {"directory": "."}, ["0"]),
        (["../elsewhere"], None, ["tensorboard_0"]),
        (["0"], {"directory": "../../elsewhere"}, ["tensorboard_0"]),
        (["0"], {"directory": "/etc"}, ["tensorboard_0"]),
        (["0"], "nonsense", ["0/tensorboard"]),
    ],
)
def test_files_lie_below_the_run(tmp_path: Path, subdirs: list[str], fact: object, expected: list[str]) -> None:
    """Whatever a journal says."""
    run = sweep(tmp_path, *subdirs, fact=fact)
    assert [path_of(run, job).parent for job in run.jobs] == [tmp_path / name for name in expected]


def test_steps() -> None:
    """Whole numbers of 64 bits; the reports without one are counted."""
    scalars = Scalars()
    for step in (None, 2.6, None, 10**30, -1):
        scalars.of(Point("2026-01-01T00:00:00+00:00", step, {f"of {step}": 1.0}))
    assert scalars.steps == {"of None": 1, "of 2.6": 3, f"of {10**30}": 2**63 - 1, "of -1": -1}


def test_a_file_that_has_it_all_is_left_alone(tmp_path: Path) -> None:
    """One that lacks its end is written anew."""
    run = sweep(tmp_path, "0")
    path = path_of(run, run.jobs[0])
    assert bring_up_to_date(path, run, run.jobs[0], log_config=False)
    assert not bring_up_to_date(path, run, run.jobs[0], log_config=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert bring_up_to_date(path, run, run.jobs[0], log_config=False)
    assert len(list(events_in(path))) == 3


def test_a_returned_number_stands_after_the_apps_own_points(tmp_path: Path) -> None:
    """TensorBoard would drop what the app's file has of the same name from the first step of ours on."""
    run = sweep(tmp_path, "0")
    job = dataclasses.replace(run.jobs[0], return_value={"loss": 0.1})
    path = path_of(run, job)
    theirs = path.with_name("events.out.tfevents.1795721722.host.1.0")
    write_whole(theirs, [version_event(0.0), *(scalars_event(0.0, step, [("loss", 1.0)]) for step in range(301))])
    assert bring_up_to_date(path, run, job, log_config=False)
    assert scalars_event(0.0, 300, [("loss", 0.1)]).content in [event.content for event in events_in(path)]
    assert not bring_up_to_date(path, run, job, log_config=False)
