"""Real apps, started in a subprocess under a real launcher, and what they leave behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hydra
import pytest

from hydra_callback_kit.journal.reader import read_run

HYDRA_VERSION = tuple(int(part) for part in hydra.__version__.split(".")[:2])
LAUNCHERS = ("basic", "joblib", "submitit_local")
MOST_LAUNCHERS = ("basic", "joblib", pytest.param("submitit_local", marks=pytest.mark.nightly))
"""For what is the same in any process that is not the sweep's own: submitit starts one for each job, which takes long."""
ON_LAUNCHER = {
    "basic": [],
    "joblib": ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
    "submitit_local": ["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5"],
    "ray": ["hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.include_dashboard=false"],
}
TRACKERS = ("mlflow_callback", "wandb_callback")
"""The options whose libraries only the stage of the trackers installs; each has a mark of its library's name."""
VERSION_BASE = {"version_base": None} if HYDRA_VERSION < (1, 4) else {}
"""What `initialize_config_dir` wants besides: 1.3 warns without it, 1.4 with it."""
NO_TORN_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For an app that may write no large file: Python would leave half of a module's bytecode behind, and fail to read it."""
MAIN_ARGUMENTS = (
    'version_base=None, config_path=".", config_name="config"'
    if HYDRA_VERSION < (1, 4)
    else 'config_path=".", config_name="config", execution_whitelist=["hydra_callback_kit.*", "__main__.*"]'
)


def without_numbers(text: str) -> str:
    """A text in which hidden secrets have no numbers, which are different in each run."""
    return re.sub(r"<redacted [0-9]+>", "<redacted>", text)


@dataclass(frozen=True)
class Finished:
    """What an app left behind: its exit code, what it printed, and its files."""

    code: int
    stdout: str
    stderr: str
    directory: Path

    @property
    def root(self) -> Path:
        """The run's or sweep's directory, `out` below the app's."""
        return self.directory / "out"

    def json(self, name: str) -> object:
        """A JSON file below the root, parsed strictly; hidden secrets have no numbers."""
        return json.loads(without_numbers((self.root / name).read_text("utf-8")), parse_constant=pytest.fail)

    def log(self, job: int | str = "") -> str:
        """The log file of a job, or of a single run; hidden secrets have no numbers."""
        return without_numbers((self.root / str(job) / "app.log").read_text("utf-8"))


@dataclass(frozen=True)
class App:
    """A Hydra app in a directory of its own, as a user would write it."""

    directory: Path

    def write(self, body: str, config: str = "x: 0", preamble: str = "") -> None:
        """Writes `app.py`, whose task function has this body, and `config.yaml`."""
        source = "\n".join(
            [
                "import os, signal, sys, time",
                "import hydra",
                textwrap.dedent(preamble),
                f"@hydra.main({MAIN_ARGUMENTS})",
                "def main(cfg):",
                textwrap.indent(textwrap.dedent(body).strip(), "    "),
                'if __name__ == "__main__":',
                "    main()",
            ]
        )
        (self.directory / "app.py").write_text(source + "\n", "utf-8")
        (self.directory / "config.yaml").write_text(textwrap.dedent(config).strip() + "\n", "utf-8")

    def command(self, *arguments: str) -> list[str]:
        """The command that starts the app, its output in `out`."""
        directory = "hydra.sweep.dir=out" if "-m" in arguments else "hydra.run.dir=out"
        given = any(argument.startswith(directory.partition("=")[0] + "=") for argument in arguments)
        return [sys.executable, "app.py", *arguments, *([] if given else [directory])]

    def environment(self, **extra: str) -> dict[str, str]:
        """An environment without what could change the app's behaviour."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HYDRA_", "PYTHON"))}
        claims = str(self.directory / "device-claims")  # no test waits for another, nor for whoever uses the machine
        return {
            **kept,
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
            "HYDRA_CALLBACK_KIT_DEVICE_CLAIMS": claims,
            **extra,
        }

    def run(self, *arguments: str, timeout_s: float = 120, **environment: str) -> Finished:
        """Starts the app and waits for its end."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            start_new_session=True,  # an app may then interrupt itself and its workers, as Ctrl-C does
        )
        return Finished(done.returncode, without_numbers(done.stdout), without_numbers(done.stderr), self.directory)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Starts the app, which has pipes for its streams, and does not wait."""
        return self.start_command(self.command(*arguments), **environment)

    def start_command(self, command: Sequence[str], **environment: str) -> subprocess.Popen[str]:
        """Starts a command that starts the app, as above."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(
            command, cwd=self.directory, env=self.environment(**environment), text=True, start_new_session=True, **pipes
        )

    def run_and_interrupt(self, *arguments: str, at: Sequence[str]) -> Finished:
        """Starts the app and presses Ctrl-C each time that what it has printed since matches the next of these."""
        process = self.start(*arguments)
        assert process.stdout is not None
        printed, left, since = "", list(at), ""
        for line in process.stdout:
            printed, since = printed + line, since + line
            if left and re.search(left[0], since, re.DOTALL):
                del left[0]
                since = ""
                process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert not left, f"never printed: {left}"
        return Finished(process.returncode, printed, errors, self.directory)

    def sweep(self, launcher: str, *arguments: str, timeout_s: float = 120, **environment: str) -> Finished:
        """Starts the app as a sweep under a launcher and waits for its end."""
        return self.run("-m", *ON_LAUNCHER[launcher], *arguments, timeout_s=timeout_s, **environment)

    def sweep_and_be_killed(self, launcher: str, *arguments: str) -> None:
        """Starts the app as a sweep whose parent is killed in its middle."""
        with (self.directory / "said").open("w") as said:
            process = subprocess.Popen(
                self.command("-m", *ON_LAUNCHER[launcher], *arguments),
                cwd=self.directory,
                env=self.environment(),
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            assert process.wait(120) == -signal.SIGKILL
        if launcher == "joblib":  # its workers go on with what they were given, and wait for more
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def wait_for_what_outlives(self) -> None:
        """Waits for the jobs of a sweep whose parent was killed."""
        until_s = time.monotonic() + 60
        while read_run(self.directory / "out").status == "RUNNING":
            assert time.monotonic() < until_s
            time.sleep(0.2)


def end_what_is_left(directory: Path) -> None:
    """Ends the processes that run in a directory, as Linux tells."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is somebody else's
            if link.readlink().is_relative_to(directory) and int(link.parent.name) != os.getpid():
                os.kill(int(link.parent.name), signal.SIGKILL)
