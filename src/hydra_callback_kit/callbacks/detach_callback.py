"""`detach_callback`: the command returns, and the run goes on without its terminal."""

import os
from collections.abc import Sequence
from typing import Any

from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.detaching import IS_DETACHED, leave_the_terminal, log, show_lines_as_they_come
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.run_recorder import record_run_facts
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.output_file import FACT
from hydra_callback_kit.launching.detached import say_launched


class DetachCallback(RecordingCallback):
    """Lets the command return once the first job is launched, while the run or sweep goes on without the terminal.

    The command is started once more, as a process in a session of its own, which no terminal that closes ends; its input is
    empty, and its output goes to a file in the run's or the sweep's directory. Until the first job is launched the output is
    shown on the terminal as well. What is refused by then is refused there: a config that is not valid, a directory that is
    another run's, an error of Hydra's or of the app's own. Then the exit code is that of the refusal. Else the directory is
    printed to stdout, the commands that look after it to stderr, and the exit code is 0. Under Slurm it is waited for until
    the jobs are submitted, for 30 s at most; not until they start.

    No other callback of this package acts in the process that returns, wherever in the list it stands. A dry run
    (`DryRunCallback`) is not detached. Nor is, with a warning: a rank of a distributed job, a batch job of Slurm's, PBS's or
    LSF's, what a job of another run has started, and what was not started by a command of its own, as in a notebook or a
    debugger. `hydra-callback-kit rerun` waits for what it starts, too.

    Args:
        output_file: what the file is called that the output goes to, without a path. Where there is one of an earlier run, a
            number is added.

    Raises:
        ParameterError: if `output_file` is empty, or has a path.
        AbortRun: from the start hook of the process that returns.

    Files:
        `detached.log` in the run's output directory or in the sweep directory: what was printed, to stdout and to stderr.
        `.callbacks/detached.log.exit` beside it: the exit code, once the run has ended.
        `.callbacks/detached.log.starting`, until the command returns: which process is about to start the run.
        `.callbacks/*.jsonl` there: the journal (JSON lines), where the run has the fact `detached`.

    Example:
        ```yaml
        # usually on the command line: python app.py -m lr=0.1,0.01 +callbacks=detach_callback
        defaults:
          - callbacks: [detach_callback]
          - _self_

        hydra:
          callbacks:
            detach_callback:
              output_file: terminal.log
        ```
    """

    fails_closed = True

    def __init__(self, output_file: str = "detached.log") -> None:
        is_name = isinstance(output_file, str) and output_file.strip() not in {"", ".", ".."}
        if not is_name or {"/", "\0", os.sep} & set(output_file):
            raise ParameterError(
                "output_file", output_file, "a file's name, without a path", "Write output_file=detached.log."
            )
        self.output_file = output_file

    def decide(self, config: DictConfig) -> None:
        """Starts the other process, and ends this one, before any other callback acts; in the other one, nothing.

        Args:
            config: the config of `on_run_start` or `on_multirun_start`.
        """
        notes_of(config)["detach_asked"] = True
        leave_the_terminal(config, self.output_file)

    def files_it_writes(self) -> Sequence[OwnFile]:
        """What is printed."""
        return [OwnFile(self.output_file, "output_file", "detached.log")]

    def before_the_run(self, config: DictConfig) -> None:
        """Says so where nobody has asked it: others have acted already."""
        if "detach_asked" not in notes_of(config):
            log.caution(
                "Not detached: inside of another callback detach_callback does nothing. Choose it with callbacks=[...]."
            )

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the file that the output goes to."""
        self._record(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the same, and has it said when the first job is launched."""
        if self._record(config):
            from hydra_callback_kit.launching.in_place import put_in_place  # noqa: PLC0415  most runs have a terminal
            from hydra_callback_kit.launching.says_launched import SaysLaunched  # noqa: PLC0415  the same

            put_in_place(config, SaysLaunched())

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Says that a job is launched, where no launcher was called; and has what it prints shown line by line."""
        if IS_DETACHED in notes_of(config):
            say_launched()
            show_lines_as_they_come()

    def _record(self, config: DictConfig) -> bool:
        output = notes_of(config).get(IS_DETACHED)
        if output is not None:
            record_run_facts(config, {FACT: {"output": output}})
        return output is not None
