"""Globs that are matched part by part while one goes down into a directory."""

import contextlib
import fnmatch
import importlib.util
import re
from typing import Any

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

import hydra_callback_kit
from hydra_callback_kit.hooks.globs import Globs, globs_below
from hydra_callback_kit.hooks.parameters import ParameterError


def matches(pattern: str, path: str) -> bool:
    """Whether a glob matches a path, gone down part by part."""
    globs = Globs([pattern])
    place = globs.start
    for name in path.split("/"):
        place = globs.below(place, name)
    return globs.match(place)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.ckpt", "a.ckpt", True),
        ("*.ckpt", "b/a.ckpt", False),
        ("**/*.ckpt", "a.ckpt", True),
        ("**/*.ckpt", "b/c/a.ckpt", True),
        ("./b/*", "b/a", True),
        ("b/**", "b", True),
        ("b/**", "b/c/d", True),
        ("b/**", "c/b", False),
        ("b/**/d", "b/d", True),
        ("[ab]?", "a1", True),
    ],
)
def test_what_matches(pattern: str, path: str, expected: bool) -> None:
    """`**` is any number of directories, also none; `*` never crosses a `/`."""
    assert matches(pattern, path) is expected


_NAMES = st.sampled_from(["a", "b", "ab", "a.ckpt", ".x"])


@given(
    st.lists(st.sampled_from(["a", "*", "**", "?b", "*.ckpt", "[!a]*"]), min_size=1, max_size=5),
    st.lists(_NAMES, min_size=1, max_size=5),
)
def test_it_matches_as_a_regular_expression_does(parts: list[str], names: list[str]) -> None:
    """The same, said at once and not part by part."""
    stars = "(?:[^/]+/)*"
    said = "".join(stars if part == "**" else f"(?:{fnmatch.translate(part)[4:-3]})/" for part in parts)
    flat = re.sub(r"(?<!\\)\.\*", "[^/]*", said).replace("(?>", "(?:").replace(".*?", "[^/]*?")
    assert matches("/".join(parts), "/".join(names)) is (re.fullmatch(flat, "/".join(names) + "/", re.DOTALL) is not None)


@pytest.mark.parametrize(
    "given", [[], "*.ckpt", ["/x"], ["../x"], ["a/../../x"], ["~/x"], ["C:/x"], ["a\\b"], ["."], ["a//b"], [""], [1], None]
)
def test_a_glob_that_leads_out_is_refused(given: object) -> None:
    """So is what is no list of globs."""
    with pytest.raises(ParameterError) as refused:
        globs_below("what", given, "['*.ckpt']")
    assert refused.value.parameter == "what"


@pytest.mark.parametrize(
    ("option", "parameter", "needed"),
    [
        ("keep_best_callback", "what", {"metric": "loss"}),
        ("mlflow_callback", "log_artifacts", {}),
        ("upload_callback", "what", {"to": "copies"}),
        ("upload_callback", "exclude", {"to": "copies"}),
    ],
)
@pytest.mark.parametrize("given", [3, True, 0.5])
def test_a_number_is_no_glob(
    monkeypatch: pytest.MonkeyPatch, option: str, parameter: str, needed: dict[str, object], given: object
) -> None:
    """As Hydra builds the callback, which would make a text of it; the error says how it is written as one."""
    found = importlib.util.find_spec  # nothing of MLflow is needed to look at parameters
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: found("json" if name == "mlflow" else name, *more))
    Plugins.instance()
    node: Any = ConfigStore.instance().repo["hydra"]["callbacks"][f"{option}.yaml"].node
    for globs, is_refused in (([given], True), ([str(given)], False)):
        built = OmegaConf.merge(node, needed, {parameter: globs})
        parameters = {name: built[name] for name in built if name != "_target_"}
        with pytest.raises(ParameterError, match=f"write '{given}'") if is_refused else contextlib.nullcontext():
            getattr(hydra_callback_kit, built._target_.rpartition(".")[2])(**parameters)
