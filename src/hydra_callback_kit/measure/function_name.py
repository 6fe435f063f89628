"""What a function is called in a profile's summary."""

from pathlib import PurePath


def named(function: str, file: str, line: int | str) -> str:
    """`step (train.py:12)`; of what is built in its name alone.

    Args:
        function: its name.
        file: its file, or what stands for one.
        line: where in the file.
    """
    return function if file in ("", "~", "<built-in>") else f"{function} ({PurePath(file).name}:{line})"
