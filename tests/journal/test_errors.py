"""An exception goes on record whatever it is made of."""

from typing import Any

import pytest

from hydra_callback_kit.journal.encoder import to_json
from hydra_callback_kit.journal.errors import _calls_it, error_of
from hydra_callback_kit.journal.rank_fold import error_in
from hydra_callback_kit.journal.span import Span


def raised(kind: type[BaseException]) -> BaseException:
    """An exception with a traceback."""
    try:
        raise kind("boom")
    except kind as error:
        return error


class UnspeakableError(ValueError):
    """Has no text."""

    def __str__(self) -> str:
        """Ends the process, if it is let."""
        raise SystemExit(7)


class OddCauseError(Exception):
    """Cannot be formatted: its cause is asked for."""

    @property
    def __cause__(self) -> Any:
        """Fails."""
        raise SystemExit(8)


@pytest.mark.parametrize("kind", [UnspeakableError, OddCauseError])
def test_an_exception_that_cannot_be_told_is_told_as_far_as_it_can_be(kind: type[BaseException]) -> None:
    """Its type at least, and a text in the place of the traceback."""
    error = error_of(raised(kind))
    assert error.type.endswith(kind.__name__)
    assert kind.__name__ in error.traceback


class Hostile:
    """Ends the process in whatever it is asked."""

    def __getattribute__(self, name: str) -> Any:
        """Also for its attributes."""
        raise SystemExit(9)

    def __repr__(self) -> str:
        """And for its text."""
        raise SystemExit(9)

    def __str__(self) -> str:
        """The same."""
        raise SystemExit(9)


def test_a_value_that_ends_the_process_costs_the_value_alone() -> None:
    """As a value, and as a key."""
    encoded = to_json({"a": 1, "b": Hostile(), Hostile(): 2})
    assert encoded["a"] == 1
    assert encoded["b"]["type"].endswith("Hostile")
    assert 2 in encoded.values()


def test_a_line_that_announces_the_next_one_has_it_with_it() -> None:
    """As what Hydra says of a target that cannot be called."""
    error = error_of(ValueError("Error in call to target 'int':\nTypeError('no base')\nfull_key: model"))
    assert error.headline == "ValueError: Error in call to target 'int': TypeError('no base')"
    assert error_of(ValueError("which one:")).headline == "ValueError: which one:"
    assert error_of(ValueError("boom\nmore")).headline == "ValueError: boom"


def test_the_classes_that_an_exception_comes_from_are_told() -> None:
    """Named as they are imported, builtins bare; what a journal of another release does not say is not known."""
    error = error_of(raised(UnspeakableError))
    assert error.kinds == (error.type, "ValueError", "Exception", "BaseException")
    span = Span("1")
    for bases, expected in ((list(error.bases), error.bases), ("damaged", ()), ([1], ("1",))):
        span.facts["error"] = {"type": error.type, "message": "", "traceback": "", "bases": bases}
        assert error_in(span) == (error.type, "", "", expected)


@pytest.mark.parametrize(
    ("file", "calls"),
    [
        ("/x/hydra/core/utils.py", True),
        ("/x/hydra_callback_kit/launching/limited.py", True),
        ("/x/hydra/core/other.py", False),
        ("/x/hydra/other/utils.py", False),
        ("/x/mine/core/utils.py", False),
        ("/x/hydra/core/utils.py/more.py", False),
        ("core/utils.py", False),
        ("/x/hydra_callback_kit/launching/deadline.py", False),
        ("/x/mine/launching/limited.py", False),
    ],
)
def test_only_the_files_that_call_the_task_function_are_left_out_of_tracebacks(file: str, calls: bool) -> None:
    """A user's own `core/utils.py` stays in."""
    assert _calls_it(file) is calls
