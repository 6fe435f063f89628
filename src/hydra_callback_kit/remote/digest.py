"""What a file's bytes come to, to be compared with what a store says of its copy."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

_BLOCK: Final = 1 << 24
_MOST_BLOCKS: Final = 9_000
"""S3 takes 10,000 parts of a file."""


def block_size_of(size: int) -> int:
    """The bytes that are sent at once of a file of some size: a part of it, where the store puts it together from parts."""
    return _BLOCK * max(1, -(-size // (_BLOCK * _MOST_BLOCKS)))


class Digest:
    """The digests of a file, taken as its bytes go by.

    Args:
        block_size: that with which it is sent.

    Attributes:
        size: the bytes so far.
        block_size: the same.
    """

    def __init__(self, block_size: int) -> None:
        self.size = 0
        self.block_size = block_size
        self._whole, self._part = _md5(), _md5()
        self._parts: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Takes in the next bytes."""
        view = memoryview(data)
        self._whole.update(view)
        while view:
            room = self.block_size - self.size % self.block_size
            self._part.update(view[:room])
            self.size += len(view[:room])
            view = view[room:]
            if self.size % self.block_size == 0:
                self._parts.append(self._part.digest())
                self._part = _md5()

    def is_said_by(self, info: Mapping[str, Any]) -> bool:
        """Whether a store's own checksum is that of these bytes. One that has none, or another kind of it, says nothing.

        Args:
            info: what fsspec's file system says of the file.
        """
        md5 = self._whole.hexdigest()
        return any(said in (md5, self._of_parts()) for said in _checksums(info))

    def __eq__(self, other: object) -> bool:
        """Whether both are of the same bytes."""
        return isinstance(other, Digest) and self._whole.digest() == other._whole.digest() and self.size == other.size

    def __hash__(self) -> int:
        """The bytes may still grow."""
        raise TypeError("A digest is not hashable")

    def _of_parts(self) -> str:
        """The checksum that S3 gives to a file that was sent in parts."""
        parts = [*self._parts, self._part.digest()] if self.size % self.block_size else self._parts
        return f"{_md5(b''.join(parts)).hexdigest()}-{len(parts)}"


def _md5(data: bytes = b"") -> Any:
    return hashlib.md5(data, usedforsecurity=False)


_HEX: Final = re.compile(r"[0-9a-f]{32}(?:-[0-9]+)?")


def _checksums(info: Mapping[str, Any]) -> list[str]:
    """What S3, Google and Azure say, as hexadecimal text."""
    settings = info.get("content_settings")
    said = [info.get("ETag"), info.get("md5Hash"), settings.get("content_md5") if isinstance(settings, Mapping) else None]
    found = []
    for each in said:
        if isinstance(each, bytes | bytearray):
            found.append(bytes(each).hex())
        elif isinstance(each, str):
            text = each.strip('"').lower()
            if _HEX.fullmatch(text):
                found.append(text)
            else:
                try:
                    found.append(base64.b64decode(each, validate=True).hex())
                except ValueError:
                    continue
    return found
