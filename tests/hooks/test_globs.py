"""Globs that are matched part by part while one goes down into a directory."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
