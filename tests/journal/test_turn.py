"""Turns: of several who want to run a job again one has it, and what a killed one has left keeps nobody out."""

import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.turn import NotOurTurnError, turn_at

HERE = f'"host": "{socket.gethostname()}"'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run's directory."""
    (tmp_path / ".callbacks").mkdir()
    return tmp_path


def left(root: Path) -> list[str]:
    """What lies in the journal's directory."""
    return sorted(file.name for file in (root / ".callbacks").iterdir())


@pytest.mark.parametrize("killed", [0, 2])
def test_one_of_many_has_the_job(root: Path, killed: int) -> None:
    """Also where some were killed before; each job and each attempt has turns of its own."""
    for number in range(1, killed + 1):
        gone = '{"host": "gone", "pid": 7, "born": null}'
        (root / ".callbacks" / f"again-20260101-aa-3-1-{number}.json").write_text(gone)
    everybody = Barrier(8)

    def has_it(_: int) -> bool:
        everybody.wait()
        try:
            with turn_at(root, "20260101-aa", 3, 1, lambda process: process.host == "gone"):
                everybody.wait()
                return True
        except NotOurTurnError as error:
            everybody.wait()
            return error.holder != this_process()

    with ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(has_it, range(8))) == {True: 1, False: 7}
    assert len(left(root)) == killed
    with (
        turn_at(root, "20260101-aa", 3, 2, lambda _: False),
        turn_at(root, "20260101-aa", 2, 1, lambda _: False),
        turn_at(root, "20260101-bb", 3, 2, lambda _: False),
    ):
        assert len(left(root)) == killed + 3


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "1", "null", "[" * 100_000, "{}", '{"host": "gone", "pid": 7}', "\udcff"),
        *(f'{{"host": "gone", "pid": {pid}, "born": null}}' for pid in ("0", "-1", "true", '"7"', "1e400", "9" * 5000)),
        '{"host": "gone", "pid": 7, "born": 3}',
        *(f'{{"host": "gone", "pid": {1 << 31}, "born": null}}{" " * blanks}' for blanks in (0, 10_000)),
    ],
)
def test_what_cannot_be_read_is_somebodys(root: Path, text: str) -> None:
    """It may be half written; nobody is asked for a process that is none."""
    file = root / ".callbacks" / "again-a-0-1-1.json"
    file.write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(NotOurTurnError) as error, turn_at(root, "a", 0, 1, pytest.fail):
        pass
    assert (error.value.file, error.value.holder) == (file, None)
    assert file.exists()


def test_a_strangers_id_leads_nowhere_else(root: Path) -> None:
    """It comes from a journal, which may be anybody's."""
    with turn_at(root, "../../x" + "y" * 300, 0, 1, lambda _: False):
        assert [name[:13] for name in left(root)] == ["again-______x"]


def test_where_no_file_can_be_made_that_is_an_error(tmp_path: Path) -> None:
    """And not somebody else's turn."""
    with pytest.raises(OSError, match=r"\.callbacks"), turn_at(tmp_path, "a", 0, 1, lambda _: True):
        pass
