"""Whatever goes wrong, under whichever launcher: the app ends as without us, and the record tells what happened."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from faults.checks import complaints
from faults.fault import ANOTHER_DISK, ENGINES, FAULTS, LAUNCHERS, Fault
from faults.plan import in_ci
from faults.scene import clear, start
from raylets import TwoNodes, two_nodes

_MARKS = {
    "ray": (pytest.mark.ray_faults, pytest.mark.ray),
    ANOTHER_DISK: (pytest.mark.raylet_faults, pytest.mark.raylets),
}
"""By launcher: the mark of a column by itself, and that of the tests beside which cells of it are run for every change."""


def cells() -> Iterator[object]:
    """All combinations that there are, those that take long first."""
    for launcher in reversed(LAUNCHERS):
        for fault in reversed(FAULTS):
            if launcher not in fault.not_on:
                marks = [pytest.mark.engine_faults if launcher in ENGINES else pytest.mark.faults]
                if launcher in _MARKS:
                    whole, beside_its_tests = _MARKS[launcher]
                    marks = [whole, *([beside_its_tests, pytest.mark.in_ci] if in_ci(fault, launcher) else ())]
                elif in_ci(fault, launcher):
                    marks.append(pytest.mark.in_ci)
                if fault.needs:
                    marks = [getattr(pytest.mark, fault.needs), *(() if in_ci(fault, launcher) else (pytest.mark.nightly,))]
                yield pytest.param(fault, launcher, marks=marks, id=f"{launcher}-{fault.name}".replace(" ", "_"))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes directories for apps; they are removed at the end, for some are made read-only."""

    def made(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    yield made
    for directory in tmp_path.iterdir():
        clear(directory)


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """A Ray of two nodes for all cells that want one: it takes longer to start than they do."""
    with two_nodes(tmp_path_factory.mktemp("hidden")) as started:
        yield started


@pytest.mark.parametrize(("fault", "launcher"), list(cells()))
def test_a_cell(
    scene: Callable[[str], Path],
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
    fault: Fault,
    launcher: str,
) -> None:
    """Exit code, record, files and what is left behind: the same app without us, run into the same fault, is the measure."""
    record_property("cell", (fault.name, launcher))
    nodes = request.getfixturevalue("nodes") if launcher == ANOTHER_DISK else None
    for tried in range(3 if launcher in fault.hangs_by_chance else 1):
        with ThreadPoolExecutor(2) as both:  # most of the time under submitit is spent in waiting
            bare, ours = both.map(
                lambda ours, tried=tried: start(
                    scene(f"{'ours' if ours else 'bare'}{tried}"), fault, launcher, ours=ours, nodes=nodes
                ),
                (False, True),
            )
        if None not in (bare.code, ours.code):
            break
    if bare.code is None and launcher in fault.hangs_without_us:
        record_property("not_applicable", fault.hangs_without_us[launcher])
        return
    if bare.processes:
        record_property("note", f"{launcher} leaves processes of its own behind without us as well, and they are ended here")
    wrong = complaints(fault, launcher, ours, bare)
    assert not wrong, "\n".join([*wrong, "", ours.output[-5_000:]])
