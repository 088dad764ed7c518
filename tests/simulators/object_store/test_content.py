"""Bytes without copies, and digests."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.simulators.object_store.content import Content, Repeated, crc32_text, digests_of, multipart_etag, received
from storcert.simulators.object_store.version import DEFAULT_HEADERS, SMALL_BYTES, Version


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


UNITS = st.sampled_from([b"\0", b"x", bytes(range(256)) * 2, bytes(range(256)) * 16, b"no period of any kind" * 100])


@given(unit=UNITS, size=st.integers(0, 40_000), offset=st.integers(0, 41_000), length=st.integers(0, 41_000))
def test_a_repeated_body_is_kept_once_and_read_as_it_was(unit: bytes, size: int, offset: int, length: int) -> None:
    body = (unit * (size // len(unit) + 1))[:size]
    content, digests = received(body)
    assert content.size_bytes == size
    assert content.read(offset, length) == body[offset : offset + length]
    cut = content.slice(offset, length)
    assert cut.read(0, length + 9) == body[offset : offset + length]
    assert cut.read(3, 1000) == body[offset : offset + length][3:1003]
    both = Content.joined([content, cut])
    assert both.read(0, size + length) == body + body[offset : offset + length]
    assert digests == digests_of(body)
    assert digests.md5 == hashlib.md5(body).digest()


def test_a_pattern_costs_one_period() -> None:
    content, _ = received(bytes(range(256)) * 16 * 1_000)
    [piece] = content._pieces
    assert isinstance(piece, Repeated) and len(piece._unit) <= 4096


@given(
    body=st.binary(max_size=2 * SMALL_BYTES), etag=st.sampled_from(["", "given"]),
    headers=st.sampled_from([dict(DEFAULT_HEADERS), {"ContentType": "text/plain"}, {**DEFAULT_HEADERS, "CacheControl": "no"}]),
    metadata=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    checksums=st.sampled_from([{}, None, {"ChecksumSHA256": "x"}]), part_sizes=st.sampled_from([(), (5, 3)]),
)
def test_a_version_is_what_it_was_made_as_however_little_is_kept(
    body: bytes, etag: str, headers: dict[str, str], metadata: dict[str, str], checksums: dict[str, str] | None,
    part_sizes: tuple[int, ...],
) -> None:
    content, digests = received(body)
    etag = etag or digests.md5.hex()
    if checksums is None:
        checksums = {"ChecksumCRC32": crc32_text(digests.crc32)}
    made = Version("key", "null", content, etag, 7, headers, metadata, checksums, part_sizes)
    kept = made.content
    assert kept is not None and made.exists
    assert kept.read(0, len(body)) == body and made.size_bytes == len(body)
    assert (made.etag, made.headers, made.metadata, made.checksums, made.part_sizes) == (
        etag, headers, metadata, checksums, part_sizes)
    marker = Version("key", "1", None, "", 7)
    assert (marker.exists, marker.content, marker.size_bytes, marker.etag, marker.metadata) == (False, None, 0, "", {})
