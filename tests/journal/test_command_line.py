"""How the calling process was started, and which of the words are the app's own."""

import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.command_line import (
    _end_of_program,
    _is_same_program,
    app_words,
    as_typed,
    command_line,
    is_as_typed,
    other_arguments,
)


@pytest.mark.parametrize(
    ("typed", "arguments", "program"),
    [
        (["python", "app.py", "x=1"], ["app.py", "x=1"], ["app.py"]),
        (
            ["python", "-W", "ignore", "-X", "dev", "app.py", "x=1"],
            ["app.py", "x=1"],
            ["-W", "ignore", "-X", "dev", "app.py"],
        ),
        (["python", "-m", "pkg.train", "x=1"], ["/home/me/pkg/train.py", "x=1"], ["-m", "pkg.train"]),
        (["python", "-um", "pkg", "x=1"], ["/home/me/pkg/__main__.py", "x=1"], ["-um", "pkg"]),
        (["python", "-c", "main()", "x=1"], ["-c", "x=1"], ["-c", "main()"]),
        (["pytest", "tests"], ["app.py", "x=1"], ["app.py"]),
        (["python"], ["app.py", "x=1"], ["app.py"]),
    ],
)
def test_the_program_ends_where_the_apps_arguments_begin(
    typed: Sequence[str], arguments: Sequence[str], program: list[str]
) -> None:
    """Python's own options are the program's; where another program runs, what it calls its arguments counts."""
    command = command_line(typed, arguments)
    assert command.program == [sys.executable, *program]
    assert command.arguments == ["x=1"]


@pytest.mark.parametrize(
    ("typed", "left", "others"),
    [
        ("x=1 hydra.job.chdir=true", None, ""),
        ("-m x=1 --config-name big -cp conf --cfg=job", None, ""),
        ("--gpus 4 -m x=1", "-m x=1", "--gpus 4"),
        ("x=1 --gpus 4", None, "--gpus 4"),
        ("x=1 data.txt", "x=1", "data.txt"),
        ("--tag x=1 x=1", "x=1", "--tag x=1"),
        ("--config-name", None, ""),
        ("--gpus 4", "x=1", "--gpus 4"),
    ],
)
def test_what_is_neither_an_override_nor_an_option_of_hydras_is_the_apps(typed: str, left: str | None, others: str) -> None:
    """Whether the app takes its arguments out of `sys.argv` or leaves them there."""
    found = typed if left is None else left
    assert other_arguments(typed.split(), found.split(), {"x=1", "hydra.job.chdir=true"}) == others.split()


@given(own=st.lists(st.sampled_from(["--gpus", "4", "data.txt", "-v"])), given_to_hydra=st.lists(st.just("x=1")))
def test_no_word_of_the_apps_is_lost(own: list[str], given_to_hydra: list[str]) -> None:
    """In their order, wherever the overrides stand, and whether or not the app took them out."""
    for typed in ([*own, *given_to_hydra], [*given_to_hydra, *own]):
        for left in (given_to_hydra, typed):
            assert other_arguments(typed, left, {"x=1"}) == own


@pytest.mark.parametrize(
    ("facts", "typed"),
    [
        ({}, []),
        ({"command": "app.py"}, []),
        ({"command": ["python", "app.py", "x=1"], "program": ["python", "app.py"]}, ["python", "app.py", "x=1"]),
        ({"command": ["python", 5]}, ["python", "5"]),
        ({"command": ["python", "app.py", "x=1"], "rank_launcher": ["torchrun", "-n2"]}, ["python", "app.py", "x=1"]),
        ({"command": ["python", "app.py"], "program": ["python", "app.py"], "rank_launcher": []}, ["python", "app.py"]),
        (
            {"command": ["python", "app.py", "x=1"], "program": ["python", "app.py"], "rank_launcher": ["torchrun", "-n2"]},
            ["torchrun", "-n2", "app.py", "x=1"],
        ),
        (
            {"command": ["py", "-u", "-m", "a", "x=1"], "program": ["py", "-u", "-m", "a"], "rank_launcher": ["torchrun"]},
            ["torchrun", "-m", "a", "x=1"],
        ),
    ],
)
def test_the_command_as_it_was_typed(facts: dict[str, object], typed: list[str]) -> None:
    """What has started the ranks stands for the interpreter that it has started."""
    assert as_typed(facts) == typed


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (["python", "app.py"], ["app.py"]),
        (["app"], ["app"]),
        ([], []),
        (["-m", "app"], ["app"]),
        (["python", "-m", "pkg.app"], ["-m", "pkg.app"]),
        (["python", "-u", "app.py"], ["app.py"]),
    ],
)
def test_the_app_without_its_interpreter(program: list[str], words: list[str]) -> None:
    """A module is named with the option that makes it one; a program of that name alone is none."""
    assert app_words(program) == words


@pytest.mark.parametrize(
    ("typed", "arguments", "again"),
    [
        (["python", "app.py", "x=1"], ["app.py", "x=1"], True),
        (["python", "-m", "pkg.train"], ["/home/me/pkg/train.py"], True),
        (["python", "-", "x=1"], ["-", "x=1"], False),
        (["python", "/dev/fd/63"], ["/dev/fd/63"], False),
        (["python", "/proc/self/fd/5"], ["/proc/self/fd/5"], False),
        (["python", "/devices/app.py"], ["/devices/app.py"], True),
        (["pytest", "tests"], ["app.py"], False),
        (["python"], [""], False),
        (["python", "app.py"], [], False),
    ],
)
def test_whether_the_same_words_start_it_again(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], arguments: list[str], again: bool
) -> None:
    """Not what was read from a pipe, nor another program."""
    monkeypatch.setattr(sys, "orig_argv", typed)
    monkeypatch.setattr(sys, "argv", arguments)
    assert is_as_typed() is again


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("python", None),
        ("python app.py", 2),
        ("python app.py -m x=1", 2),
        ("python - x=1", 2),
        ("python -u -B app.py x=1", 4),
        ("python -u", None),
        ("python -X dev -W error app.py", 6),
        ("python -X dev", None),
        ("python -Xpycache_prefix=/tmp/pyc -u app.py x=1", 4),
        ("python -Wignore::app.Alarm -B app.py", 4),
        ("python --check-hash-based-pycs always app.py x=1", 4),
        ("python --atomic app.py x=1", 3),
        ("python -m pkg x=1", 3),
        ("python -Bm pkg x=1", 3),
        ("python -c code x=1", 3),
        ("python -Bc code x=1", 3),
        ("python -c -1 x=1", 3),
        ("python -Bc -1 x=1", 3),
        ("python -Bm -odd x=1", 3),
        ("python -u -m pkg x=1", 4),
        ("python -m", None),
        ("python -c", None),
        ("python program x=1", 2),
        ("python program", 2),
    ],
)
def test_the_words_that_start_an_app_are_counted(typed: str, end: int | None) -> None:
    """Python's options may be written as one, and `-` is a script that is read from a pipe."""
    assert _end_of_program(typed.split()) == end


@pytest.mark.parametrize(
    ("program", "argument", "same"),
    [
        ("app.py", "", True),
        ("code", "-c", True),
        ("pkg.app", "-m", True),
        ("dir/app.py", "/home/me/dir/app.py", True),
        ("pkg.app", "/home/me/pkg/app.py", True),
        ("pkg.app", "/home/me/pkg/app/__main__.py", True),
        ("pkg.app", "/home/me/other/app.py", False),
        ("pkg.app", "/home/me/pkg/other/__main__.py", False),
        ("app.py", "other.py", False),
        ("app.py", "-x", False),
    ],
)
def test_a_program_is_known_by_its_first_argument(program: str, argument: str, same: bool) -> None:
    """A script by its name, a module by its file."""
    assert _is_same_program(program, argument) is same


def test_an_override_that_is_given_very_often_is_hydras_each_time() -> None:
    """What is frequent is no noise."""
    typed = ["--gpus", *["x=1"] * 300]
    assert other_arguments(typed, typed[1:], {"x=1"}) == ["--gpus"]
