"""One config against all checks: everything is found at once, nothing is changed, and no secret is shown."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from apps import without_numbers
from omegaconf import DictConfig, OmegaConf
from pydantic import BaseModel, field_validator

from hydra_callback_kit.checks import plain as plain_config
from hydra_callback_kit.checks.config_check import ConfigCheck
from hydra_callback_kit.checks.model import ModelCheck
from hydra_callback_kit.checks.schema import SchemaCheck
from hydra_callback_kit.checks.violation import ABSENT, Violation
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.masking import is_mark


class Adam(BaseModel):
    """One member of a union."""

    kind: Literal["adam"]
    lr: float


class Sgd(BaseModel):
    """The other."""

    kind: Literal["sgd"]
    lr: float
    momentum: float


class Model(BaseModel):
    """A user's model."""

    optim: Adam | Sgd
    sizes: list[int] = []
    token: str = ""

    @field_validator("token")
    @classmethod
    def long_enough(cls, token: str) -> str:
        """Says more than it should."""
        if len(token) < 10:
            raise ValueError(f"the token {token} is short")
        return token


class Mode(enum.Enum):
    """A user's enum."""

    FAST = 1


@dataclass
class Structured:
    """A structured config."""

    mode: Mode = Mode.FAST
    where: Path = Path("here")


def check(config: object, **checks) -> dict[str, Violation]:
    """What is wrong with a config, by key; the config must stay as it was."""
    node = config if isinstance(config, DictConfig) else OmegaConf.create(config)
    before = OmegaConf.to_yaml(node)
    found = ConfigCheck(Redaction(), **checks).violations(node)
    assert OmegaConf.to_yaml(node) == before
    assert len({(violation.key, violation.problem) for violation in found}) == len(found)
    return {violation.key: violation for violation in found}


def test_a_required_key_is_there_and_has_a_value() -> None:
    """Absent and `???` are violations, directly or through an interpolation; null is a value."""
    config = {"a": {"lr": 1, "none": None, "gap": "???"}, "to_gap": "${a.gap}", "to_nowhere": "${nope}", "fine": "${a.lr}"}
    keys = ["a.lr", "a.none", "fine", "a.gap", "to_gap", "to_nowhere", "a.nope", "a.lr.deeper"]
    assert list(check(config, required_keys=keys)) == ["a.gap", "to_gap", "to_nowhere", "a.nope", "a.lr.deeper"]


@pytest.mark.parametrize(("key", "nearest"), [("optim.learning_rat", "optim.learning_rate"), ("learning_rate", "optim.l")])
def test_a_missing_key_suggests_the_nearest(key: str, nearest: str) -> None:
    """A typing mistake, and a key given without the node it lies in."""
    assert f"(did you mean {nearest}" in check({"optim": {"learning_rate": 1}}, required_keys=[key])[key].problem


def test_forbid_missing_finds_gaps_and_loose_ends() -> None:
    """At any depth, in lists too; the value shown is what was written."""
    config = {
        "a": [{"b": "???"}, "???", "${nope}"],
        "c": "${oc.env:NO_SUCH_VARIABLE_HERE}",
        "self": {"again": "${self}"},
        "d": "${a.0.b}",
    }
    found = check(config, forbid_missing=True)
    assert set(found) >= {"a.0.b", "a.1", "a.2", "c", "d"}
    assert found["a.2"].value == "${nope}"
    assert found["a.0.b"].value is ABSENT
    assert any(key.startswith("self") for key in found), "a config that contains itself has an end"
    assert check({"a": "${b}", "b": None, "c": []}, forbid_missing=True) == {}


def test_a_schema_names_each_key() -> None:
    """Type, range, choice, a key too many and one too few, each by its full key."""
    schema = {
        "required": ["seed", "lr"],
        "properties": {
            "lr": {"type": "number", "exclusiveMinimum": 0},
            "optim": {
                "additionalProperties": False,
                "properties": {"name": {"enum": ["adam", "sgd"]}},
                "required": ["name"],
            },
            "sizes": {"items": {"type": "integer"}},
        },
    }
    config = {"lr": -1, "optim": {"nmae": "adam"}, "sizes": [1, "x"], "seed": "???", "copy": "${lr}"}
    found = check(config, schema=SchemaCheck(schema))
    assert set(found) == {"lr", "optim.nmae", "optim.name", "sizes.1", "seed"}
    assert found["lr"].problem == "must be more than 0"
    assert found["lr"].value == -1
    assert "did you mean name?" in found["optim.nmae"].problem
    assert check({"lr": 1, "seed": 0, "optim": {"name": "sgd"}}, schema=SchemaCheck(schema)) == {}


def test_a_schema_sees_structured_values() -> None:
    """Enums by name and paths as text, as they are written on the command line."""
    schema = {"properties": {"mode": {"const": "FAST"}, "where": {"type": "string"}}}
    assert check(OmegaConf.structured(Structured()), schema=SchemaCheck(schema)) == {}


@pytest.mark.parametrize("schema", [{"$ref": "https://example.org/x.json"}, {"$ref": "#/nowhere"}, {"pattern": "("}])
def test_a_schema_that_cannot_be_applied_accepts_nothing(schema: dict[str, str]) -> None:
    """A reference that leads elsewhere is not fetched; what could not be checked is not valid."""
    try:
        of_schema = SchemaCheck({"properties": {"x": schema}})
    except ValueError:
        return  # found even sooner
    assert "cannot be checked" in check({"x": "a"}, schema=of_schema)[""].problem


def test_a_model_names_each_key() -> None:
    """The path is the config's, without the names of a union's members; a value is not converted in the config."""
    found = check({"optim": {"kind": "sgd", "lr": "fast"}, "sizes": ["1", "x"]}, model=ModelCheck(Model))
    assert {"optim.lr", "optim.momentum", "sizes.1"} <= set(found)
    assert found["sizes.1"].value == "x"
    assert check({"optim": {"kind": "adam", "lr": "0.1"}}, model=ModelCheck(Model)) == {}
    assert check(OmegaConf.structured(Structured()), model=ModelCheck(Structured)) == {}
    assert set(check({"x": "a"}, model=ModelCheck(dict[str, int]))) == {"x"}


def test_a_model_whose_validator_fails_accepts_nothing() -> None:
    """Pydantic lets most exceptions of a validator through."""

    class Broken(BaseModel):
        x: int

        @field_validator("x")
        @classmethod
        def broken(cls, x: int) -> int:
            return {}[x]

    assert "KeyError" in check({"x": 1}, model=ModelCheck(Broken))[""].problem


def test_an_interpolation_without_a_value_cannot_be_validated() -> None:
    """A schema or a model needs values: where there is none, that is what is wrong."""
    assert set(check({"x": "${nope}"}, schema=SchemaCheck(True))) == {"x"}


def test_no_secret_is_shown() -> None:
    """Not as a value, not inside one, and not in the words of a validator."""
    config = {"token": "hunter2", "optim": {"kind": "adam", "lr": {"password": "swordfish"}}, "n": {"api_key": "${nope}xyz"}}
    schema = SchemaCheck({"properties": {"token": {"maxLength": 3}, "optim": {"type": "string"}}})
    found = check(config, model=ModelCheck(Model), schema=schema, forbid_missing=True)
    assert is_mark(found["token"].value)
    assert not {secret for secret in ("hunter2", "swordfish", "xyz") if secret in str(found)}


def test_secrets_are_replaced_as_words() -> None:
    """A short secret does not turn every letter of the message into stars."""
    try:
        raise ValueError("token a is bad: a")
    except ValueError as error:
        problem = ConfigCheck(Redaction()).not_composed(error, ["db.token=a"]).problem
    assert without_numbers(problem) == "cannot be composed: token <redacted> is bad: <redacted>"


def test_a_config_that_cannot_be_composed_says_why_without_secrets() -> None:
    """Hydra's words on one line, the cause included, the value of a secret override not."""
    try:
        try:
            raise KeyError("Value 'hunter2' of type 'str' is bad\n    full_key: db.token\n    object_type=dict")
        except KeyError as cause:
            raise ValueError("Error merging override db.token=hunter2") from cause
    except ValueError as error:
        problem = ConfigCheck(Redaction()).not_composed(error, ["db.token='hunter2'"]).problem
    assert without_numbers(problem).startswith("cannot be composed: Error merging override db.token=<redacted>; ")
    assert "hunter2" not in problem
    assert "\n" not in problem


def test_a_list_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once for each of its items: how an item was written is asked only where it has no value."""
    asked: list[object] = []
    monkeypatch.setattr(plain_config, "_written", lambda node, key: asked.append(key))
    found = plain_config.plain(OmegaConf.create({"items": [1, "???", {"a": [2, 3]}]}))
    assert (found.values, found.missing, asked) == ({"items": [1, None, {"a": [2, 3]}]}, ["items.1"], [1])
