"""What is deleted in a directory, and that nothing else is."""

import os
import threading
from pathlib import Path, PurePosixPath

import pytest

from hydra_callback_kit.hooks.deleting import Clearing
from hydra_callback_kit.hooks.globs import Globs
from hydra_callback_kit.hooks.spared import Spared

SPARED = Spared(("*.log", ".hydra"), (PurePosixPath("0/other"),), (".hydra", "hydra.yaml"), ".callbacks")


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
    clearing = Clearing(Globs(globs), SPARED, (lambda _: "") if for_real else None)
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
    assert clearing.doubt == ("the directory 0 is a link" if link == "0" else "")
    (root.parent / "alias").symlink_to(root)
    assert cleared(root.parent / "alias", "**/*.ckpt").doubt == clearing.doubt


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


@pytest.mark.parametrize(
    "mark", ["0/.callbacks/run.jsonl", "job/.callbacks/run.jsonl", "0/d/.callbacks/x", "0/d/hydra.yaml"]
)
def test_what_another_run_has_marked_is_left(root: Path, mark: str) -> None:
    """The directory itself, one on the way to it, and one within."""
    deep = "0/job" if mark.startswith("job") else "0"
    if deep != "0":
        (root / "0").rename(root / "job")
        (root / "0").mkdir()
        (root / "job").rename(root / "0" / "job")
        mark = mark.replace("job", "0")
    (root / mark).parent.mkdir(exist_ok=True)
    (root / mark).touch()
    before = files(root)
    clearing = cleared(root, "d/**" if "/d/" in mark else "**", directory=deep)
    assert files(root) == before
    assert (clearing.files, clearing.doubt) == (
        0,
        "" if "/d/" in mark else "the directory 0 is another run's directory as well",
    )


@pytest.mark.parametrize("link", ["best", "0/best", "absolute"])
def test_the_directory_of_another_job_is_left_by_whatever_path_it_has_it(root: Path, link: str) -> None:
    """Also where the other job's path is a link, or leads through one, and where it lies within."""
    target = "0/d" if "/" in link else "0"
    (root / link).symlink_to(root / target)
    job = root.resolve() / target if link == "absolute" else PurePosixPath(link)
    spared = SPARED._replace(directories=[PurePosixPath("0"), PurePosixPath(job)])
    clearing = Clearing(Globs(["**/*.ckpt"]), spared, lambda _: "")
    clearing.clear(root, PurePosixPath("0"), "proof")
    assert (root / target / ("b.ckpt" if "/" in target else "a.ckpt")).exists()
    assert clearing.doubt == ("" if "/" in target else "its directory is another job's as well")


def test_where_nothing_may_go_nobody_looks_where_thousands_of_jobs_are(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what most jobs leave behind; but it is looked before the first file goes, and only once."""
    looked: list[int] = []
    really = Clearing.jobs_are_in
    monkeypatch.setattr(Clearing, "jobs_are_in", lambda self, told: (looked.append(self.files), really(self, told))[1])
    assert cleared(root, "*.pt").files == 0
    assert looked == []
    assert cleared(root, "**/*.ckpt").files > 1
    assert looked == [0]


def test_a_job_that_starts_in_the_directory_meanwhile(root: Path) -> None:
    """What it writes is there once it is listed anew, or is not what was listed; then it is heard of."""
    asked: list[int] = []

    def starts(clearing: Clearing) -> str:
        asked.append(clearing.files)
        if len(asked) == 1:
            (root / "0" / "a.ckpt").write_bytes(b"new")
        else:
            clearing.jobs_are_in([PurePosixPath("0/d")])
        return ""

    clearing = Clearing(Globs(["**/*.ckpt"]), SPARED, starts)
    clearing.clear(root, PurePosixPath("0"), "proof")
    assert (root / "0" / "a.ckpt").read_bytes() == b"new"
    assert (root / "0" / "d" / "b.ckpt").exists()
    assert (asked, clearing.files, clearing.doubt) == ([0, 0], 0, "its directory is another job's as well")


def test_it_is_asked_again_among_many_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only before the first of them."""
    monkeypatch.setattr("hydra_callback_kit.hooks.deleting._ASKED_EVERY_S", 0)
    for number in range(9):
        (root / "0" / "d" / f"{number}.ckpt").touch()
    clearing = Clearing(Globs(["d/*"]), SPARED, lambda clearing: "a job has started" if clearing.files > 2 else "")
    clearing.clear(root, PurePosixPath("0"), "proof")
    assert (clearing.files, clearing.doubt) == (3, "a job has started")


def test_what_is_older_than_the_run_is_left(root: Path) -> None:
    """It is an earlier run's."""
    os.utime(root / "0" / "a.ckpt", (1000, 1000))
    clearing = Clearing(Globs(["**/*.ckpt"]), SPARED._replace(since=2000), lambda _: "")
    clearing.clear(root, PurePosixPath("0"), "proof")
    assert (root / "0" / "a.ckpt").exists()
    assert (clearing.files, clearing.doubt) == (1, "some of it is older than the sweep")


def test_a_directory_on_another_file_system_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the job's own is one."""
    really, own = os.fstat, (root / "0").stat().st_ino

    def mounted(descriptor: int) -> os.stat_result:
        status = really(descriptor)
        return os.stat_result((*status[:2], status.st_dev + 1, *status[3:])) if status.st_ino == own else status

    monkeypatch.setattr(os, "fstat", mounted)
    assert cleared(root, "**").doubt == "the directory 0 is on another file system"
    assert (root / "0" / "a.ckpt").exists()


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
