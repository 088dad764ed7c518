"""Bytes without copies, and digests."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.simulators.object_store.content import Content, digests_of, multipart_etag


@given(pieces=st.lists(st.binary(max_size=5), max_size=6), offset=st.integers(0, 35), length=st.integers(0, 35))
def test_reading_across_pieces(pieces: list[bytes], offset: int, length: int) -> None:
    content = Content.joined(Content((piece,)) for piece in pieces)
    whole = b"".join(pieces)
    assert content.size_bytes == len(whole)
    assert content.read(offset, length) == whole[offset : offset + length]
    assert content.slice(offset, length).read(0, 99) == whole[offset : offset + length]


def test_a_whole_piece_is_not_copied() -> None:
    body = bytes(100)
    assert Content((body,)).read(0, 100) is body
    assert Content((body,)).slice(0, 100).read(0, 100) is body


@pytest.mark.parametrize(
    "body", [b"", b"a", bytes(5000), bytes(4999) + b"x", b"x" + bytes(4999), bytes(2500) + b"x" + bytes(2500)])
def test_digests_of_zeros_and_nearly_zeros(body: bytes) -> None:
    digests = digests_of(body)
    assert digests.md5 == hashlib.md5(body).digest()
    assert digests.crc32 == zlib.crc32(body)


def test_the_etag_of_parts_is_no_md5_of_the_bytes() -> None:
    part = hashlib.md5(b"x").digest()
    assert multipart_etag([part]) == hashlib.md5(part).hexdigest() + "-1"
