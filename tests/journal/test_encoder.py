"""What the encoder writes, to the letter, and where exactly it cuts."""

import dataclasses
import enum
import sys
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pydantic
import pytest
from omegaconf import OmegaConf

from hydra_callback_kit.journal.encoder import (
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_REPR,
    MAX_STRING,
    MAX_VALUES,
    to_json,
    whole_text,
    whole_texts,
)
from hydra_callback_kit.journal.values import MAX_INT_BITS


class Colour(enum.Enum):
    """A key, or a value."""

    RED = 1


@attrs.define
class Attrs:
    """Has fields that attrs knows."""

    a: int = 1


class Model(pydantic.BaseModel):
    """Has fields that pydantic knows."""

    b: float = 0.5


@dataclasses.dataclass
class Data:
    """Has fields that Python knows."""

    c: str = "NaN"


class Says:
    """Has this `repr`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


SAYS = f"{__name__}.Says"


def of_package(module: str, kind: str, **attributes: Any) -> Any:
    """A value of a class of that name, as a package has it that need not be installed."""
    return type(kind, (), {"__module__": module, **attributes})()


def without_secret(text: str) -> str:
    """As the callbacks take one out."""
    return text.replace("secret", "***")


def nested(depth: int, inner: Any = 1) -> Any:
    """A value in so many lists."""
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_a_text_that_reads_like_a_number_is_marked_as_a_text(name: str) -> None:
    """Alone, among others and in what is never cut."""
    marked = {"repr": name, "type": "str"}
    assert to_json([name, "a"]) == whole_texts([name, "a"]) == [marked, "a"]
    assert whole_text(name) == marked
    assert whole_text("x" * 2 * MAX_STRING) == "x" * 2 * MAX_STRING


def test_a_text_is_cut_once_it_is_too_long() -> None:
    """One character earlier it is whole."""
    assert to_json("x" * MAX_STRING) == "x" * MAX_STRING
    long = "x" * MAX_STRING + "y"
    assert to_json(long) == {"repr": "x" * MAX_STRING, "type": "str", "length": MAX_STRING + 1}


def test_an_integer_is_whole_up_to_its_bound() -> None:
    """A larger one is written in hexadecimal."""
    largest = (1 << MAX_INT_BITS) - 1
    assert to_json([largest, -largest]) == [largest, -largest]
    assert to_json(largest + 1) == {"repr": hex(largest + 1), "type": "int"}


def test_a_repr_is_cut_once_it_is_too_long() -> None:
    """One character earlier it is whole; what is cut fills the room that there is."""
    assert to_json(Says("x" * MAX_REPR)) == {"repr": "x" * MAX_REPR, "type": SAYS}
    cut = to_json(Says("x" * (MAX_REPR + 1)))["repr"]
    assert len(cut) == MAX_REPR
    assert "..." in cut
    many = [Says("x" * 150) for _ in range(MAX_ITEMS + 1)]
    cut = to_json(many)
    assert (cut["type"], cut["length"], len(cut["repr"])) == ("list", MAX_ITEMS + 1, MAX_REPR)
    assert cut["repr"].startswith("[" + "x" * 150 + ", xxx")
    assert cut["repr"].endswith("x…")


def test_containers_are_whole_up_to_their_bound() -> None:
    """With one item more, the `repr` of a few and the length stand for them."""
    assert len(to_json(set(range(MAX_ITEMS)))) == len(to_json(dict.fromkeys(range(MAX_ITEMS)))) == MAX_ITEMS
    items = range(MAX_ITEMS + 1)
    few = ", ".join(map(str, range(10)))
    assert to_json(list(items)) == {"repr": f"[{few}, ...]", "type": "list", "length": MAX_ITEMS + 1}
    assert to_json(tuple(items)) == {"repr": f"({few}, ...)", "type": "tuple", "length": MAX_ITEMS + 1}
    for kind in (set, frozenset):
        cut = to_json(kind(items))
        assert (cut["type"], cut["length"], cut["repr"].count(",")) == (kind.__name__, MAX_ITEMS + 1, 10)
    cut = to_json(dict.fromkeys(items))
    assert (cut["type"], cut["length"]) == ("dict", MAX_ITEMS + 1)
    assert cut["repr"].startswith("{0: None, 1: None, ")


def test_sets_have_an_order() -> None:
    """That of their items' `repr`, so that the same set is written the same."""
    assert to_json({"b", "a", 10, 9}) == ["a", "b", 10, 9]
    assert to_json(frozenset({2, 1})) == [1, 2]


def test_what_is_nested_too_deep_is_cut_there() -> None:
    """Lists, mappings and arrays; one level higher they are whole."""
    assert to_json(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    assert to_json(nested(MAX_DEPTH, [1])) == nested(MAX_DEPTH, {"repr": "[1]", "type": "list"})
    assert to_json(nested(MAX_DEPTH, {"a": 1})) == nested(MAX_DEPTH, {"repr": "{'a': 1}", "type": "dict"})
    array = np.array([1, 2])
    assert to_json(nested(MAX_DEPTH - 2, array)) == nested(MAX_DEPTH - 2, [1, 2])
    assert to_json(nested(MAX_DEPTH, array)) == nested(MAX_DEPTH, {"repr": "array([1, 2])", "type": "numpy.ndarray"})
    assert to_json(nested(MAX_DEPTH - 1, array)) == nested(MAX_DEPTH - 1, {"repr": "[1, 2]", "type": "list"})


def test_what_holds_itself_is_cut_where_it_comes_back() -> None:
    """A list in a list; the same one twice side by side is whole."""
    cycle: list[Any] = [1]
    cycle.append(cycle)
    assert to_json(cycle) == [1, {"repr": "[1, [1, [...]]]", "type": "list"}]
    mapping: dict[str, Any] = {}
    mapping["self"] = mapping
    assert to_json(mapping)["self"]["type"] == "dict"
    twice = [1]
    assert to_json([twice, twice]) == [[1], [1]]


def test_once_there_are_too_many_parts_what_follows_is_cut() -> None:
    """Containers to their `repr`, texts to fewer characters; numbers stay."""
    # the list, its parts and theirs: so many that the text after them is the last that may be long
    parts = [[0] * 999 for _ in range(9)] + [[0] * (MAX_VALUES - 9_002)]
    assert to_json([*parts, "x" * 99 * 2, [1]])[-1] == {"repr": "[1]", "type": "list", "length": 1}
    text = "x" * (MAX_REPR + 1)
    cut = {"repr": "x" * MAX_REPR, "type": "str", "length": MAX_REPR + 1}
    room = 1 + 9 * 1_000
    for spare, expected in ((3, text), (2, cut)):
        filled = [[0] * 999 for _ in range(9)] + [[0] * (MAX_VALUES - room - 1 - spare)]
        assert to_json([*filled, text, 7])[-2:] == [expected, 7]
    for spare, expected in ((1, [1]), (0, {"repr": "[1]", "type": "list", "length": 1})):
        filled = [[0] * 999 for _ in range(9)] + [[0] * (MAX_VALUES - room - 1 - spare)]
        assert to_json([*filled, [1]])[-1] == expected


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (Attrs(), {"a": 1}),
        (Model(), {"b": 0.5}),
        (Data(), {"c": {"repr": "NaN", "type": "str"}}),
        (Fraction(1, 4), 0.25),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.longdouble(0.5), 0.5),
        (np.longdouble("inf"), "Infinity"),
        (np.clongdouble(1 + 2j), {"repr": "(1+2j)", "type": "complex"}),
        (np.zeros((2, 0)), [[], []]),
        (enum.IntFlag("Flag", "A B")(1), "A"),
        (Attrs, {"repr": f"<class '{__name__}.Attrs'>", "type": "type"}),
        (SimpleNamespace(tolist=list), {"repr": "namespace(tolist=<class 'list'>)", "type": "types.SimpleNamespace"}),
        ({Colour.RED: Colour.RED}, {"RED": "RED"}),
        ({"repr": 1, "type": 2}, {"repr": {"repr": 1, "type": 2}, "type": "dict"}),
        ({"repr": 1}, {"repr": 1}),
    ],
)
def test_values_of_other_kinds_are_taken_by_content(value: Any, encoded: Any) -> None:
    """What attrs, pydantic and NumPy know, and what only looks like it."""
    assert to_json(value) == encoded
    assert type(to_json(value)) is type(encoded)


def test_a_large_array_is_cut_to_its_repr() -> None:
    """One item less and it is whole; its length is that of all its dimensions."""
    assert to_json(np.zeros((10, MAX_ITEMS // 10))) == np.zeros((10, MAX_ITEMS // 10)).tolist()
    cut = to_json(np.zeros(MAX_ITEMS + 1))
    assert (cut["type"], cut["length"]) == ("numpy.ndarray", MAX_ITEMS + 1)
    assert cut["repr"].startswith("array([0., 0., 0.")


def test_secrets_are_hidden_before_anything_is_cut() -> None:
    """In texts, keys, names and whatever an object says of itself."""
    long = "x" * (MAX_STRING - 3) + "secret"
    assert to_json(long, without_secret) == "x" * (MAX_STRING - 3) + "***"
    assert to_json({"a secret": ["secret", Says("my secret")]}, without_secret) == {
        "a ***": ["***", {"repr": "my ***", "type": SAYS}]
    }
    assert to_json({"secret": 1, "***": 2}, without_secret) == {"***": 1, "*** (str)": 2}
    assert to_json(["secret"] * (MAX_ITEMS + 1), without_secret)["repr"].count("'***'") == 10


def test_a_key_that_fails_or_comes_again_keeps_its_item() -> None:
    """It is named by its type."""

    class Broken:
        def __str__(self) -> str:
            raise SystemExit

        __hash__ = object.__hash__

    name = f"{Broken.__module__}.{Broken.__qualname__}"
    assert to_json({Broken(): 1, Broken(): 2}) == {f"<{name}>": 1, f"<{name}> ({name})": 2}
    assert to_json({"x" * (MAX_STRING + 5): 1}) == {"x" * MAX_STRING: 1}


@pytest.mark.parametrize("place", [lambda broken: broken, lambda broken: {broken: 1}, lambda broken: [broken]])
def test_ctrl_c_is_let_through(place: Callable[[Any], Any]) -> None:
    """Whatever a value's method does as it comes."""

    class Slow:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

        __hash__ = object.__hash__

    with pytest.raises(KeyboardInterrupt):
        to_json(place(Slow()))


def test_a_value_that_cannot_be_represented_is_its_type() -> None:
    """Its `repr` ends the process, or its content does."""

    class Ends:
        shape = ()

        def tolist(self) -> None:
            raise SystemExit

        def __repr__(self) -> str:
            raise SystemExit

    name = f"{Ends.__module__}.{Ends.__qualname__}"
    assert to_json([Ends(), 1]) == [{"repr": f"<{name}>", "type": name}, 1]


def test_what_cannot_be_resolved_is_as_it_was_written() -> None:
    """All of that container, and the others are resolved."""
    assert to_json([OmegaConf.create({"a": "${b}", "c": 1}), OmegaConf.create(["${.1}", 2])]) == [
        {"a": "${b}", "c": 1},
        [2, 2],
    ]


def test_what_has_labels_is_taken_by_them() -> None:
    """A Series, a frame of one row, a dataset of single values; those packages are not imported for it."""
    index = of_package("pandas.core.indexes.base", "Index")
    numbered = of_package("pandas.core.indexes.range", "RangeIndex")
    labels = {"a": 1, "b": 2.5}

    def series(index: Any, length: int, kind: str = "Series", module: str = "pandas.core.series") -> Any:
        return of_package(
            module, kind, index=index, __len__=lambda _: length, items=lambda _: labels.items(), __repr__=str_of
        )

    def str_of(value: Any) -> str:
        return f"a {type(value).__name__}"

    assert to_json(series(index, 2)) == to_json(series(index, MAX_ITEMS)) == labels
    for other in (series(numbered, 2), series(index, MAX_ITEMS + 1), series(index, 2, module="panda.series")):
        assert to_json(other)["repr"] == "a Series"
    assert to_json(series(index, 2, "Index"))["repr"] == "a Index"

    def frame(module: str, length: int, kind: str = "DataFrame") -> Any:
        row = SimpleNamespace(items=labels.items)

        def named_row(_: Any, number: int, *, named: bool) -> Any:
            return labels if (number, named) == (0, True) else tuple(labels.values())

        return of_package(module, kind, iloc=[row], height=length, row=named_row, __len__=lambda _: length, __repr__=str_of)

    for module in ("pandas.core.frame", "polars.dataframe.frame"):
        assert to_json(frame(module, 1)) == labels
        for other in (frame(module, 2), frame(module, 0), frame(module, 1, "Lazy"), frame("an" + module, 1)):
            assert to_json(other)["repr"] == str_of(other)

    def dataset(values: dict[str, Any], kind: str = "Dataset", module: str = "xarray.core.dataset") -> Any:
        return of_package(module, kind, items=lambda _: values.items(), __len__=lambda _: len(values), __repr__=str_of)

    several = {"loss": np.array(0.5), "one": np.array([3]), "curve": np.array([1, 2])}
    assert to_json(dataset(several)) == {"loss": 0.5, "one": 3}
    for other in (dataset({}), dataset(several, "DataArray"), dataset(several, module="array.core")):
        assert to_json(other)["repr"] == str_of(other)
    assert not {"polars", "xarray"} & set(sys.modules)
