"""The claims of a machine: who has one, who gets none, and what becomes of it when its process goes."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from namespaces import in_a_namespace

from hydra_callback_kit.devices.lock_file import FILE_VARIABLE, LockFile, _part, file_of_claims
from hydra_callback_kit.devices.wanted import DeviceError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="forks, users and modes")

TAKES = """
import os, sys, time
from pathlib import Path
from hydra_callback_kit.devices.lock_file import LockFile
path, share, shares, *keys = sys.argv[1:]
file = LockFile(Path(path))
print(file.take(keys, int(share), int(shares)), sorted(file.holders(keys)), flush=True)
"""
WAITS = "sys.stdin.readline()\n"


def takes(path: Path, *keys: str, share: int = 0, shares: int = 1, then: str = "") -> subprocess.Popen[str]:
    """Another process that tries to take a share of each of these."""
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, "-c", TAKES + then, str(path), str(share), str(shares), *keys], text=True, **pipes
    )


def taken(path: Path, *keys: str, share: int = 0, shares: int = 1) -> bool:
    """Whether another process could have taken it; it ends at once."""
    return takes(path, *keys, share=share, shares=shares).communicate(timeout=60)[0].startswith("True")


def said(process: subprocess.Popen[str]) -> str:
    """What it has printed first."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_one_process_has_it_until_it_is_killed(tmp_path: Path) -> None:
    """Others are told which one; nothing is written; a killed process has it no longer."""
    path = tmp_path / "claims"
    holder = takes(path, "a", "b", then=WAITS)
    assert said(holder) == "True []"
    other = takes(path, "b", "c")
    found = f"False [{holder.pid}]" if sys.platform in ("linux", "darwin") else "False []"
    assert other.communicate()[0].strip() == found
    assert taken(path, "c")  # of what it could not have whole it has kept nothing
    assert path.read_bytes() == b""
    holder.kill()
    holder.communicate()
    assert taken(path, "a", "b")


@POSIX
def test_a_child_that_outlives_the_holder_has_nothing(tmp_path: Path) -> None:
    """As the workers of a DataLoader do, whose parent is killed."""
    path = tmp_path / "claims"
    forks = """
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
os.kill(os.getpid(), 9)
"""
    holder = takes(path, "a", then=forks)
    assert said(holder) == "True []"
    child = int(said(holder))
    holder.wait()
    try:
        os.kill(child, 0)
        assert taken(path, "a")
    finally:
        os.kill(child, signal.SIGKILL)
        holder.communicate()


@POSIX
def test_a_child_that_ends_takes_nothing_away(tmp_path: Path) -> None:
    """Also one that has looked at the claims by itself."""
    path = tmp_path / "claims"
    forks = (
        """
child = os.fork()
if child == 0:
    assert not LockFile(Path(path)).take(keys, 0, 1)
    os._exit(0)
print(os.waitpid(child, 0)[1], flush=True)
"""
        + WAITS
    )
    holder = takes(path, "a", then=forks)
    assert [said(holder), said(holder)] == ["True []", "0"]
    assert not taken(path, "a")
    holder.communicate("\n")


@given(st.integers(1, 1000), st.integers(1, 1000), st.data())
def test_shares_meet_where_they_are_of_the_same(many: int, others: int, data: st.DataObject) -> None:
    """Those of one size never do; of two sizes exactly those that overlap, give or take a byte of a million."""
    first, second = data.draw(st.integers(0, many - 1)), data.draw(st.integers(0, others - 1))
    start, length = _part("a", first, many)
    other_start, other_length = _part("a", second, others)
    meet = start < other_start + other_length and other_start < start + length
    overlap = min(Fraction(first + 1, many), Fraction(second + 1, others)) - max(
        Fraction(first, many), Fraction(second, others)
    )
    assert length > 0
    if many == others:
        assert meet == (first == second)
    elif overlap > Fraction(2, 1 << 20):
        assert meet
    elif overlap < -Fraction(2, 1 << 20):
        assert not meet


def test_a_device_is_shared_by_as_many_as_are_told_so(tmp_path: Path) -> None:
    """Two halves are two jobs; who wants it alone gets it once both have gone."""
    path = tmp_path / "claims"
    halves = [takes(path, "a", share=share, shares=2, then=WAITS) for share in (0, 1)]
    assert [said(half).split()[0] for half in halves] == ["True", "True"]
    assert not taken(path, "a", share=1, shares=2)
    halves[0].communicate("\n")
    assert taken(path, "a", share=0, shares=2)
    assert not taken(path, "a")
    halves[1].communicate("\n")
    assert taken(path, "a")


@POSIX
def test_it_is_made_for_everybody(tmp_path: Path) -> None:
    """Whatever the umask of the first user; nothing else is left beside it."""
    path = tmp_path / "claims"
    before = os.umask(0o077)
    try:
        LockFile(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o666
    assert [each.name for each in tmp_path.iterdir()] == ["claims"]


@pytest.fixture
def in_tmp() -> Iterator[Path]:
    """A directory in which everybody may make files, and remove their own."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o1777)
    yield directory
    shutil.rmtree(directory)


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user")
def test_claims_are_those_of_all_users(in_tmp: Path) -> None:
    """In a directory like `/tmp`, with what Linux forbids there: ours holds for nobody, and nobody's for us."""
    path = in_tmp / "claims"
    as_nobody = """
import os
os.setuid(65534)
"""
    mine = takes(path, "a", then=WAITS)
    assert said(mine) == "True []"
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    code = TAKES.replace("path, share", f"{as_nobody}path, share", 1) + WAITS
    theirs = subprocess.Popen([sys.executable, "-c", code, str(path), "0", "1", "b"], text=True, **pipes)
    assert said(theirs) == "True []"
    refused = subprocess.run(
        [sys.executable, "-c", code, str(path), "0", "1", "a"], text=True, input="\n", capture_output=True, check=True
    )
    assert refused.stdout.strip() == f"False [{mine.pid}]"
    assert not taken(path, "b")
    mine.communicate("\n")
    theirs.communicate("\n")


@pytest.mark.namespaces
def test_a_container_that_sees_the_file_sees_the_claims(tmp_path: Path) -> None:
    """Its process 1 has a claim that nobody outside gets, and that goes with it."""
    path = tmp_path / "claims"
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    command = in_a_namespace([sys.executable, "-c", TAKES + WAITS, str(path), "0", "1", "a"])
    inside = subprocess.Popen(command, text=True, **pipes)
    assert said(inside) == "True []"
    assert not taken(path, "a")
    inside.kill()
    inside.communicate()
    until = time.monotonic() + 10
    while not taken(path, "a"):
        assert time.monotonic() < until


@POSIX
@pytest.mark.parametrize("what", ["directory", "link", "pipe", "nowhere"])
def test_what_is_no_file_of_claims_is_said(tmp_path: Path, what: str) -> None:
    """Where it is, whose, and what to do; nobody waits for a pipe, and no link is followed."""
    path = tmp_path / "claims"
    if what == "directory":
        path.mkdir()
    elif what == "link":
        (tmp_path / "other").touch()
        path.symlink_to(tmp_path / "other")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path = tmp_path / "not" / "there"
    with pytest.raises(DeviceError, match=rf"No device can be claimed by {path} \(.*{FILE_VARIABLE}"):
        LockFile(path)


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """In no directory of a user's or a session's, unless the environment names one."""
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    monkeypatch.setenv("TMPDIR", "/somewhere/else")
    if sys.platform != "win32":
        assert file_of_claims() == Path("/tmp/hydra-callback-kit-device-claims")  # noqa: S108  what is promised
    monkeypatch.setenv(FILE_VARIABLE, "/mnt/claims")
    assert file_of_claims() == Path("/mnt/claims")


def test_a_file_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    """A claim on the old one says nothing to those who open the new one."""
    path = tmp_path / "claims"
    file = LockFile(path)
    assert file.is_there()
    path.unlink()
    assert not file.is_there()
    path.touch()
    assert not file.is_there()
