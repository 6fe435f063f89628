"""TensorBoard's event files as we write and read them; what TensorBoard itself reads, the tests of sweeps try."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh

from hydra_callback_kit.trackers import event_file
from hydra_callback_kit.trackers.event_file import (
    Event,
    EventFile,
    events_in,
    last_step_beside,
    record,
    scalars_event,
    write_whole,
)

EVENTS = st.lists(st.builds(Event, st.floats(0, 4e9), st.binary(max_size=300)), max_size=5)


def test_the_checksum() -> None:
    """That of the standard's example, turned back."""
    masked = event_file._masked(b"123456789")
    turned = (masked - 0xA282EAD8) & 0xFFFFFFFF
    assert (turned << 15 | turned >> 17) & 0xFFFFFFFF == 0xE3069283


@given(EVENTS, EVENTS, st.data())
def test_events_are_read_back(fresh: Fresh, before: list[Event], added: list[Event], data: st.DataObject) -> None:
    """Those that were written at once and those that were appended; of a file that was cut off, those that are whole."""
    path = fresh("events") / "x.tfevents"
    write_whole(path, before)
    file = EventFile(path)
    for event in added:
        file.write(event)
    file.close()
    assert list(events_in(path)) == before + added
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    left = list(events_in(path))
    assert left == (before + added)[: len(left)]
    assert len(b"".join(map(record, left))) <= path.stat().st_size


@given(st.binary(max_size=200))
def test_any_file_can_be_read(fresh: Fresh, content: bytes) -> None:
    """What is no event file has no events."""
    path = fresh("any") / "x.tfevents"
    path.write_bytes(content)
    assert list(events_in(path)) == []


@given(st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(st.characters(exclude_categories=[])))
def test_any_scalar_can_be_written(step: int, value: float, tag: str) -> None:
    """Also what single precision has not, and half a surrogate pair."""
    assert scalars_event(0, step, [(tag, value)]).content


def test_a_known_event() -> None:
    """As protocol buffers have it: step 300, a summary with the tag `a` and the value 1."""
    event = scalars_event(1.0, 300, [("a", 1.0)])
    assert event.content == bytes.fromhex("10ac02") + bytes.fromhex("2a0a0a080a0161150000803f")
    assert record(event)[12:21] == bytes.fromhex("09000000000000f03f")


def test_no_file(tmp_path: Path) -> None:
    """It has no events."""
    assert list(events_in(tmp_path / "none")) == []


@given(st.lists(st.integers(0, 2**63 - 1), max_size=5), st.binary(max_size=40))
def test_the_last_step_of_the_files_beside(fresh: Fresh, steps: list[int], garbage: bytes) -> None:
    """Large events, those without a step and what is no event file of anybody's included."""
    directory = fresh("beside")
    ours = directory / "events.out.tfevents.ours"
    write_whole(ours, [scalars_event(0.0, 2**62, [("ours", 1.0)])])
    events = [scalars_event(0.0, step, [("a long tag " * 20, 1.0)]) for step in steps]
    write_whole(directory / "events.out.tfevents.theirs", [event_file.version_event(0.0), *events])
    (directory / "broken.tfevents").write_bytes(garbage)
    (directory / "a directory.tfevents").mkdir()
    assert last_step_beside(ours) == max(steps, default=0)
