"""What is deleted in a directory, and that nothing else is."""

import os
import threading
from pathlib import Path, PurePosixPath

import pytest

from hydra_callback_kit.hooks.deleting import Clearing, Spared
from hydra_callback_kit.hooks.globs import Globs

SPARED = Spared(("*.log", ".hydra"), (PurePosixPath("0/other"),), (".hydra",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A sweep's directory with a job, and something beside it."""
    for file in ("out/proof", "out/0/a.ckpt", "out/0/app.log", "out/0/d/b.ckpt", "out/0/other/c.ckpt", "elsewhere/d.ckpt"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(bytes(10))
    (tmp_path / "out/0/link").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "out"


def cleared(root: Path, *globs: str, directory: str = "0", proof: str = "proof", for_real: bool = True) -> Clearing:
    """Deletes what matches."""
    clearing = Clearing(Globs(globs), SPARED, for_real=for_real)
    clearing.clear(root, PurePosixPath(directory), proof)
    return clearing


def files(root: Path) -> set[str]:
    """What lies below a directory and is no directory."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir() or path.is_symlink()}


def test_all_goes_but_what_is_spared(root: Path) -> None:
    """A directory that matches goes whole, a link without what it leads to, a file's size counts once."""
    os.link(root / "0" / "a.ckpt", root / "second name")
    clearing = cleared(root, "**")
    assert files(root.parent) == {"out/proof", "out/second name", "out/0/app.log", "out/0/other/c.ckpt", "elsewhere/d.ckpt"}
    assert (clearing.files, clearing.size_bytes, clearing.errors) == (3, 10, [])
    assert not (root / "0" / "d").exists()


def test_it_is_only_counted_where_that_is_asked(root: Path) -> None:
    """The same figures, and all is there."""
    before = files(root)
    clearing = cleared(root, "**/*.ckpt", for_real=False)
    assert (clearing.files, clearing.size_bytes) == (2, 20)
    assert files(root) == before


@pytest.mark.parametrize("link", ["0/d", "0"])
def test_no_link_is_followed(root: Path, link: str) -> None:
    """Neither one within the directory nor the directory itself; a link that leads to the root is the user's."""
    (root / link).rename(root.parent / "moved")
    (root / link).symlink_to(root.parent / "moved")
    kept = files(root.parent / "moved")
    clearing = cleared(root, "d/*", "**/*.ckpt")
    assert files(root.parent / "moved") == kept
    assert bool(clearing.errors) is (link == "0")
    (root.parent / "alias").symlink_to(root)
    assert not cleared(root.parent / "alias", "*.ckpt", directory="0/d" if link == "0" else "0").errors or link == "0"


def test_another_directory_at_the_roots_name_is_left(root: Path) -> None:
    """It does not hold the proof."""
    assert cleared(root, "**", proof=".callbacks/gone.jsonl").files == 0
    assert (root / "0" / "a.ckpt").exists()


def test_a_directory_that_is_swapped_for_a_link_all_the_time(root: Path) -> None:
    """Whatever moment it is, what the link leads to is untouched."""
    outside = root.parent / "outside"
    outside.mkdir()
    kept = {f"{number}.ckpt" for number in range(50)}
    for name in kept:
        (outside / name).touch()
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (root / "0" / "d").rename(root / "0" / "hidden")
            (root / "0" / "d").symlink_to(outside)
            (root / "0" / "d").unlink()
            (root / "0" / "hidden").rename(root / "0" / "d")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(300):
            cleared(root, "d/*.ckpt")
    finally:
        stop.set()
        swapping.join()
    assert {path.name for path in outside.iterdir()} == kept


def test_what_cannot_be_deleted_is_told_and_the_rest_goes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One error does not end it."""
    really = os.unlink

    def refuse(name: str, *, dir_fd: int) -> None:
        if name == "a.ckpt":
            raise PermissionError(13, "Permission denied", name)
        really(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    clearing = cleared(root, "**/*.ckpt")
    assert [error.filename for error in clearing.errors] == ["a.ckpt"]
    assert not (root / "0" / "d" / "b.ckpt").exists()
