"""Profiles of a thread, and what becomes of many samples."""

import sys
import threading
from pathlib import Path

import pytest

from hydra_callback_kit.measure.function_name import named
from hydra_callback_kit.measure.other_profiler import other_profiler
from hydra_callback_kit.measure.profiles import PROFILERS, profile_of
from hydra_callback_kit.measure.sampled_profile import _FOLDED_AT, SampledProfile, _Samples


def spin(calls: int) -> int:
    """Takes a while."""
    return sum(sum(range(100)) for _ in range(calls))


def hold() -> bytes:
    """Takes memory."""
    return bytes(20_000_000)


@pytest.mark.parametrize("profiler", PROFILERS)
def test_a_profile_names_the_function_that_took_most(tmp_path: Path, profiler: str) -> None:
    """What was written is there, and says it too."""
    profile = profile_of(profiler, tmp_path / "profile", "Job 0 of app")
    profile.start()
    held = hold()
    spin(50_000 if profiler != "memray" else 1)
    profile.stop()
    del held
    files, top, share = profile.write()
    assert all(file.stat().st_size for file in files)
    expected = {"pyinstrument": ("sum", "spin", "<genexpr>"), "cprofile": ("<built-in method builtins.sum>",)}
    assert str(top).startswith(expected.get(profiler, "hold (test_profiles.py"))
    assert 0.2 < share <= 1


def test_a_function_that_was_never_seen_is_none(tmp_path: Path) -> None:
    """It was over before the first sample."""
    profile = SampledProfile(tmp_path / "profile", "Job 0")
    profile.start()
    profile.stop()
    profile._samples.clear()
    assert profile.write()[1:] == (None, 0.0)


def test_samples_of_the_same_lines_are_added_up() -> None:
    """Once there are many; the time is the same, and nothing is lost of a few."""
    samples = _Samples()
    for number in range(5 * _FOLDED_AT):
        samples.append((["main", f"line {number % 7}"], 0.5))
    assert len(samples) < _FOLDED_AT
    assert samples.seen == 5 * _FOLDED_AT
    assert sum(took_s for _, took_s in samples) == 2.5 * _FOLDED_AT
    assert {tuple(stack) for stack, _ in samples} == {("main", f"line {number}") for number in range(7)}


def test_of_deep_recursion_the_middle_is_left_out(tmp_path: Path) -> None:
    """Pyinstrument takes minutes for a page of some thousand calls in one another."""
    samples, frames = _Samples(), [f"f\0app.py\0{number}" for number in range(5_000)]
    samples.append((frames, 0.1))
    samples.append((frames[:200], 0.1))
    (deep, _), (shallow, _) = samples
    assert (deep[:100], deep[101:]) == (frames[:100], frames[-100:])
    assert "calls left out" in deep[100]
    assert shallow == frames[:200]


def test_what_pyinstrument_sees_goes_into_them(tmp_path: Path) -> None:
    """This release of it appends each sample to the list that it was given."""
    profile = SampledProfile(tmp_path / "profile", "Job 0")
    profile.start()
    spin(20_000)
    profile.stop()
    assert profile._samples.seen == len(profile._samples) > 0


def test_what_else_is_at_work_is_named() -> None:
    """In the thread that asks; other threads have their own."""
    found = []

    def watch(*_: object) -> None:
        pass

    def look() -> None:
        found.append(other_profiler())
        sys.setprofile(watch)
        found.append(other_profiler())
        sys.setprofile(None)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found[1].endswith("watch")
    assert not found[0].endswith("watch")


def test_what_is_built_in_has_no_file() -> None:
    """Others have the name of theirs."""
    assert named("sum", "<built-in>", 0) == "sum"
    assert named("step", "/a/b/train.py", 12) == "step (train.py:12)"
