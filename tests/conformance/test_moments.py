"""Whose writes do these bytes hold, and are they those of one moment: each wrong answer is told, each right one passes."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.conformance.guest import BLOCK_BYTES, Guest, Span, Written
from storcert.conformance.moments import blocks_found, require_one_moment, require_range
from storcert.conformance.violation import Violation

SIZE = 4 * BLOCK_BYTES + 100
ZEROS = bytes(SIZE)
#: Block, begin, end, flushed. Blocks 0 and 1 are flushed before 20, 2 begins after that, block 0 is written again at 50.
WRITES = ((0, 0, 5, 20), (1, 6, 10, 20), (2, 30, 35, 60), (0, 50, 55, 60))
W0, W1, W2, W3 = (Written(*(block, f"w{number}", *times)) for number, (block, *times) in enumerate(WRITES))


def guest() -> Guest:
    anything: Any = None
    return Guest(anything, anything, anything, "g", (0, 1, 2), written=[W0, W1, W2, W3])


def volume(*held: Written, torn: bytes = b"") -> bytes:
    data = bytearray(ZEROS)
    for one in held:
        data[one.block * BLOCK_BYTES : (one.block + 1) * BLOCK_BYTES] = one.data
    data[2 * BLOCK_BYTES : 2 * BLOCK_BYTES + len(torn)] = torn
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "begin", "end"),
    [
        (volume(W0, W1), 25, 28), (volume(), 1, 3), (volume(W1), 1, 15), (volume(W0, W1, W2), 40, 45),
        (volume(W0, W1, torn=W2.data[:99]), 31, 33), (volume(W3, W1, W2), 58, 70), (volume(W3, W1), 40, 55),
    ],
)  # fmt: skip
def test_bytes_of_one_moment(data: bytes, begin: int, end: int) -> None:
    require_one_moment(blocks_found(data, ZEROS, [guest()], "it", "C-SNAP"), Span(begin, end), "it", "C-SNAP")


@pytest.mark.parametrize(
    ("data", "begin", "end", "words"),
    [
        (volume(W1), 25, 28, "w0 to block 0 was flushed before the call and is not in it"),
        (volume(W0, W1, W2), 25, 28, "w2 began after the call returned and is in it"),
        (volume(W0, W2), 15, 40, "it mixes moments: w2 of block 2 is in it, w1 of block 1"),
        (volume(W0, torn=W2.data[:99]), 15, 40, "it mixes moments: w2 of block 2"),
    ],
)
def test_bytes_of_no_moment(data: bytes, begin: int, end: int, words: str) -> None:
    found = blocks_found(data, ZEROS, [guest()], "it", "C-SNAP")
    with pytest.raises(Violation) as raised:
        require_one_moment(found, Span(begin, end), "it", "C-SNAP")
    assert words in raised.value.message and raised.value.rule == "C-SNAP"


def test_a_reader_may_mix_moments_but_not_lose_what_was_flushed() -> None:
    require_range(blocks_found(volume(W0, W2), ZEROS, [guest()], "it", "C-SNAP"), Span(15, 40), "it", "C-SNAP")
    with pytest.raises(Violation, match="w1 to block 1 was flushed"):
        require_range(blocks_found(volume(W0, W2), ZEROS, [guest()], "it", "C-SNAP"), Span(25, 40), "it", "C-SNAP")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (volume()[:-1], f"it has {SIZE - 1} bytes, the volume {SIZE}"),
        (volume(torn=b"x" * 50), "block 2 holds bytes that were never in it"),
        (volume()[:-5] + b"x" + bytes(4), f"byte {SIZE - 5} changed, and nobody wrote there"),
    ],
)
def test_bytes_that_were_never_there(data: bytes, words: str) -> None:
    with pytest.raises(Violation) as raised:
        blocks_found(data, ZEROS, [guest()], "it", "C-VOLUME")
    assert words in raised.value.message
