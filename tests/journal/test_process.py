"""Processes: which one it is, and whether it is still there."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from namespaces import in_a_namespace

from hydra_callback_kit.journal import process
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, neighbour, started_at, this_process


def test_a_process_is_told_from_a_later_one_with_its_pid() -> None:
    """This one lives; one of the same pid born at another time, and one that ended, do not; another host's can't be seen."""
    me = this_process()
    assert is_alive(me) is True
    if me.born is not None:
        boot, _, place = me.born.partition(":")
        assert is_alive(me._replace(born=f"{boot}:9{place}")) is False
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_alive(ProcessIdentity(me.host, 10**300, None)) is False
    assert is_alive(ProcessIdentity(me.host, ended.pid, None)) is False
    assert is_alive(ProcessIdentity("elsewhere", me.pid, me.born)) is None


def test_another_users_process_is_there_as_far_as_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not tell when it was started, nobody knows whether it is the same."""
    me = this_process()

    def not_allowed(pid: int, signal: int) -> None:
        raise PermissionError(pid, signal)

    monkeypatch.setattr("os.kill", not_allowed)
    monkeypatch.setattr(process, "_start", lambda pid: "5")
    assert is_alive(me) is (me.born is None)
    monkeypatch.setattr(process, "_start", lambda pid: None)
    assert is_alive(me) is None


def seen_from(monkeypatch: pytest.MonkeyPatch, born: str | None) -> ProcessIdentity:
    """This process, as if the system said this of its start; every process there is was started at 5."""
    me = this_process()._replace(born=born)
    monkeypatch.setattr(process, "_this_process", (me, "ab"))
    monkeypatch.setattr(process, "_start", lambda pid: "5")
    monkeypatch.setattr(process, "_is_proc_ours", lambda: True)
    return me


@pytest.mark.parametrize(
    ("here", "there", "answer"),
    [
        ("boot:1", "boot:5", True),
        ("boot:1", "boot:6", False),
        ("boot:1:77", "boot:5:77", True),
        ("boot:1:77", "boot:6:77", False),
        ("later:1", "boot:5", False),  # the machine was started again
        ("later:1:77", "boot:5:77", None),  # a container of the same host name, perhaps on another machine
        ("later:1:77", "boot:5", None),
        ("later:1", "boot:5:77", None),
        ("boot:1", "boot:5:77", None),  # other containers
        ("boot:1:77", "boot:5", None),
        ("boot:1:77", "boot:5:78", None),
        (None, "boot:5", None),  # no /proc here, or another operating system
        (None, "boot:5:77", None),
        ("boot:1", None, True),
        ("boot:1", "damaged", False),
    ],
)
def test_what_lives_elsewhere_is_not_known(
    monkeypatch: pytest.MonkeyPatch, here: str | None, there: str | None, answer: bool | None
) -> None:
    """In another container, say; what a machine started before it was started again is gone."""
    me = seen_from(monkeypatch, here)
    assert is_alive(me._replace(born=there)) is answer


def test_a_proc_of_another_namespace_says_only_who_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pids in it are others: whether a process of that number is the same one is not known."""
    me = seen_from(monkeypatch, "boot:1:77")
    monkeypatch.setattr(process, "_is_proc_ours", lambda: False)
    assert is_alive(me._replace(born="boot:5:77")) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_alive(ProcessIdentity(me.host, ended.pid, "boot:5:77")) is False


@pytest.mark.namespaces
@pytest.mark.parametrize("proc", [True, False])
def test_process_1_of_one_container_is_not_that_of_another(proc: bool) -> None:
    """Both have the same host name and the same pid; neither is taken for the other, nor for gone."""
    code = """
import os, sys
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, neighbour, started_at, this_process
me = this_process()
ended = os.spawnlp(os.P_NOWAIT, "true", "true")
os.waitpid(ended, 0)
print([*me], is_alive(me), is_alive(me._replace(pid=ended)), flush=True)
print(is_alive(ProcessIdentity(*eval(input()))))
"""
    command = in_a_namespace([sys.executable, "-c", code], proc=proc)
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    both = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]
    said = []
    for each in both:
        assert each.stdout is not None
        identity, _, rest = each.stdout.readline().partition("]")
        assert rest == (" True False\n" if proc else " None False\n")
        said.append(identity + "]")
    first, second = (ProcessIdentity(*eval(identity)) for identity in said)  # noqa: S307  what was printed above
    assert (first.host, first.pid) == (second.host, second.pid) == (this_process().host, 1)
    assert is_alive(first) is is_alive(second) is None
    assert both[0].communicate(said[1] + "\n")[0] == both[1].communicate(repr([*this_process()]) + "\n")[0] == "None\n"
    assert os.getpid() != 1


class Proc:
    """Files and links below /proc, as a kernel has them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], links: dict[str, str]) -> None:
        """They are all that there is, until the test is over."""

        def read_text(path: Path, encoding: str) -> str:
            assert encoding == "utf-8"
            if path.as_posix() not in files:
                raise FileNotFoundError(path)
            return files[path.as_posix()]

        def readlink(path: Path) -> Path:
            if path.as_posix() not in links:
                raise FileNotFoundError(path)
            return Path(links[path.as_posix()])

        monkeypatch.setattr(Path, "read_text", read_text)
        monkeypatch.setattr(Path, "readlink", readlink)


STAT = "7 (a) b) S 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 1200 22 23"
FILES = {"/proc/self/stat": STAT, "/proc/8/stat": STAT.replace("1200", "1300"), "/proc/sys/kernel/random/boot_id": "b-1\n"}


@pytest.mark.parametrize(
    ("namespace", "born"),
    [("pid:[4026531836]", "b-1:1200"), ("pid:[4026532001]", "b-1:1200:4026532001"), (None, "b-1:1200")],
)
def test_a_start_is_told_with_the_boot_and_the_container(
    monkeypatch: pytest.MonkeyPatch, namespace: str | None, born: str
) -> None:
    """The machine's own namespace is not named, nor one that the kernel does not have."""
    Proc(monkeypatch, FILES, {} if namespace is None else {"/proc/self/ns/pid": namespace})
    assert process._born() == born


@pytest.mark.parametrize("lacking", ["/proc/self/stat", "/proc/sys/kernel/random/boot_id"])
def test_a_start_that_is_half_known_is_not_known(monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    """Without a boot the kernel's time says nothing, and the other way round."""
    Proc(monkeypatch, {path: text for path, text in FILES.items() if path != lacking}, {})
    assert process._born() is None


@pytest.mark.parametrize(("here", "there"), [("b:1", "b:1300"), ("b:1:77", "b:1300:77")])
def test_a_neighbour_was_born_in_the_same_place(monkeypatch: pytest.MonkeyPatch, here: str, there: str) -> None:
    """At the time that the kernel says, or that is known already; who is gone was born at no time."""
    Proc(monkeypatch, FILES, {})
    me = this_process()._replace(pid=os.getpid(), born=here)
    monkeypatch.setattr(process, "_this_process", (me, "ab"))
    assert neighbour(8) == ProcessIdentity(me.host, 8, there)
    assert neighbour(8, "5") == ProcessIdentity(me.host, 8, there.replace("1300", "5"))
    assert neighbour(9) == ProcessIdentity(me.host, 9, None)
    monkeypatch.setattr(process, "_this_process", (me._replace(born=None), "ab"))
    assert neighbour(8) == neighbour(8, "5") == ProcessIdentity(me.host, 8, None)


def test_when_this_process_was_started_is_counted_from_the_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the kernel's ticks; where it does not tell, the import of the module counts."""
    monkeypatch.setattr(os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__, raising=False)
    monkeypatch.setattr(time, "time", lambda: 5_000.0)
    Proc(monkeypatch, {**FILES, "/proc/uptime": "1000.5 4.25\n"}, {})
    assert started_at() == 5_000 - 1_000.5 + 12
    Proc(monkeypatch, FILES, {})
    assert started_at() == process._imported_at
    Proc(monkeypatch, {"/proc/uptime": "1000.5 4.25\n"}, {})
    assert started_at() == process._imported_at
