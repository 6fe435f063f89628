"""What was written for a terminal, as it shows it in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.capture.readable import readable


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", ""),
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("\r 10%|#   |\r 20%|##  |\r100%|####|\ndone", "100%|####|\ndone"),
        ("\r100%|####|\r", "100%|####|"),
        ("long line\rshort", "shortline"),
        ("long line\r\x1b[Kshort", "short"),
        ("long line\x1b[2K\rshort", "short"),
        ("abc\x1b[2D\x1b[1Kx", " xc"),
        ("\x1b[1;31mred\x1b[0m and \x1b[38;5;12mblue\x1b[m", "red and blue"),
        ("a\x1b]0;a title\x07b\x1b]8;;https://x\x1b\\c", "abc"),
        ("first 0%\nsecond 0%\x1b[Afirst 9%\x1b[B\rsecond 9%\n", "first 0% first 9%\nsecond 9%\n"),
        ("0: 1\n1: 1\n\x1b[2A\r0: 2\n1: 2\n", "0: 2\n1: 2\n"),
        ("bar\n\x1b[1A\x1b[2Kthe end\n", "the end\n"),
        ("one\ntwo\n\x1b[2J\x1b[Hthree", "\n\nthree"),
        ("tipo\b\byp\b\b \by", "tiyp"),
        ("a\x1b[3Cb\x1b[2Gc", "ac  b"),
        ("up\x1b[99999A\x1b[0Jthere", "upthere"),
        ("\x1b[999999999Cx", " x"),
        ("half a sequence \x1b[", "half a sequence"),
        ("\x1b(Bplain\x1b=", "plain"),
        ("a tab\tstays   \n", "a tab\tstays\n"),
    ],
)
def test_what_a_terminal_shows(written: str, shown: str) -> None:
    """Progress bars once, no colours; spaces at the ends of lines are not to be seen."""
    assert readable(written) == shown


PIECES = st.sampled_from(
    ["a", "bc ", "\n", "\r", "\b", "\x1b[K", "\x1b[2K", "\x1b[A", "\x1b[2B", "\x1b[31m", "\x1b[J", "\x1b[5G"]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join))
def test_it_is_done_once(written: str) -> None:
    """What is shown holds nothing that moves or colours, is no taller than what was written, and stays as it is."""
    shown = readable(written)
    assert not set(shown) & set("\x1b\r\b")
    assert shown.count("\n") <= written.count("\n")
    assert readable(shown) == shown


@given(st.text().filter(lambda text: not set(text) & set("\x1b\r\b")))
def test_plain_text_is_shown_as_it_is(written: str) -> None:
    """But for spaces at the ends of lines."""
    assert readable(written).replace(" ", "") == written.replace(" ", "")


@given(
    st.text(st.characters(blacklist_characters="\x1b\r\b\n "), min_size=1),
    st.text(st.characters(blacklist_characters="\x1b\r\b\n ")),
)
def test_what_is_written_over_a_line_replaces_as_much_of_it(before: str, after: str) -> None:
    """And leaves the rest."""
    assert readable(f"{before}\r{after}") == after + before[len(after) :]
