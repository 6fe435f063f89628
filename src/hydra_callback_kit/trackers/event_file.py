"""TensorBoard's event files, written and read without its libraries, which take a hundred megabytes and time to import.

A file is a row of records: the length, a checksum of it, an event, a checksum of that. An event is a protocol buffer. What
is written of a report is in the file as the call returns.
"""

import contextlib
import functools
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.views.files import put_in_place

VERSION: Final = "brain.Event:2"

_HEAD: Final = struct.Struct("<QI")
_CHECKSUM: Final = struct.Struct("<I")
_WALL_TIME: Final = struct.Struct("<Bd")
_SEVEN_BITS: Final = 0x7F
_LONGEST_STEP: Final = 11
"""Bytes of a step, with what says that it is one."""
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
"""How protocol buffers call these on the wire."""


class Event(NamedTuple):
    """An event.

    Attributes:
        time_s: seconds since 1970.
        content: all but the time, encoded.
    """

    time_s: float
    content: bytes


def version_event(time_s: float) -> Event:
    """The first event of a file."""
    return Event(time_s, _bytes(3, VERSION.encode()))


def start_event(time_s: float, step: int) -> Event:
    """Says that what was written before of this step and of later ones does not count."""
    return Event(time_s, _number(2, step) + _bytes(7, _number(1, 1)))


def scalars_event(time_s: float, step: int, values: Iterable[tuple[str, float]]) -> Event:
    """Scalars of one step, by their tags."""
    summary = b"".join(_bytes(1, _tag(tag) + _float(2, value)) for tag, value in values)
    return Event(time_s, _number(2, step) + _bytes(5, summary))


def plugin_event(time_s: float, tag: str, plugin: str, data: bytes) -> Event:
    """What a plugin of TensorBoard's keeps under a tag."""
    metadata = _bytes(1, _bytes(1, plugin.encode()) + _bytes(2, data))
    return Event(time_s, _bytes(5, _bytes(1, _tag(tag) + _bytes(9, metadata))))


def hparams_start(values: Iterable[tuple[str, bool | float | str]]) -> bytes:
    """The data of the plugin `hparams` that say with which values a session has started."""
    return _number(1, 0) + _bytes(
        3, b"".join(_bytes(1, _bytes(1, _text(name)) + _bytes(2, _value(value))) for name, value in values)
    )


def hparams_end(*, success: bool) -> bytes:
    """Those that say how it has ended."""
    return _number(1, 0) + _bytes(4, _number(1, 1 if success else 2))


class EventFile:
    """A file that events are appended to, each by one write.

    Args:
        path: its place, where nothing lies or a file that is whole.

    Raises:
        OSError: if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        flags |= sum(getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"))
        self._descriptor = os.open(path, flags, 0o666)

    def write(self, event: Event) -> None:
        """Appends an event. After one that could not be written whole nothing can follow.

        Raises:
            OSError: if it cannot be written.
        """
        data = record(event)
        if self._descriptor < 0 or os.write(self._descriptor, data) < len(data):
            self.close()
            raise OSError("the file of TensorBoard's events could not be written")

    def close(self) -> None:
        """Closes it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def write_whole(path: Path, events: Iterable[Event]) -> None:
    """Writes a file in one step, in place of the one that is there.

    Raises:
        OSError: if it cannot be written.
    """
    with put_in_place(path, lambda _: True, lambda *_: None) as written:
        written.write_bytes(b"".join(map(record, events)))


def record(event: Event) -> bytes:
    """An event as it stands in a file."""
    data = _WALL_TIME.pack(1 << 3 | _DOUBLE, event.time_s) + event.content
    length = struct.pack("<Q", len(data))
    return length + _CHECKSUM.pack(_masked(length)) + data + _CHECKSUM.pack(_masked(data))


def events_in(path: Path) -> Iterator[Event]:
    """The events of a file, up to the first that is not whole; none where there is no file."""
    with contextlib.suppress(OSError), open_regular(path) as file:
        while True:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            length, checksum = _HEAD.unpack(head)
            if checksum != _masked(head[:8]):
                return
            data, end = file.read(length), file.read(_CHECKSUM.size)
            if len(end) < _CHECKSUM.size or _CHECKSUM.unpack(end)[0] != _masked(data) or length < _WALL_TIME.size:
                return
            yield Event(_WALL_TIME.unpack(data[: _WALL_TIME.size])[1], data[_WALL_TIME.size :])


def last_step_beside(path: Path) -> int:
    """The largest step in the other event files of a directory, which TensorBoard shows as one run; 0 if there is none.

    Args:
        path: the file that does not count.
    """
    others = [other for other in path.parent.glob("*tfevents*") if other.name != path.name]
    return max((step for other in others for step in _steps_in(other)), default=0)


def _steps_in(path: Path) -> Iterator[int]:
    """The steps of a file's events, of which no more is read: images may be among them."""
    with contextlib.suppress(OSError), open_regular(path) as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            if checksum != _masked(head[:8]):
                return
            beginning = file.read(min(length, _WALL_TIME.size + _LONGEST_STEP))
            file.seek(length - len(beginning) + _CHECKSUM.size, os.SEEK_CUR)
            yield _step_of(beginning[_WALL_TIME.size :])


def _step_of(content: bytes) -> int:
    """The step of an event, which stands first; 0 where it has none."""
    if not content.startswith(_number(2, 0)[:1]):
        return 0
    step = 0
    for place, byte in enumerate(content[1:_LONGEST_STEP]):
        step |= (byte & _SEVEN_BITS) << 7 * place
        if byte <= _SEVEN_BITS:
            break
    return step if step < 1 << 63 else 0


def _masked(data: bytes) -> int:
    """CRC-32C, turned as these files want it."""
    table, checksum = _table(), 0xFFFFFFFF
    for byte in data:
        checksum = table[(checksum ^ byte) & 0xFF] ^ (checksum >> 8)
    checksum ^= 0xFFFFFFFF
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


@functools.cache
def _table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ (0x82F63B78 if value & 1 else 0) for value in table]
    return table


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > _SEVEN_BITS:
        encoded.append(number & _SEVEN_BITS | _SEVEN_BITS + 1)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(data)) + data


def _float(field: int, value: float) -> bytes:
    try:
        packed = struct.pack("<f", value)
    except OverflowError:  # TensorBoard keeps single precision
        packed = struct.pack("<f", float("inf") if value > 0 else float("-inf"))
    return bytes([field << 3 | _FLOAT]) + packed


def _value(value: bool | float | str) -> bytes:
    """A value of a config, as `google.protobuf.Value`."""
    if isinstance(value, bool):
        return _number(4, value)
    if isinstance(value, (int, float)):
        return bytes([2 << 3 | _DOUBLE]) + struct.pack("<d", value)
    return _bytes(3, _text(value))


def _text(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


@functools.cache
def _tag(tag: str) -> bytes:
    return _bytes(1, _text(tag))
