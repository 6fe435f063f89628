"""Runs git for the record: bounded in time, never asking anything, and blind to settings that would change what it says."""

import contextlib
import io
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

_SETTINGS: Final = (
    *("-c", "core.quotePath=true", "-c", "core.safecrlf=false"),
    *("-c", "status.renames=false", "-c", "diff.relative=false", "-c", "diff.suppressBlankEmpty=false"),
    *("-c", "diff.orderFile=/dev/null"),
)

_FORGOTTEN: Final = (  # of a git hook or a shell that speaks of another repository, and of the user's own display
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
)

_SET: Final = {
    "GIT_OPTIONAL_LOCKS": "0",  # the user's own git commands find the index as they left it, and not locked
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone would go to the network for old versions of files
    "LC_ALL": "C",
}


class GitError(Exception):
    """Git could not say what it was asked.

    Args:
        reason: why, in words for the user.
        absent: whether that is how things are (no git, no repository), and nothing is wrong.

    Attributes:
        reason: why, in words for the user.
        absent: whether that is how things are (no git, no repository), and nothing is wrong.
    """

    def __init__(self, reason: str, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.absent = absent


class GitCommand:
    """A git command that runs; made by `Git.start`.

    Args:
        process: the running process.
        errors: the file that takes what it writes to stderr.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", errors: BinaryIO) -> None:
        self._process = process
        self._output = cast("io.BufferedReader", process.stdout)
        self._errors = errors

    def read(self, limit: int) -> bytes:
        """Reads so many bytes of the output, or what there is until it ends."""
        return self._output.read(limit)

    def records(self) -> Iterator[bytes]:
        """The parts of an output that is divided by NUL characters (`-z`), as they come."""
        rest = b""
        while chunk := self._output.read1(1 << 16):
            *whole, rest = (rest + chunk).split(b"\0")
            yield from whole

    def end(self) -> tuple[int, str]:
        """Waits for the end: the exit code, and what went wrong: the first line that says so, or else the first line."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read(100_000).decode("utf-8", "backslashreplace").splitlines() or [""]
        line = next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[0])[:1_000].strip()
        return code, line.removeprefix("fatal: ").removeprefix("error: ")

    def stop(self) -> None:
        """Kills the command, and what it has started, if it still runs."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)  # a filter of git's that lives on would keep the pipe open
            else:
                self._process.kill()

    def close(self) -> None:
        """Stops the command and leaves neither a process nor an open file behind."""
        self.stop()
        self._process.wait()
        self._output.close()
        self._errors.close()


def _is_passed_on(variable: str) -> bool:
    return variable not in _FORGOTTEN and not variable.startswith(("GIT_TRACE", "GIT_TR2_"))


class Git:
    """Runs git commands in one directory, all of them within one time limit; to be used in a `with` statement.

    Args:
        directory: where git looks for a repository, and in the directories above.
        timeout_s: seconds after which every command is killed.
    """

    def __init__(self, directory: str, timeout_s: float) -> None:
        self.directory = directory
        self._timeout_s = timeout_s
        self._environment = {**{name: value for name, value in os.environ.items() if _is_passed_on(name)}, **_SET}
        self._is_late = False
        self._commands: list[GitCommand] = []
        self._timer = threading.Timer(timeout_s, self._stop_all)
        self._timer.daemon = True

    def __enter__(self) -> "Git":  # noqa: PYI034  `Self` came with Python 3.11
        """Starts the clock."""
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leaves no process and no thread behind, also after Ctrl-C."""
        self._timer.cancel()
        for command in self._commands:
            command.close()
        self._timer.join()

    def start(self, *arguments: str, **environment: str) -> GitCommand:
        """Starts a command; several may run at once.

        Args:
            *arguments: the command's words.
            **environment: variables of its environment.

        Raises:
            GitError: if there is no git.
        """
        errors = tempfile.TemporaryFile()  # noqa: SIM115  `GitCommand.close` closes it
        try:
            process = subprocess.Popen(  # noqa: S603  no shell, and no word of it is a user's but directories and paths
                ["git", *_SETTINGS, "-C", self.directory, *arguments],  # noqa: S607  the git that the user would get
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**self._environment, **environment},
                start_new_session=True,  # no terminal to ask on, and one group to kill
            )
        except OSError as error:
            errors.close()
            missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
            raise GitError("git is not installed" if missing else f"git cannot be started: {error}", missing) from error
        command = GitCommand(process, errors)
        self._commands.append(command)
        if self._is_late:
            command.stop()
        return command

    def end(self, command: GitCommand) -> None:
        """Waits for the end of a command whose output was read.

        Raises:
            GitError: if it failed, or did not end in time.
        """
        code, message = command.end()
        if self._is_late and code != 0:
            raise GitError(f"git was stopped, for it did not end within {self._timeout_s:g} s (git_timeout_s)")
        if code != 0:
            absent = message.startswith("not a git repository")
            reason = f"{self.directory} is in no git repository" if absent else f"git says: {message or f'exit {code}'}"
            raise GitError(reason, absent)

    def _stop_all(self) -> None:
        self._is_late = True
        for command in list(self._commands):
            command.stop()
