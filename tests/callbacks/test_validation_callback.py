"""What the callback refuses to be built with, and the abort as an object."""

import json
import pickle
import sys
from pathlib import Path

import pytest
from apps import VERSION_BASE
from hydra import initialize_config_dir

from hydra_callback_kit import AbortRun, ParameterError, ValidationCallback


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"on_invalid": "maybe"}, "on_invalid"),
        ({"json_schema": "no_such_file.json"}, "json_schema"),
        ({"json_schema": "broken.json"}, "json_schema"),
        ({"json_schema": "broken.yaml"}, "json_schema"),
        ({"json_schema": "list.yaml"}, "json_schema"),
        ({"json_schema": {"type": "nonsense"}}, "json_schema"),
        ({"model": "no_such_module.Model"}, "model"),
        ({"model": "json.no_such_name"}, "model"),
        ({"model": "json.dumps.nothing"}, "model"),
        ({"model": "_thread.LockType"}, "model"),
        ({"required_keys": [""]}, "required_keys"),
        ({"forbid_duplicates": True, "check_sweep": False}, "forbid_duplicates"),
    ],
)
def test_bad_parameters_fail_as_it_is_built(parameters, named: str, tmp_path: Path, monkeypatch) -> None:
    """Before anything runs, with the parameter's name."""
    monkeypatch.chdir(tmp_path)
    Path("broken.json").write_text("{", "utf-8")
    Path("broken.yaml").write_text("a: [", "utf-8")
    Path("list.yaml").write_text("- a", "utf-8")
    with pytest.raises(ParameterError) as raised:
        ValidationCallback(**parameters)
    assert raised.value.parameter == named


@pytest.mark.parametrize(
    ("parameters", "library"), [({"json_schema": {}}, "jsonschema"), ({"model": "builtins.dict"}, "pydantic")]
)
def test_a_missing_extra_is_named(parameters, library: str, monkeypatch) -> None:
    """With what to type."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ParameterError, match=r"pip install 'hydra-callback-kit\[validation\]'") as raised:
        ValidationCallback(**parameters)
    assert library in raised.value.allowed


def test_a_schema_file_is_found(tmp_path: Path, monkeypatch) -> None:
    """In the app's config directory, beside it, or where the app was started, in this order."""
    (tmp_path / "app" / "conf").mkdir(parents=True)
    (tmp_path / "start").mkdir()
    monkeypatch.chdir(tmp_path / "start")
    for place in ("start", "app", "app/conf"):
        (tmp_path / place / "schema.json").write_text(json.dumps({"title": place}), "utf-8")
    with initialize_config_dir(str(tmp_path / "app" / "conf"), **VERSION_BASE):
        assert ValidationCallback(json_schema="schema.json").json_schema == {"title": "app/conf"}
        (tmp_path / "app/conf/schema.json").unlink()
        assert ValidationCallback(json_schema="schema.json").json_schema == {"title": "app"}
        (tmp_path / "app/schema.json").unlink()
        assert ValidationCallback(json_schema="schema.json").json_schema == {"title": "start"}
    assert ValidationCallback(json_schema=str(tmp_path / "start/schema.json")).json_schema == {"title": "start"}


@pytest.mark.parametrize(("exit_code", "code"), [(1, "stop"), (3, 3), (0, 0)])
def test_the_abort_survives_a_pickle(exit_code: int, code: object) -> None:
    """Workers send it home with its message and its exit code; Python ends the process as it says."""
    aborted = pickle.loads(pickle.dumps(AbortRun("stop", exit_code)))
    assert type(aborted) is AbortRun
    assert (aborted.message, aborted.exit_code, aborted.code, str(aborted)) == ("stop", exit_code, code, "stop")


def test_the_callback_survives_a_pickle() -> None:
    """Its copies in the workers know what it has checked, and need no file."""
    callback = ValidationCallback(json_schema={"type": "object"}, model="builtins.dict")
    assert vars(pickle.loads(pickle.dumps(callback))) == vars(callback)
