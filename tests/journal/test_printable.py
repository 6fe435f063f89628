"""Text of others on a terminal: no character of it does anything."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.printable import on_one_line, printable, printable_json

BIDI = [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]
texts = st.text(st.characters() | st.sampled_from([*BIDI, "\x1b", "\x9b", "\x7f", "\x85", "\u2028", "\u2029"]))


def is_harmless(text: str) -> bool:
    """Whether it neither controls a terminal nor turns or breaks a line."""
    return not any(unicodedata.category(each) in ("Cc", "Zl", "Zp", "Cs") or each in BIDI for each in text)


@given(texts)
def test_nothing_of_it_controls(text: str) -> None:
    """Line breaks and tabs stay where there may be several lines; all else that reads well stays as it is."""
    assert is_harmless(on_one_line(text))
    assert is_harmless(printable(text).replace("\n", "").replace("\t", ""))
    assert printable("\tä 東京\u200d 👍🏽\n") == "\tä 東京\u200d 👍🏽\n"
    assert is_harmless(text) is (on_one_line(text) == text)


@given(st.dictionaries(texts, texts))
def test_json_keeps_its_meaning(value: dict[str, str]) -> None:
    """What is escaped is the same text for whoever parses it."""
    shown = printable_json(json.dumps(value, ensure_ascii=False))
    assert is_harmless(shown)
    assert json.loads(shown) == value
