"""What says that a callback failed does not fail itself, whatever the exception is made of."""

import logging
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit import AbortRun
from hydra_callback_kit.hooks import error_report
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.guard import never_breaks_the_job
from hydra_callback_kit.journal.format import JournalNotFoundError

DUNDERS = ("__str__", "__repr__", "__eq__", "__hash__", "__bool__", "__getattribute__", "__format__")
RAISED = (ValueError("odd"), SystemExit(3), RecursionError(), AttributeError("no"))


def raising(error: BaseException) -> Any:
    """A method that raises."""

    def method(*_: object) -> Any:
        raise error

    return method


@pytest.fixture(autouse=True)
def _nothing_was_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_report, "_reported", set())


@given(
    base=st.sampled_from([ValueError, OSError, ImportError, KeyError]),
    methods=st.sets(st.sampled_from(DUNDERS)),
    raised=st.sampled_from(RAISED),
    attributes=st.dictionaries(
        st.sampled_from(["errno", "__notes__", "__traceback__"]), st.sampled_from([[], {}, "x", 3.5])
    ),
)
def test_an_exception_whose_own_methods_raise(
    base: type[Exception], methods: set[str], raised: BaseException, attributes: dict[str, Any]
) -> None:
    """Each of them, in each combination, and with attributes of any type."""
    body = {
        **dict.fromkeys(methods, raising(raised)),
        **{name: property(lambda _, v=value: v) for name, value in attributes.items()},
    }
    report("Some.hook", type("Odd", (base,), body)("text"))


def test_it_is_said_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """Also where no traceback of it can be made; and a number of an error that is no number."""
    report("A.hook", type("Odd", (ValueError,), {"__str__": raising(SystemExit(3))})())
    report("B.hook", type("Odd", (OSError,), {"errno": property(raising(SystemExit(3)))})())
    odd = ValueError("no lines")
    odd.__notes__ = type("Notes", (list,), {"__iter__": raising(SystemExit(3))})(["x"])
    report("C.hook", odd)
    said = [record.getMessage() for record in caplog.records]
    assert [text.partition(".")[0] for text in said] == ["A", "B", "C"]
    assert all("The job is not affected" in text for text in said)


def test_a_directory_that_cannot_be_looked_at(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """`is_dir` raises where a folder above may not be read."""

    def is_dir(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", is_dir)
    report("A.hook", JournalNotFoundError(Path("/x")))
    assert "A.hook failed" in caplog.text


@pytest.mark.parametrize("broken", ["getLogger", "isEnabledFor", "makeRecord", "filter"])
def test_logging_that_is_broken(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """An app may replace any of it."""
    with monkeypatch.context() as changed:
        changed.setattr(logging if broken == "getLogger" else logging.Logger, broken, raising(SystemExit(3)))
        report("A.hook", ValueError("x"))


class Closed:
    """A callback that fails closed."""

    fails_closed = True

    @never_breaks_the_job
    def on_run_start(self, config: Any) -> None:
        """Raises what has no text."""
        raise type("Odd", (ValueError,), {"__str__": raising(ValueError("odd"))})


def test_a_gate_stops_the_run_whatever_its_error_is_made_of(tmp_path: Path) -> None:
    """An exception of another kind would be a warning of Hydra's, and the run would start."""
    with pytest.raises(AbortRun, match="Closed cannot find out whether it may"):
        Closed().on_run_start(config=config_of(tmp_path))
