"""End to end: a sweep's progress on a real terminal and in a pipe."""

import os
import pty
import re
import signal
import struct
import subprocess
import termios
from fcntl import ioctl

import pyte
import pytest
from apps import ON_LAUNCHER, App

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
    """An app on a terminal, whose screen is kept."""

    def __init__(self, app: App, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.screen = pyte.HistoryScreen(COLUMNS, LINES, history=10_000, ratio=1)
        self.bars: set[str] = set()
        stream = pyte.ByteStream(self.screen)
        environment = app.environment(TERM="xterm-256color", PYTHONIOENCODING="utf-8")
        process = subprocess.Popen(
            app.command("-m", *arguments),
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
