"""Whatever an exception or a value is made of, the end of the job is on record, and nothing is raised."""

import json
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of, returned
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh

from hydra_callback_kit import LoggingCallback, ResultsAggregatorCallback
from hydra_callback_kit.journal.encoder import to_json
from hydra_callback_kit.journal.reader import read_run

RAISED = [
    SystemExit(3),
    RuntimeError("odd"),
    RecursionError(),
    GeneratorExit(),
    MemoryError(),
    StopIteration(),
    AssertionError,
]
OF_EXCEPTIONS = [
    *("__str__", "__repr__", "__getattribute__", "__getattr__", "__class__", "__notes__", "__cause__", "__context__"),
    *("__traceback__", "__suppress_context__", "__format__", "__hash__", "__eq__", "__dict__", "args", "__module__"),
    *("errno", "strerror", "__bool__", "__len__", "__iter__", "__reduce__", "exceptions", "filename"),
]
OF_VALUES = [
    *("__str__", "__repr__", "__getattribute__", "__getattr__", "__class__", "__iter__", "__len__", "__bool__", "__eq__"),
    *("__hash__", "__int__", "__float__", "__index__", "__getitem__", "__contains__", "__instancecheck__", "__call__"),
    *("tolist", "shape", "items", "keys", "isoformat", "name", "value", "_fields", "model_fields", "__attrs_attrs__"),
    *("__dataclass_fields__", "__format__", "__complex__", "__array__", "__module__", "__qualname__", "__name__", "__mro__"),
]
BASES = [Exception, BaseException, KeyError, OSError, SyntaxError, UnicodeError, StopIteration, SystemExit]
VALUES = [object, dict, list, tuple, str, int, float, set, bytes]


def hostile(base: type, names: list[str], raised: Any, *, on_class: bool) -> type:
    """A class of which these attributes raise, or are nonsense where it would make no class."""

    def fails(*_: Any, **__: Any) -> Any:
        raise raised

    inside = {name: property(fails) if name.strip("_") == name or name in PROPERTIES else fails for name in names}
    body = {name: made for name, made in inside.items() if name not in ("__qualname__", "__mro__", "__name__", "__module__")}
    meta = type("Meta", (type,), {"__getattr__": fails, "__repr__": fails, "__instancecheck__": fails} if on_class else {})
    try:
        return meta("Hostile", (base,), {**body, "__module__": 5 if "__module__" in names else "app"})
    except TypeError:  # this combination makes no class
        return base


PROPERTIES = ("__class__", "__notes__", "__cause__", "__context__", "__traceback__", "__suppress_context__", "__dict__")


@given(
    base=st.sampled_from(BASES),
    names=st.lists(st.sampled_from(OF_EXCEPTIONS), min_size=1, max_size=6, unique=True),
    raised=st.sampled_from(RAISED),
    on_class=st.booleans(),
)
def test_a_job_that_ends_with_any_exception(
    fresh: Fresh, base: type[BaseException], names: list[str], raised: Any, on_class: bool
) -> None:
    """FAILED, with its type; other callbacks say what they can."""
    root = fresh("run")
    kind = hostile(base, names, raised, on_class=on_class)
    try:
        exception = kind("boom")
    except BaseException:  # noqa: BLE001  it may raise anything
        exception = base("boom")
    check(root, returned_failed(exception))
    (job,) = read_run(root).jobs
    assert job.status == "FAILED"
    assert job.error is not None
    assert job.error.type.split(".")[-1] in ("Hostile", base.__name__)


@given(
    base=st.sampled_from(VALUES),
    names=st.lists(st.sampled_from(OF_VALUES), min_size=1, max_size=6, unique=True),
    raised=st.sampled_from(RAISED),
    on_class=st.booleans(),
)
def test_a_job_that_returns_any_value(fresh: Fresh, base: type, names: list[str], raised: Any, on_class: bool) -> None:
    """COMPLETED; the value costs itself, not what lies beside it."""
    root = fresh("run")
    kind = hostile(base, names, raised, on_class=on_class)
    try:
        value = kind()
    except BaseException:  # noqa: BLE001  it may raise anything
        value = base()
    check(root, returned({"loss": 0.5, "odd": value, "inside": [value, 7]}))
    (job,) = read_run(root).jobs
    assert job.status == "COMPLETED"
    assert job.return_value["loss"] == 0.5
    assert job.return_value["inside"][1] == 7
    json.dumps(to_json({1: value}), allow_nan=False)


class _Itself:
    """A number of an array library that gives itself for a list."""

    shape = ()

    def __init__(self, number: float | None) -> None:
        self.number = number

    def tolist(self) -> "_Itself":
        return self

    def __float__(self) -> float:
        if self.number is None:
            raise TypeError
        return self.number

    def __repr__(self) -> str:
        return "a number"


class _ForEver(_Itself):
    def tolist(self) -> Any:
        return _Another(None)


class _Another(_Itself):
    def tolist(self) -> Any:
        return _ForEver(None)


@pytest.mark.parametrize(
    ("value", "expected"), [(_Itself(0.25), 0.25), (_Itself(None), "a number"), (_ForEver(None), "a number")]
)
def test_what_gives_itself_for_a_list(value: Any, expected: Any) -> None:
    """By number, else by text, never nowhere."""
    made = to_json(value)
    assert (made["repr"] if isinstance(made, dict) else made) == expected


def returned_failed(exception: BaseException) -> Any:
    """What Hydra hands to the end of a job that failed."""
    job_return = returned(ValueError())
    job_return._return_value = exception
    return job_return


def check(root: Path, job_return: Any) -> None:
    """All hooks of a run, as Hydra calls them."""
    config = config_of(root)
    callbacks = [LoggingCallback(), ResultsAggregatorCallback()]
    for callback in callbacks:
        callback.on_run_start(config=config, config_name="config")
    for callback in callbacks:
        callback.on_job_start(config=config, task_function=len)
    for callback in callbacks:
        callback.on_job_end(config=config, job_return=job_return)
    for callback in callbacks:
        callback.on_run_end(config=config, config_name="config", job_return=job_return)
    assert (root / "results.json").is_file()
