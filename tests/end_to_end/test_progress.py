"""End to end: a sweep's progress on a real terminal and in a pipe."""

import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from fcntl import ioctl

import pyte
import pytest
from apps import ON_LAUNCHER, App
from terminal import COMMAND, cli

CONFIG = """
defaults:
  - callbacks: [logging_callback, progress_callback]
  - _self_
x: 0
"""
BODY = """
os.system("echo line of a child of job " + str(cfg.x))
time.sleep(0.3)
if cfg.x == 1:
    raise ValueError("boom")
if cfg.x == cfg.get("stop"):
    os.killpg(0, signal.SIGINT)
    time.sleep(30)
"""
LINES, COLUMNS = 12, 200


class Watched:
    """An app, or another command, on a terminal, whose screen is kept; or on one that another has left."""

    def __init__(
        self, app: App, *arguments: str, command: list[str] | None = None, screen: pyte.HistoryScreen | None = None
    ) -> None:
        ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.screen = screen or pyte.HistoryScreen(COLUMNS, LINES, history=10_000, ratio=1)
        self.bars: set[str] = set()
        stream = pyte.ByteStream(self.screen)
        environment = app.environment(TERM="xterm-256color", PYTHONIOENCODING="utf-8")
        process = subprocess.Popen(
            command or app.command("-m", *arguments),
            cwd=app.directory,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        while chunk := self._read(ours):
            stream.feed(chunk)
            self.bars.add(self.screen.display[-1].strip())
        os.close(ours)
        self.code = process.wait(60)

    @staticmethod
    def _read(terminal: int) -> bytes:
        try:
            return os.read(terminal, 1 << 16)
        except OSError:  # Linux says so when nobody holds the other end any more
            return b""

    def lines(self) -> list[str]:
        """All that went by, the screen included."""
        above = ["".join(line[column].data for column in range(COLUMNS)) for line in self.screen.history.top]
        return [line.rstrip() for line in (*above, *self.screen.display)]


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_the_bar_stays_below_what_is_printed(app: App, launcher: str) -> None:
    """It counts on the last line; no line of log, worker or child process is torn; at the end the terminal is as before."""
    app.write(BODY, CONFIG)
    watched = Watched(app, *ON_LAUNCHER[launcher], "x=range(8)")
    assert watched.code == 1
    assert any(re.search(r"^app \S+ [2-7]/8, 1 failed, \d running, .* left$", bar) for bar in watched.bars), watched.bars
    lines = watched.lines()
    assert sum("line of a child" in line for line in lines) == 8
    assert [line for line in lines if "line of a child" in line and not line.startswith("line of a child of job")] == []
    assert not any("━" in line for line in lines)
    assert watched.screen.margins is None or watched.screen.margins.bottom == LINES - 1
    assert sum(re.fullmatch(r"app: 8/8 jobs done, 1 failed, in .*", line) is not None for line in lines) == 1


def test_ctrl_c_leaves_a_clean_terminal(app: App) -> None:
    """The bar is gone, all lines scroll again, and the last line says how far it came."""
    app.write(BODY, CONFIG)
    watched = Watched(app, "x=0,2,3,4", "+stop=3")
    assert watched.code in (130, -signal.SIGINT)
    assert not any("━" in line for line in watched.lines())
    assert watched.screen.margins is None or watched.screen.margins.bottom == LINES - 1
    assert any(line.startswith("app: 2/4 jobs done, 1 interrupted, in") for line in watched.lines())


def test_in_a_pipe_there_are_plain_lines(app: App, launcher: str) -> None:
    """A line now and then, without control characters, and one at the end; nothing of it in the jobs' logs."""
    app.write(BODY, CONFIG)
    done = app.sweep(launcher, "x=0,1,2", "hydra.callbacks.progress_callback.interval_s=0.1")
    said = [line for line in done.stderr.splitlines() if line.startswith("app: ")]
    assert re.fullmatch(r"app: 3/3 jobs done, 1 failed, in [\d.]+ m?s", said[-1])
    assert len(said) > 2
    assert all(re.match(r"app: [0-3]/3 jobs done(, 1 failed)?, \d running", line) for line in said[:-1])
    assert "\x1b" not in done.stderr
    assert "jobs done" not in done.log(2)


FORKS = """
import threading
from importlib.machinery import PathFinder, SourceFileLoader

asked, forks = threading.Event(), threading.Event()

class Slow(SourceFileLoader):
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "rich.progress_bar":
            spec = PathFinder.find_spec(name, path)
            spec.loader = Slow(name, spec.origin)
            return spec

    def exec_module(self, module):
        asked.set()
        forks.wait(20)
        time.sleep(1)
        super().exec_module(module)

sys.meta_path.insert(0, Slow)

def child(does):
    forks.set()
    pid = os.fork()
    if pid == 0:
        try:
            does()
        finally:
            os._exit(0)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            print("CHILD ENDED", flush=True)
            return
        time.sleep(0.05)
    os.kill(pid, 9)
    print("CHILD HANGS", flush=True)
"""


def test_a_child_that_is_forked_while_the_bar_is_imported(app: App) -> None:
    """It can import the same."""
    app.write("assert asked.wait(20)\nchild(lambda: __import__('rich.progress_bar'))", CONFIG, FORKS)
    watched = Watched(app, "x=1")
    assert any("CHILD ENDED" in line for line in watched.lines()), watched.lines()


def test_a_child_that_is_forked_while_a_line_is_written(app: App) -> None:
    """Nobody reads the pipe, so the line waits; the child that is forked meanwhile can write as soon as somebody does.

    By the second job somebody reads, and who fills a pipe that is read may never be done.
    """
    body = """
    if cfg.x == 2:
        return
    os.set_blocking(2, False)
    try:
        while True:
            os.write(2, b"." * 65536)
    except BlockingIOError:
        pass
    try:
        while True:
            os.write(2, b".")
    except BlockingIOError:
        os.set_blocking(2, True)
    time.sleep(2)
    print("FULL", flush=True)
    child(lambda: (time.sleep(1), sys.stderr.write("child\\n"), sys.stderr.flush()))
    """
    app.write(body, CONFIG.replace("logging_callback, ", ""), FORKS)
    arguments = ("-m", "x=1,2", "hydra.sweep.dir=out", "hydra.callbacks.progress_callback.interval_s=0.1")
    with app.start(*arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = ""
        while "FULL" not in said:
            said += process.stdout.readline()
        reader = threading.Thread(target=process.stderr.read)
        reader.start()
        said += process.stdout.read()
        reader.join()
    assert process.returncode == 0
    assert "CHILD ENDED" in said
    assert "CHILD HANGS" not in said


def test_the_next_command_puts_the_terminal_right_after_a_kill(app: App) -> None:
    """`kill -9` leaves the region set. A command of ours in the same terminal lets it all scroll; a pipe gets no codes."""
    app.write("time.sleep(1)\nos.kill(os.getpid(), signal.SIGKILL)", CONFIG)
    watched = Watched(app, "x=1")
    assert watched.code == -signal.SIGKILL
    assert watched.screen.margins is not None
    assert watched.screen.margins.bottom == LINES - 2
    shown = Watched(app, command=[*COMMAND, "show", "out"], screen=watched.screen)
    assert shown.code == 0
    assert watched.screen.margins is None or watched.screen.margins.bottom == LINES - 1
    assert "\x1b" not in cli("show", "out", cwd=app.directory).out


def test_a_live_bar_takes_its_line_again(app: App) -> None:
    """Another command in the same terminal has let it all scroll."""
    body = (
        "time.sleep(1.5)\n"
        r"os.write(1, b'\x1b7\x1b[r\x1b8')"
        "\ntime.sleep(1.5)\nfor n in range(20):\n    print('line', n, flush=True)\ntime.sleep(1)"
    )
    app.write(body, CONFIG)
    watched = Watched(app, "x=1")
    assert not any("━" in line for line in watched.lines())


def test_a_file_that_got_the_number_of_stderr(app: App) -> None:
    """As of a task that closes its stderr and opens one: nothing of the bar is in it."""
    app.write(
        "os.dup2(os.open('mine', os.O_CREAT | os.O_WRONLY), 2, inheritable=False)\ntime.sleep(2)\nos.close(2)\n", CONFIG
    )
    watched = Watched(app, "x=1")
    assert (app.directory / "mine").read_bytes() == b""
    assert any("1/1" in bar or "0/1" in bar for bar in watched.bars)
    app.run("-m", "x=1", "hydra.callbacks.progress_callback.interval_s=0.1")
    assert (app.directory / "mine").read_bytes() == b""
