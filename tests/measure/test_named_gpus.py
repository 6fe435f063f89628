"""Which GPUs a value of CUDA_VISIBLE_DEVICES names: what CUDA 13 said on a machine with one, and what a second one adds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.measure.named_gpus import named_gpus, only_one_called

UUIDS = ["GPU-6b26c371-0465", "GPU-6c000000-0001"]


def seen(visible: str, count: int = 1) -> list[int]:
    """The GPUs that are named, of so many."""

    def find(word: int | str) -> int | None:
        if isinstance(word, int):
            return word if word < count else None
        return only_one_called(word, zip(UUIDS[:count], range(count), strict=True))

    return [gpu for _, gpu in named_gpus(visible, find)]


@pytest.mark.parametrize(
    "visible",
    [
        *("0", " 0", "0 ", "00", "+0", "-0", "0x0", "0,1", "0,-1", "0,", "0,,0", "0 1", "0;1", "0a", "0.5"),
        *("GPU-6", "GPU-6b26", UUIDS[0], UUIDS[0].upper(), UUIDS[0] + "x", UUIDS[0] + ",1"),
        *("0," + UUIDS[0], UUIDS[0] + ",0"),
    ],
)
def test_what_names_the_only_gpu(visible: str) -> None:
    """So CUDA said, too."""
    assert seen(visible) == [0]


@pytest.mark.parametrize(
    "visible",
    [
        *(
            "",
            " ",
            ",0",
            "-1",
            "-1,0",
            "1,0",
            "7",
            "1" * 5000,
            "0,0",
            "a0",
            "1e0",
            "\N{ARABIC-INDIC DIGIT ZERO}",
            "NoDevFiles",
            "void",
        ),
        *("G", "GPU", "GPU-", "MIG-", UUIDS[0].lower(), UUIDS[0][4:], f"{UUIDS[0]},{UUIDS[0]}", f"MIG-{UUIDS[0]}/0/0"),
    ],
)
def test_what_names_none(visible: str) -> None:
    """So CUDA said, too: twice the same is an error there."""
    assert seen(visible) == []


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1,0", [1, 0]),
        ("GPU-6c,GPU-6b", [1, 0]),
        ("GPU-6", []),
        ("1,GPU-6b", [1]),
        ("GPU-6c,0", [1]),
        ("0,1,0", []),
        ("0,7,1", [0]),
    ],
)
def test_of_two_each_word_has_to_mean_one(visible: str, expected: list[int]) -> None:
    """And to be of the same kind as the first; as torch reads them, too."""
    assert seen(visible, 2) == expected


@given(st.text(), st.integers(0, 2))
def test_whatever_it_says_no_gpu_is_named_twice(visible: str, count: int) -> None:
    """And nothing is raised."""
    named = seen(visible, count)
    assert len(set(named)) == len(named) <= count
