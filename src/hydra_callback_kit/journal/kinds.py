"""What kind of exception a job failed by, told by the names of the classes that it comes from."""

from collections.abc import Collection, Sequence
from typing import Final

PRUNED: Final = "optuna.TrialPruned"
"""What a task function raises whose trial is given up, because it promises nothing."""


def is_one_of(kinds: Sequence[str], names: Collection[str]) -> bool:
    """Tells whether an exception is one of those that are named.

    Args:
        kinds: the names of all classes that it comes from, as `JobError.kinds` has them.
        names: names of classes. `TimeoutError` is one of that name from anywhere. `torch.cuda.OutOfMemoryError` is one of
            that name from anywhere in `torch`: packages name their exceptions by other modules than they define them in.
    """
    return any(_is(kind, name) for kind in kinds for name in names)


def is_pruned(kinds: Sequence[str]) -> bool:
    """Tells whether a job that failed by an exception was pruned.

    Args:
        kinds: as above.
    """
    return is_one_of(kinds, (PRUNED,))


def _is(kind: str, name: str) -> bool:
    name = name.removeprefix("builtins.")
    if kind.rpartition(".")[2] != name.rpartition(".")[2]:
        return False
    return "." not in name or kind.partition(".")[0] == name.partition(".")[0]
