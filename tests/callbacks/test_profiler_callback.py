"""The parameters of `profiler_callback`."""

import importlib.util

import pytest

from hydra_callback_kit.callbacks.profiler_callback import ProfilerCallback
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError
from hydra_callback_kit.views.profiles import in_words


@pytest.mark.parametrize(
    ("parameter", "given"),
    [("profiler", "perf"), ("jobs", "last"), ("jobs", []), ("jobs", [-1]), ("jobs", ["a"]), ("jobs", True), ("jobs", 3)],
)
def test_what_is_not_allowed_is_named(parameter: str, given: object) -> None:
    """As the callback is built."""
    with pytest.raises(ParameterError) as refused:
        ProfilerCallback(**{parameter: given})
    assert refused.value.parameter == parameter


@pytest.mark.parametrize(
    ("profiler", "advice"), [("pyinstrument", "hydra-callback-kit[profile]"), ("memray", "pip install memray")]
)
def test_a_profiler_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, profiler: str, advice: str) -> None:
    """With what to type; cProfile is part of Python."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ParameterError) as refused:
        ProfilerCallback(profiler=profiler)
    assert advice in str(refused.value)
    assert isinstance(refused.value, NotInstalledError) is (profiler == "pyinstrument")
    ProfilerCallback(profiler="cprofile")


def test_what_a_profile_comes_to_in_words() -> None:
    """A journal may be anybody's."""
    files = {"files": ["profile.html"]}
    said = in_words({"profiler": "pyinstrument", "top": "step (a.py:1)", "top_share": 0.834, **files})
    assert said == "pyinstrument: step (a.py:1) took 83% of the time"
    assert in_words({"profiler": "memray", "top": "f", "top_share": 1, **files}) == "memray: f allocated 100% of the peak"
    assert in_words({"profiler": "cprofile", "top": None, **files}) == "cprofile: nothing was seen"
    assert in_words({"profiler": "memray", "top": "f", "top_share": 0.5, "cut_short": True, **files}).endswith("; cut short")
    assert in_words({"profiler": 7}) == "7: no profile"
