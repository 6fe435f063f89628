"""A sweep whose jobs wait for a word, so that it can be looked at while some run and others wait; for every engine."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apps import TRACKERS, App
from click.testing import CliRunner

from hydra_callback_kit.cli.main import main
from hydra_plugins.hydra_callback_kit.config import OPTIONS

AT_MOST_S: Final = 150
"""How long anything is waited for."""

EVERYTHING_ON: Final = f"""
defaults:
  - callbacks: [{", ".join(each for each in OPTIONS if each not in ("detach_callback", "dry_run_callback", *TRACKERS))}]
  - _self_
x: 0
hydra:
  callbacks:
    conditional_callback: {{condition_key: x}}
    device_callback: {{devices: [{", ".join(map(str, range(16)))}], variable: DEVICE_OF_THE_JOB}}
    failure_limit_callback: {{max_failures: 9}}
    keep_best_callback: {{metric: double, mode: max}}
    results_aggregator_callback: {{output_file: [results.json, results.csv]}}
    resource_monitor_callback: {{interval_s: 0.2}}
    thread_safe_callback: {{output_file: jobs.json}}
    time_limit_callback: {{job_s: 300}}
    upload_callback: {{to: copies}}
    validation_callback: {{required_keys: [x], forbid_missing: true}}
"""
"""The config of an app with all callbacks on, but the one that lets nothing run."""

ONCE: Final = ("~hydra.callbacks.retry_callback", "~hydra.callbacks.time_limit_callback")
"""What tries jobs again, or waits for those that their launcher has given up, is off: the first attempt is looked at."""

PREAMBLE: Final = """
import socket
from pathlib import Path
def where():
    return socket.gethostname()
def batch_job():
    of_an_array = "SLURM_ARRAY_JOB_ID" in os.environ
    names = ("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID") if of_an_array else ("SLURM_JOB_ID",)
    return "_".join(os.environ.get(name, "") for name in names) or "none"
def note(directory, x, rank=0):
    made = Path(SCENE) / directory / f"{x}-{rank}-{os.environ.get('SLURM_RESTART_COUNT', '0')}"
    made.parent.mkdir(exist_ok=True)
    made.write_text(f"{os.getpid()} {batch_job()} {where()}")
def wait_for_the_word():
    for _ in range(2400):
        if (Path(SCENE) / "go").exists():
            return
        time.sleep(0.05)
"""

BODY: Final = """
rank = int(os.environ.get("SLURM_PROCID", "0"))
note("started", cfg.x, rank)
{strikes}
wait_for_the_word()
note("ended", cfg.x, rank)
return {{"double": 2 * cfg.x}} if rank == 0 else None
"""


@dataclass(frozen=True)
class Begun:
    """A job's process that has begun: who and where it is."""

    pid: int
    batch_job: str
    host: str


@dataclass
class Sweep:
    """An app and its sweep.

    Attributes:
        app: the app, written already.
        on: the overrides that choose the launcher and what it needs.
        process: the sweep's own process.
        scene: a directory that all its jobs see; None for the app's.
        environment: variables of the app.
    """

    app: App
    on: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    scene: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def _scene(self) -> Path:
        return self.scene or self.app.directory

    @property
    def root(self) -> Path:
        """The sweep's directory."""
        return self.app.directory / "out"

    def write(self, strikes: str = "pass", config: str = EVERYTHING_ON, preamble: str = "") -> None:
        """Writes the app; what strikes is a statement in its jobs."""
        body = BODY.format(strikes=strikes)
        self.app.write(body, config, f"SCENE = {str(self._scene)!r}\n{PREAMBLE}{preamble}")

    def start(self, *arguments: str) -> "Sweep":
        """Starts the sweep, and does not wait."""
        with (self.app.directory / "output").open("wb") as output:  # no pipe: what outlives the app would keep it open
            self.process = subprocess.Popen(
                self.app.command("-m", *self.on, *arguments),
                cwd=self.app.directory,
                env=self.app.environment(**self.environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def said(self) -> str:
        """All that it has printed."""
        output = self.app.directory / "output"
        return output.read_text("utf-8", "replace") if output.exists() else ""

    def go(self) -> None:
        """Tells all jobs, also those that are still to come, to reach their end."""
        (self._scene / "go").touch()

    def ended(self) -> int:
        """Waits until the sweep's own process has ended, and returns its exit code."""
        assert self.process is not None
        return self.process.wait(AT_MOST_S)

    def interrupt(self) -> int:
        """Presses Ctrl-C."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.ended()

    def kill(self) -> int:
        """Kills the sweep's own process alone."""
        assert self.process is not None
        self.process.kill()
        return self.ended()

    def begun(self, x: int, rank: int = 0, restart: int = 0) -> Begun:
        """Waits until a job's task function has begun."""
        file = self._scene / "started" / f"{x}-{rank}-{restart}"
        self.until(lambda: file.exists() and bool(file.read_text()), f"job {x} to begin")
        pid, job, host = file.read_text().split()
        return Begun(int(pid), job, host)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until something holds."""
        until(holds, lambda: f"waited for {what}\n{self.said()[-3_000:]}\n{self.command('show').output}")

    def command(self, name: str, *arguments: str) -> Any:
        """A command of ours on the sweep's directory, and what came of it."""
        return CliRunner().invoke(main, [name, str(self.root), *arguments])

    def shown(self) -> dict[str, Any]:
        """What `show --json` tells."""
        result = self.command("show", "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def statuses(self) -> dict[int, str]:
        """The status of each job that has one, as `show --json` tells."""
        return {job["job_num"]: job["status"] for job in self.shown()["jobs"]}

    def would_run_again(self, *options: str) -> list[int]:
        """The jobs that `rerun` lists."""
        return [int(x) for x in re.findall(r"\bx=(\d+)", self.command("rerun", *options).stdout)]

    def nothing_is_run_twice(self, *dead: int) -> None:
        """`rerun` lists the jobs that are known to be dead; with `--missing` no others, or refuses while the sweep runs."""
        listed, with_missing = self.would_run_again(), self.would_run_again("--missing")
        assert listed == sorted(dead), f"rerun lists {listed}\n{self.command('show').output}"
        refused = [] if self.shown()["status"] == "RUNNING" else listed
        assert with_missing in (listed, refused), f"rerun --missing lists {with_missing}\n{self.command('show').output}"

    def tells(self, name: str = "results.json") -> dict[int, str]:
        """The status of each job, as one of the sweep's files tells."""
        told = json.loads((self.root / name).read_text("utf-8"))
        return {job["job_num"]: job["status"] for job in (told["jobs"] if isinstance(told, dict) else told)}

    def files_tell(self, expected: dict[int, str]) -> None:
        """The sweep's files tell how its jobs ended, or `show` says that they are out of date."""
        assert self.statuses() == expected
        for name in ("results.json", "performance.json"):
            if self.tells(name) != expected:
                assert "out of date" in self.command("show").output, f"{name}: {self.tells(name)}, on record: {expected}"


def until(holds: Callable[[], bool], failed: Callable[[], str]) -> None:
    """Waits until something holds, and says what is the matter if it never does."""
    deadline = time.monotonic() + AT_MOST_S
    while not holds():
        assert time.monotonic() < deadline, failed()
        time.sleep(0.1)
