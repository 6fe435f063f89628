"""How files get to their places, and what becomes of what lies there."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from intruders import INTRUDERS, looked_at

from hydra_callback_kit.views.files import make_room, put_in_place, put_where_told, set_aside


def never(path: Path) -> bool:
    """Nothing is ours."""
    return False


def test_a_device_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others use it."""
    place = tmp_path / "null"
    place.touch()  # only root can make one
    monkeypatch.setattr(stat, "S_ISCHR", stat.S_ISREG)
    with pytest.raises(FileExistsError, match="is a device"):
        set_aside(place)
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_what_is_not_ours_is_kept_as_it_is(tmp_path: Path, intruder: str) -> None:
    """Whatever it is, it gets another name, and no link is followed; what has such a name already stays, too."""
    place, told = tmp_path / "r.csv", []
    (tmp_path / "r.csv.bak").symlink_to("/nowhere")
    INTRUDERS[intruder](place)
    before = looked_at(place)
    with put_in_place(place, never, lambda *names: told.append(names)) as temporary:
        temporary.write_text("ours", "utf-8")
        assert looked_at(place) == before
    assert told == [(place, tmp_path / "r.csv.bak2")]
    assert looked_at(place) == (stat.S_IFREG, b"ours")
    assert looked_at(tmp_path / "r.csv.bak2") == before
    assert (tmp_path / "r.csv.bak").is_symlink()


def test_nothing_is_put_in_place_or_set_aside_when_writing_fails(tmp_path: Path) -> None:
    """What was there before is still there, and no temporary file is left."""
    (tmp_path / "r.json").write_text("before", "utf-8")

    def fail() -> None:
        with put_in_place(tmp_path / "r.json", never, pytest.fail) as temporary:
            temporary.write_text("half", "utf-8")
            raise TypeError

    with pytest.raises(TypeError):
        fail()
    assert [file.name for file in tmp_path.iterdir()] == ["r.json"]
    assert (tmp_path / "r.json").read_text("utf-8") == "before"


def test_what_cannot_be_set_aside_leaves_no_name_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the system's."""
    (tmp_path / "r").write_text("mine", "utf-8")

    def refuse(*names: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        set_aside(tmp_path / "r")
    assert [file.name for file in tmp_path.iterdir()] == ["r"]


def test_of_many_that_set_something_aside_at_once_none_loses_anything(tmp_path: Path) -> None:
    """Every name is given to one."""
    place, over = tmp_path / "r", threading.Event()

    def keep() -> None:
        while not over.is_set():
            make_room(place, never, lambda *names: None)

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(50):
        (tmp_path / "new").write_text(f"{number:02}", "utf-8")
        (tmp_path / "new").rename(place)
        while place.exists():
            pass
    over.set()
    for thread in threads:
        thread.join()
    kept = sorted(file.read_text("utf-8") for file in tmp_path.iterdir())
    assert kept == [f"{number:02}" for number in range(50)]


class TestWhatAPersonNames:
    """`-o FILE` on the command line: as every other tool does it."""

    def write(self, path: Path, content: str = "new") -> None:
        """Writes a file."""
        with put_where_told(path) as temporary:
            temporary.write_text(content, "utf-8")

    def test_it_is_written_over(self, tmp_path: Path) -> None:
        """Its permissions stay."""
        (tmp_path / "r").write_text("before", "utf-8")
        (tmp_path / "r").chmod(0o600)
        self.write(tmp_path / "r")
        self.write(tmp_path / "made" / "r")
        assert (tmp_path / "r").read_text("utf-8") == (tmp_path / "made" / "r").read_text("utf-8") == "new"
        assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o600
        assert sorted(file.name for file in tmp_path.iterdir()) == ["made", "r"]

    @pytest.mark.parametrize("is_there", [True, False])
    def test_links_are_followed(self, tmp_path: Path, is_there: bool) -> None:
        """Also those that lead to a file that is not there yet."""
        if is_there:
            (tmp_path / "file").write_text("before", "utf-8")
        (tmp_path / "link").symlink_to("file")
        self.write(tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "file").read_text("utf-8") == "new"

    def test_what_is_no_file_is_written_to(self, tmp_path: Path) -> None:
        """A pipe, or a device as `/dev/stdout`."""
        os.mkfifo(tmp_path / "pipe")
        read: list[str] = []
        reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text("utf-8")))
        reader.start()
        self.write(tmp_path / "pipe")
        reader.join()
        assert read == ["new"]
        assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)

    @pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(path)], ids=["directory", "loop"])
    def test_what_cannot_be_written_is_an_error_of_the_system(self, tmp_path: Path, make: Callable[[Path], None]) -> None:
        """A directory, a link to itself."""
        make(tmp_path / "r")
        before = looked_at(tmp_path / "r") if (tmp_path / "r").is_dir() else None
        with pytest.raises(OSError, match="r"):
            self.write(tmp_path / "r")
        assert before is None or looked_at(tmp_path / "r") == before
