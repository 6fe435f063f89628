"""Lines that are kept in memory: the latest ones, and adding one takes no longer the more there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal import kept_lines
from hydra_callback_kit.journal.kept_lines import LatestLines


@given(lines=st.lists(st.binary(max_size=30), max_size=40), limit=st.integers(0, 200))
def test_the_latest_are_kept(lines: list[bytes], limit: int) -> None:
    """As many as there is room for, in their order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_lines, "MAX_KEPT", limit)
        kept = LatestLines()
        for line in lines:
            kept.add(line)
    start = next(place for place in range(len(lines) + 1) if sum(map(len, lines[place:])) <= limit)
    assert list(kept) == lines[start:] or b"".join(kept) == b"".join(lines[start:])
    if kept:
        assert kept.oldest() == kept.take()


def test_a_line_more_takes_no_longer_the_more_there_are() -> None:
    """Nothing that is kept is looked at again for it."""
    looked_at = 0

    class Line(bytes):
        def __len__(self) -> int:
            nonlocal looked_at
            looked_at += 1
            return super().__len__()

    kept = LatestLines()
    for _ in range(1_000):
        kept.add(Line(b"x"))
    assert looked_at == 1_000
