"""The command line as people use it: in a process of its own, in a pipe or on a terminal."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "hydra_callback_kit"]


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> object:
        """What it printed, parsed strictly."""
        return json.loads(self.out, parse_constant=pytest.fail)

    def words(self) -> list[list[str]]:
        """The words of each line that is not empty."""
        return [line.split() for line in self.out.splitlines() if line.strip()]


def cli(*arguments: str | Path, cwd: Path | None = None, stdin: str | None = None, **extra: str) -> Said:
    """Runs `hydra-callback-kit` in a pipe."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(**extra),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def environment(**extra: str) -> dict[str, str]:
    """An environment without what could change what is printed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HYDRA_", "PYTHON", "COLUMNS", "LINES"))}
    return {**kept, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **extra}
