"""The command that started the calling process, as it was typed: not for the record as it is, for it may hold secrets."""

import sys
from collections.abc import Container, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.values import as_text

_WITH_AN_ARGUMENT: Final = ("-X", "-W", "--check-hash-based-pycs")
"""Python's options whose argument is a word of its own."""

HYDRA_OPTIONS_WITH_A_VALUE: Final = frozenset(
    (
        *("-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name", "-cd", "--config-dir"),
        "--experimental-rerun",
    )
)
"""Those options of Hydra's command line that a value follows."""
HYDRA_OPTIONS: Final = HYDRA_OPTIONS_WITH_A_VALUE | {
    *("-m", "--multirun", "-r", "--run", "--resolve", "-i", "--info", "-h", "--help", "--hydra-help", "--version"),
    *("-sc", "--shell-completion"),
}
"""The options of Hydra's command line."""


class CommandLine(NamedTuple):
    """A command.

    Attributes:
        program: the words up to the app's own arguments: `["python", "-m", "pkg.app"]`.
        arguments: the words that follow.
    """

    program: list[str]
    arguments: list[str]

    @property
    def words(self) -> list[str]:
        """All words."""
        return [*self.program, *self.arguments]


def app_words(program: Sequence[str]) -> list[str]:
    """The app itself, without the interpreter and its options: `["app.py"]`, or `["-m", "pkg.app"]`."""
    return list(program[-2:] if len(program) > 2 and program[-2] == "-m" else program[-1:])  # noqa: PLR2004  with an interpreter


def as_typed(facts: Mapping[str, Any]) -> list[str]:
    """The command by which a run was started, as it was typed.

    Args:
        facts: the run's facts: `command`, and where torchrun or the like has started the ranks of its job `rank_launcher`.

    Returns:
        Empty where it is not on record.
    """
    command, program, launcher = (facts.get(name) for name in ("command", "program", "rank_launcher"))
    if not isinstance(command, list):
        return []
    if isinstance(launcher, list) and launcher and isinstance(program, list):
        command = [*launcher, *app_words(program), *command[len(program) :]]
    return list(map(as_text, command))


def command_line(typed: Sequence[str] | None = None, arguments: Sequence[str] | None = None) -> CommandLine:
    """Tells how the calling process was started.

    Args:
        typed: the words as the operating system has them; by default this process's.
        arguments: what the process calls its arguments; by default `sys.argv`. Apps change it: what was typed counts,
            unless it is another program's (a test session that says `app.py`).
    """
    typed = sys.orig_argv if typed is None else typed
    arguments = sys.argv if arguments is None else arguments
    split = _end_of_program(typed)
    if split is None or not arguments or not _is_same_program(typed[split - 1], arguments[0]):
        return CommandLine([sys.executable, *arguments[:1]], list(arguments[1:]))
    return CommandLine([sys.executable, *typed[1:split]], list(typed[split:]))


def is_as_typed() -> bool:
    """Whether the words by which the calling process was started are those of the app, which they would start again.

    A program that was read from a pipe is not there a second time.
    """
    split = _end_of_program(sys.orig_argv)
    if split is None or not sys.argv:
        return False
    program = sys.orig_argv[split - 1]
    return _is_same_program(program, sys.argv[0]) and program != "-" and not program.startswith(("/dev/", "/proc/"))


def other_arguments(typed: Sequence[str], left: Sequence[str], overrides: Container[str]) -> list[str]:
    """The words of a command that are neither overrides nor options of Hydra's: an app may have arguments of its own.

    An app that reads its own takes them out of `sys.argv`: what was typed and is not there is the app's.

    Args:
        typed: the words that follow the program.
        left: those that Hydra found.
        overrides: the overrides of the app's and of Hydra's config.
    """
    for_hydra = range(len(typed)) if left == typed else _places_of(left, typed)
    others: list[str] = []
    words = iter(enumerate(typed))
    for place, word in words:
        if place not in for_hydra:
            others.append(word)
        elif word.partition("=")[0] in HYDRA_OPTIONS:
            if word in HYDRA_OPTIONS_WITH_A_VALUE:
                next(words, None)
        elif word not in overrides:
            others.append(word)
    return others


def _places_of(left: Sequence[str], typed: Sequence[str]) -> Container[int]:
    import difflib  # noqa: PLC0415  few apps change their arguments, and it takes a while to be imported

    matches = difflib.SequenceMatcher(None, typed, left, autojunk=False).get_matching_blocks()
    return {place for match in matches for place in range(match.a, match.a + match.size)}


def _end_of_program(typed: Sequence[str]) -> int | None:
    """How many of the words start the app; None where there is no script and no module among them."""
    position = 1
    while position < len(typed):
        word = typed[position]
        if word in _WITH_AN_ARGUMENT:
            position += 2
        elif word.startswith("-") and not word.startswith(("--", "-W", "-X")) and word[-1:] in ("m", "c"):
            return position + 2 if position + 1 < len(typed) else None
        elif word.startswith("-") and word != "-":
            position += 1
        else:
            return position + 1
    return None


def _is_same_program(script_or_module: str, argument: str) -> bool:
    """Whether the first of `sys.argv` is what was started: a script, or the file of a module."""
    if argument in ("", "-c", "-m"):
        return True
    file = PurePath(argument)
    if file.name == PurePath(script_or_module).name:
        return True
    module = tuple(script_or_module.split("."))
    parts = (*file.parts[:-1], file.stem)
    return parts[-len(module) :] == module or parts[-len(module) - 1 :] == (*module, "__main__")
