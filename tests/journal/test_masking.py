"""The marks that stand for secrets: which of them stand for the same."""

import pytest

from hydra_callback_kit.journal.masking import pairs_of_marks

OLD, NEW, OTHER = "<redacted 11111>", "<redacted 22222>", "<redacted 33333>"


@pytest.mark.parametrize(
    ("first", "overrides", "pairs"),
    [
        ([f"key={OLD}"], [f"key={NEW}"], [(NEW, OLD)]),
        ([f"+key={OLD}"], [f"++key={NEW}"], [(NEW, OLD)]),
        ([f"++key={OLD}"], [f"key={NEW}"], [(NEW, OLD)]),
        ([f"url=a:{OLD}@b,{OTHER}"], [f"url=a:{NEW}@b,{OLD}"], [(NEW, OLD), (OLD, OTHER)]),
        ([f"a={OLD}", "x=1", f"b={OTHER}"], ["x=2", f"b={NEW}", f"a={OTHER}"], [(NEW, OTHER), (OTHER, OLD)]),
        ([f"url=a:{OLD}@b"], [f"url=a:{NEW}@c"], []),
        ([f"key={OLD}"], [f"other={NEW}"], []),
        ([f"key={OLD}"], ["key=1"], []),
        (["key=1"], [f"key={NEW}"], []),
        ([], [f"key={NEW}"], []),
        ([f"key={OLD}"], [f"lock=1={NEW}", f"key={OLD}={NEW}"], []),
        ([f"key=a={OLD}"], [f"key=a={NEW}"], [(NEW, OLD)]),
        ([f"Xkey={OLD}"], [f"key={NEW}"], []),
    ],
)
def test_a_mark_goes_with_the_one_in_its_place(first: list[str], overrides: list[str], pairs: list[tuple[str, str]]) -> None:
    """Of the override of the same key, where all but the marks is the same; `+` is no part of it."""
    assert list(pairs_of_marks(first, overrides)) == pairs
