"""Test bytes: no two keys, and no two blocks of one object, are ever alike."""

from __future__ import annotations

import pytest

from storcert.conformance.content import content, first_difference

BLOCK = 4096


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 4095, 4096, 4097, 65_536, 65_537, 1_000_001])
def test_the_size_is_exact_and_the_bytes_are_always_the_same(size: int) -> None:
    assert len(content("key", size)) == size
    assert content("key", size) == content("key", size)


@pytest.mark.parametrize("size", [4, 8, 100, 4096, 100_000])
def test_other_keys_give_other_bytes_even_in_small_objects(size: int) -> None:
    keys = [f"t{task}s{step}" for task in range(4) for step in range(12)]
    assert len({content(key, size) for key in keys}) == len(keys)


def test_every_block_of_a_large_object_differs() -> None:
    data = content("large", 3 * (5 << 20) + 1)
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    assert len(set(blocks)) == len(blocks)


def test_a_shorter_object_is_the_beginning_of_a_longer_one() -> None:
    assert content("key", 100_000).startswith(content("key", 5000))


def test_no_object_is_zeros() -> None:
    assert any(content("key", 2))
    assert any(content("", 8))


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        (b"abc", b"abc", "no difference"),
        (b"ab", b"abc", "only 2 bytes instead of 3 (equal as far as they go)"),
        (b"xb", b"abc", "only 2 bytes instead of 3"),
        (b"abcd", b"abc", "4 bytes instead of 3 (equal as far as they go)"),
        (b"abd", b"abc", "byte 2 is 0x64 instead of 0x63"),
        (b"", b"a", "only 0 bytes instead of 1 (equal as far as they go)"),
    ],
)
def test_differences_in_words(found: bytes, expected: bytes, said: str) -> None:
    assert first_difference(found, expected) == said
