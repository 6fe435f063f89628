"""Parameters that a callback has not, and sizes with units."""

import pytest
from apps import App

from hydra_callback_kit import LoggingCallback, ParameterError, RecordingCallback
from hydra_callback_kit.hooks.parameters import size_in_bytes


def test_a_wrong_name_gets_a_suggestion(app: App) -> None:
    """Behind `+`, where Hydra lets any name pass: the error says what was meant, before any job."""
    app.write("print('RAN')", "defaults:\n- callbacks: [logging_callback]\n- _self_\nx: 0")
    done = app.run("+hydra.callbacks.logging_callback.levl=DEBUG")
    assert done.code == 1
    assert "RAN" not in done.stdout
    assert "levl='DEBUG' is not valid" in done.stderr
    assert "Write level=DEBUG." in done.stderr


def test_the_error_carries_what_it_speaks_of() -> None:
    """The name and the value."""
    with pytest.raises(ParameterError) as raised:
        LoggingCallback(colour="red")
    assert (raised.value.parameter, raised.value.given) == ("colour", "red")
    with pytest.raises(ParameterError, match="has no parameters"):
        RecordingCallback(level=1)


def test_a_callback_of_ones_own_may_take_any_name() -> None:
    """One with `**kwargs` is not looked at."""

    class Any(RecordingCallback):
        def __init__(self, **kwargs: int) -> None:
            self.kwargs = kwargs

    assert Any(a=1).kwargs == {"a": 1}


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (0, 0), (1_000, 1_000), ("1_000", 1_000), ("10GB", 10 * 10**9), ("10 gb", 10 * 10**9), ("1.5 KiB", 1536),
        (1e9, 10**9), ("500MiB", 500 * 2**20), ("2T", None), ("-1", None), (-1, None), ("GB", None), (True, None),
        ("10 GBit", None),
    ],
)  # fmt: skip
def test_sizes(given: object, size: int | None) -> None:
    """A number of bytes, or one with a unit."""
    if size is not None:
        assert size_in_bytes("min_free_bytes", given) == size
        return
    with pytest.raises(ParameterError):
        size_in_bytes("min_free_bytes", given)
