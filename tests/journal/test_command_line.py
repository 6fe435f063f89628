"""How the calling process was started, and which of the words are the app's own."""

import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.command_line import command_line, other_arguments


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
