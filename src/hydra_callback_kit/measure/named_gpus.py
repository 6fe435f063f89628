"""Which GPUs the value of `CUDA_VISIBLE_DEVICES` names, read as CUDA reads it."""

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

_Gpu = TypeVar("_Gpu")

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")
"""Of a longer one the beginning is more than there are GPUs."""
_UUID: Final = re.compile(r"(GPU|MIG)-.")


def named_gpus(visible: str, find: Callable[[int | str], _Gpu | None]) -> list[tuple[str, _Gpu]]:
    """Finds the GPUs that a value names, in its order, each with the word that names it.

    A number may have more behind it: `0a` is 0. All words have to be of one kind, numbers or UUIDs. One that names no GPU
    hides those behind it. Where a GPU is named twice, there is none at all.

    Args:
        visible: the value.
        find: finds a GPU by its number, or by its UUID or the beginning of that; None if there is none.
    """
    named: list[tuple[str, _Gpu]] = []
    kind = None
    for text in visible.split(","):
        word = _read(text.strip())
        if word is None or kind not in (None, type(word)):
            break
        kind = type(word)
        gpu = find(word)
        if gpu is None:
            break
        if any(gpu == other for _, other in named):
            return []
        named.append((str(word), gpu))
    return named


def only_one_called(word: str, gpus: Iterable[tuple[str, _Gpu]]) -> _Gpu | None:
    """The GPU whose UUID a word is, in capitals or not, or the beginning of one; None if there is none, or another one.

    Args:
        word: the word.
        gpus: the UUIDs, each with the GPU that has it.
    """
    said = word.lower()
    found = [gpu for uuid, gpu in gpus if uuid.lower().startswith(said) or (uuid and said.startswith(uuid.lower()))]
    return found[0] if len(found) == 1 else None


def _read(word: str) -> int | str | None:
    number = _NUMBER.match(word)
    if number is not None:
        return int(number[0]) if int(number[0]) >= 0 else None
    return word if _UUID.match(word) else None
