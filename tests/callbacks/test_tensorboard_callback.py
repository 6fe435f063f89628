"""What `tensorboard_callback` takes."""

import re
from typing import Any

import pytest

from hydra_callback_kit import ParameterError, TensorboardCallback


@pytest.mark.parametrize(
    "directory",
    [
        *("", " ", "/srv/x", "..", "a/../../b", "metrics.jsonl", "metrics.jsonl/x", "./metrics.jsonl", ".callbacks"),
        *("a\0b", "x" * 256, "é" * 128, "\ud800", None, ["a"], {"a": 1}),
    ],
)
def test_what_is_refused(directory: Any) -> None:
    """As it is built, before any job."""
    allowed = "allowed is a directory in the job's directory, but metrics.jsonl and .callbacks. Write for example directory="
    with pytest.raises(ParameterError, match=re.escape(allowed)) as caught:
        TensorboardCallback(directory=directory)
    assert caught.value.parameter == "directory"


@pytest.mark.parametrize("directory", ["tensorboard", ".", "a/b", "./a", ".hydra", "x" * 255, "a b", 5])
def test_what_is_taken(directory: Any) -> None:
    """Any directory in the job's."""
    assert TensorboardCallback(directory=directory).directory == str(directory)
