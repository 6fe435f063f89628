"""Files whose last line says what they hold."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intruders import INTRUDERS
from journals import Fresh

from hydra_callback_kit.views.seal import is_as_sealed, write_sealed


@given(st.binary(max_size=500), st.sampled_from([("<!--", "-->"), ("/*", "*/")]), st.data())
def test_what_was_sealed_is_known_and_what_was_edited_is_not(
    fresh: Fresh, content: bytes, comment: tuple[str, str], data: st.DataObject
) -> None:
    """Any byte that is changed, taken away or put in."""
    file = fresh("sealed") / "file"
    half = data.draw(st.integers(0, len(content)))
    write_sealed(file, [content[:half], content[half:], b""], *comment)
    whole = file.read_bytes()
    assert is_as_sealed(file)
    assert whole.startswith(content)
    at, until = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 3))
    edited = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + until :]
    file.write_bytes(edited)
    assert is_as_sealed(file) == (edited == whole)


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_nothing_else_is_taken_for_it(tmp_path: Path, intruder: str) -> None:
    """Nothing is opened that is no file, and a link to a sealed file is not one."""
    INTRUDERS[intruder](tmp_path / "file")
    assert not is_as_sealed(tmp_path / "file")
    assert not is_as_sealed(tmp_path / "nothing")
    write_sealed(tmp_path / "sealed", [b"x"], "/*", "*/")
    (tmp_path / "link").symlink_to("sealed")
    assert not is_as_sealed(tmp_path / "link")
