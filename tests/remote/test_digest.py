"""What stores say of a file, compared with its bytes."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.remote.digest import Digest, block_size_of

MD5 = hashlib.md5(b"hello").hexdigest()  # noqa: S324  what stores say


def digest_of(data: bytes, block_size: int = 1 << 20) -> Digest:
    """The digest of some bytes."""
    digest = Digest(block_size)
    digest.add(data)
    return digest


@pytest.mark.parametrize(
    "info",
    [
        {"ETag": f'"{MD5}"'},
        {"ETag": MD5.upper()},
        {"md5Hash": base64.b64encode(bytes.fromhex(MD5)).decode()},
        {"content_settings": {"content_md5": bytearray.fromhex(MD5)}},
    ],
)
def test_what_s3_google_and_azure_say(info: dict[str, Any]) -> None:
    """Each says it in its own way."""
    assert digest_of(b"hello").is_said_by(info)
    assert not digest_of(b"hellO").is_said_by(info)


@pytest.mark.parametrize("info", [{}, {"ETag": None}, {"ETag": "0x8D9"}, {"md5Hash": "?"}, {"content_settings": None}])
def test_one_that_says_nothing(info: dict[str, Any]) -> None:
    """Then the copy is read back."""
    assert not digest_of(b"hello").is_said_by(info)


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(1, 7))
def test_the_parts_of_a_file_that_was_sent_in_parts(pieces: list[bytes], block_size: int) -> None:
    """However the bytes go by, they are cut as S3 has them."""
    digest, data = Digest(block_size), b"".join(pieces)
    for piece in pieces:
        digest.add(piece)
    parts = [data[start : start + block_size] for start in range(0, len(data), block_size)]
    joined = b"".join(hashlib.md5(part).digest() for part in parts)  # noqa: S324  the same
    assert digest.is_said_by({"ETag": f'"{hashlib.md5(joined).hexdigest()}-{len(parts)}"'})  # noqa: S324  the same
    assert digest == digest_of(data)
    assert digest.size == len(data)


def test_a_file_has_no_more_parts_than_s3_takes() -> None:
    """Ten thousand."""
    for size in (0, 1 << 24, 1 << 40, 5 << 40):
        assert size / block_size_of(size) <= 10_000
