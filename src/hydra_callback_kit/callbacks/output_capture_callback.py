"""`output_capture_callback`: what a job writes to stdout and stderr, whoever writes it, is kept in a file of the job's."""

import datetime as dt
import functools
import operator
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.capture.captured import STDERR, STDOUT, Capture
from hydra_callback_kit.capture.streams import python_writes_elsewhere
from hydra_callback_kit.capture.tail import last_lines
from hydra_callback_kit.configs.identity import identify_job, identify_run
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks import parameters
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.job_file_name import job_file_name
from hydra_callback_kit.hooks.job_recorder import record_job_facts
from hydra_callback_kit.hooks.leaving_hydra import jobs_on_the_stack
from hydra_callback_kit.hooks.own_files import are_written, tell
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.at_exit import at_exit
from hydra_callback_kit.journal.format import CAPTURED_OUTPUT
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.views.files import set_aside

log = SafeLogger("hydra_callback_kit.output_capture_callback")

FILE: Final = "output.log"
SEPARATE: Final = {STDOUT: "stdout.log", STDERR: "stderr.log"}
MOST_LINES: Final = 1_000


class OutputCaptureCallback(RecordingCallback):
    """Keeps what each job writes to stdout and stderr in a file in its directory, and the last lines in the record.

    It takes what reaches the descriptors 1 and 2 from the job's start to its end: what Python prints and logs, what C code
    and child processes write. With `tee` they are pipes meanwhile, and a process of its own appends to the file what comes
    out of them, and passes it on to where it went before. With `tee=false` they are the file. Either way what reached a
    descriptor is in the file, also if the job is killed. At the job's end, also if it fails, they are put back.

    The app sees what it sees behind `| tee output.log`: no terminal on stdout and stderr, so that most programs write no
    colours. Its stdin is what it was.

    Jobs that run in threads of one process at the same time share its descriptors: while one of them is captured, the others
    are not, and a warning says so. Nothing is captured on Windows.

    Args:
        file: the file, relative to the job's output directory, or absolute. Where the jobs of a sweep would share it (an
            absolute path, or a `hydra.sweep.subdir` that is the same for all of them), the name gets the job's number:
            `output_3.log`. That of a rank gets its number: `output_rank1.log`.
        separate: whether stdout and stderr go to files of their own, `stdout.log` and `stderr.log`, instead of `file`.
        tee: whether the output goes to where it went before as well, which is most often the terminal.
        tail_lines: how many of the last lines are in the record, 0 to 1,000; 8,000 characters at most.

    Raises:
        ParameterError: if no file can be written at `file`, it is given with `separate`, or `tail_lines` is no such number.

    Files:
        `output.log` in each job's output directory: what it wrote, as it was written, secrets included. Another attempt at
        the job appends to it, below a line that says so. What lies there and is no file is kept as `output.log.bak`.
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where each
        job has the fact `captured_output`: `files` (by name, at which byte the job's output begins), `lines` (`tail_lines`)
        and, once it has ended, `tails`: the last lines of each file, without secrets, colours and the earlier states of
        progress bars.

    Example:
        ```yaml
        defaults:
          - callbacks: [output_capture_callback]
          - _self_

        hydra:
          callbacks:
            output_capture_callback:
              tee: false
              tail_lines: 20
        ```
    """

    on_every_rank = True

    def __init__(self, file: str = FILE, separate: bool = False, tee: bool = True, tail_lines: int = 50) -> None:
        if separate and file != FILE:
            allowed = f"{FILE} with separate=true"
            raise ParameterError("file", file, allowed, "Leave file out: the files are stdout.log and stderr.log.")
        if isinstance(tail_lines, bool) or not isinstance(tail_lines, int) or not 0 <= tail_lines <= MOST_LINES:
            allowed = f"a whole number from 0 to {MOST_LINES}"
            raise ParameterError("tail_lines", tail_lines, allowed, "Write for example tail_lines=50.")
        self.file = parameters.output_file("file", file)
        self.separate = separate
        self.tee = tee
        self.tail_lines = tail_lines

    def files_it_writes(self) -> Sequence[OwnFile]:
        """What it keeps of each job."""
        if self.separate:
            return [OwnFile(name, "separate", "false", of_each_job=True) for name in SEPARATE.values()]
        return [OwnFile(self.file, "file", FILE, of_each_job=True)]

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Begins to take what the job writes."""
        if os.name != "posix":
            _warn_once("Nothing is captured on Windows.")
            return
        depth = jobs_on_the_stack()
        token = notes_of(config).setdefault("captured", os.urandom(6).hex())
        _end_all(lambda other: other.is_of_this_thread and other.depth >= depth and other.key[0] != token)
        if any(not other.is_of_this_thread for other in _of_this_process()):
            _warn_once(
                "Several jobs run in threads of this process at the same time and share its stdout and stderr: while one of "
                "them is captured, the others are not, and what they write is in its file."
            )
            return
        self._begin(config, (token, id(self)), depth)

    def _begin(self, config: DictConfig, key: tuple[str, int], depth: int) -> None:
        job = identify_job(config)
        names = SEPARATE if self.separate else dict.fromkeys(SEPARATE, self.file)
        paths = {number: job.output_dir / job_file_name(config, name) for number, name in names.items()}
        if not job.output_dir.is_dir():
            return  # whoever removes it does not want anything in it
        which = f"job {job.job_num}{f', rank {job.rank}' if job.rank else ''}"
        title = f"{which} starts again, {dt.datetime.now(dt.timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
        told = tell(log)
        capture = Capture(paths, title, lambda path: told(path, set_aside(path)), tee=self.tee)
        running = _Running(key, config, capture, depth, threading.get_ident(), self.tail_lines)
        _running[key] = running
        record_job_facts(config, {}, {CAPTURED_OUTPUT: running.fact()})
        are_written(config, running.fact()["files"])
        streams = {STDOUT: "stdout", STDERR: "stderr"}
        if capture.closed:
            closed = " and no ".join(streams[number] for number in capture.closed)
            log.warning("The process has no %s here: what the job writes there goes nowhere, and is in no file.", closed)
        for number, name in streams.items():
            if number not in capture.closed and python_writes_elsewhere(number):
                _warn_once(
                    f"What Python prints to sys.{name} does not go to the process's {name} here, as in a notebook: only "
                    "what C code and child processes write is captured."
                )

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Puts the descriptors back, and records the last lines."""
        key = notes_of(config).get("captured", ""), id(self)
        _end_all(lambda running: running.key == key)

    def at_the_end(self, config: DictConfig) -> None:
        """Does so for jobs whose end it was not told: after Ctrl-C, and after `sys.exit` on Hydra 1.3."""
        run = identify_run(config).run_id
        _end_all(lambda running: identify_run(running.config).run_id == run)


class _Running(NamedTuple):
    """A job that is captured."""

    key: tuple[str, int]
    config: DictConfig
    capture: Capture
    depth: int
    thread: int
    lines: int

    @property
    def is_of_this_thread(self) -> bool:
        return self.thread == threading.get_ident()

    def fact(self) -> dict[str, Any]:
        """What the record says of the files; those in the job's directory by their names there."""
        directory = identify_job(self.config).output_dir
        begins = self.capture.begins.items()
        return {"files": {_below(path, directory): begin for path, begin in begins}, "lines": self.lines}


def _below(path: Path, directory: Path) -> str:
    return (path.relative_to(directory) if path.is_relative_to(directory) else path).as_posix()


_running: dict[tuple[str, int], _Running] = {}


def _of_this_process() -> list[_Running]:
    """A forked child has those of its parent, which are not its own to end."""
    return [running for running in _running.values() if running.capture.pid == os.getpid()]


def _end_all(wanted: Callable[[_Running], bool]) -> None:
    """The last first: one inside of another leads where that one does."""
    for running in reversed(_of_this_process()):
        if wanted(running):
            del _running[running.key]
            _end(running)


def _end(running: _Running) -> None:
    missing = running.capture.end()
    if missing is None:
        log.warning("The process is gone that read what the job wrote: the end of it may be missing.")
    elif missing.kept:
        names = " and ".join(path.name for path in running.capture.begins)
        log.warning("Some of what the job wrote is not in %s: %s.", names, os.strerror(missing.kept))
    elif missing.shown:
        log.warning("Some of what the job wrote could not be shown: %s. It is in its file.", os.strerror(missing.shown))
    if running.lines:
        hide = redaction_of(running.config).of_text
        fact = running.fact()
        directory = identify_job(running.config).output_dir
        tails = {}
        for name, begins in fact["files"].items():
            if (directory / name).is_file():  # else the job has removed it
                tails[name] = last_lines(directory / name, begins, running.lines, hide)
        record_job_facts(running.config, {CAPTURED_OUTPUT: {**fact, "tails": tails}})


@at_exit
def _end_what_still_runs() -> None:
    """On Hydra 1.3 no end hook comes after `sys.exit`."""
    for running in reversed(_of_this_process()):
        try:
            _end_all(functools.partial(operator.is_, running))
        except Exception as error:  # noqa: BLE001  the others are still to be ended
            report("OutputCaptureCallback", error)


@functools.cache
def _warn_once(message: str) -> None:
    log.warning("%s", message)
