"""Contents of volumes block by block: one content has one name, and histories of blocks are judged as they should be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.checkers.block_contents import block_value, with_block
from storcert.harness.checkers.linearizability import linearize
from storcert.harness.record.history import Operation, Status

BLOCKS = st.integers(0, 5)
VALUES = st.sampled_from(["zero", "t0s1", "t1s0"])


@given(st.lists(st.tuples(BLOCKS, VALUES), max_size=12), BLOCKS)
def test_each_block_has_its_last_value_and_equal_contents_have_one_name(writes: list[tuple[int, str]], block: int) -> None:
    content, known = "t0s1", dict.fromkeys(range(6), "t0s1")
    for at, value in writes:
        content, known[at] = with_block(content, at, value), value
    assert block_value(content, block) == known[block]
    again = "t0s1"
    for at in sorted(known, reverse=True):
        again = with_block(again, at, known[at])
    assert again == content


def op(verb: str, uri: str, begin: int, end: int | None, **more: Any) -> Operation:
    status = more.pop("status", Status.OK)
    return Operation(more.pop("process", "p"), verb, uri, begin, end, status, **more)


VOLUME = [op("write", "v", 0, 1, value=("w", 8192)), op("snapshot", "s", 2, 3, source="v")]
WRITTEN = [*VOLUME, op("pwrite-block", "v", 4, 5, value=(1, "p"))]


def peek(uri: str, block: int, value: str, begin: int = 10, end: int = 11) -> Operation:
    return op("peek", uri, begin, end, value=block, result=frozenset({value}))


@pytest.mark.parametrize(
    ("history", "legal"),
    [
        ([*WRITTEN, peek("v", 1, "p"), peek("v", 0, "w"), peek("s", 1, "w")], True),
        ([*WRITTEN, peek("s", 1, "p")], False),
        ([*WRITTEN, peek("v", 1, "w")], False),
        ([*VOLUME, op("pwrite-block", "v", 4, None, value=(1, "p"), status=Status.UNKNOWN), peek("v", 1, "w")], True),
        ([*VOLUME, op("pwrite-block", "v", 4, 20, value=(1, "p"), process="q"), peek("v", 1, "w")], True),
        ([*WRITTEN, op("revert-block", "v", 6, 7, value=1, source="s"), peek("v", 1, "w")], True),
        ([*WRITTEN, op("revert-block", "v", 6, 7, value=1, source="s"), peek("v", 1, "p")], False),
        ([*WRITTEN, op("clone", "c", 6, 7, source="s"), peek("c", 1, "w"), peek("c", 0, "w")], True),
        ([*WRITTEN, op("clone", "c", 6, 7, source="s"), peek("c", 1, "p")], False),
        ([*WRITTEN, op("snapshot", "s", 6, 7, source="v")], False),
        ([*WRITTEN, op("snapshot", "s", 6, 7, source="v", status=Status.FAILED, error="ObjectExists")], True),
        ([*WRITTEN, op("revert", "v", 6, 7, source="x", status=Status.FAILED, error="ObjectNotFound")], True),
        ([*WRITTEN, op("revert", "v", 6, 7, source="s", status=Status.FAILED, error="ObjectNotFound")], False),
    ],
)  # fmt: skip
def test_histories_of_blocks(history: list[Operation], legal: bool) -> None:
    assert linearize(history).legal is legal


def test_a_snapshot_is_of_one_moment_and_a_read_is_not() -> None:
    writes = [
        op("pwrite-block", "v", 4 + at, 5 + at, value=(block, f"p{at}"), process="guest") for at, block in ((0, 0), (2, 1))
    ]
    mixed = [("peek", block, value) for block, value in ((0, "w"), (1, "p2"))]
    read = [op("peek", "v", 2, 20, value=block, result=frozenset({value}), process="r") for _, block, value in mixed]
    assert linearize([*VOLUME[:1], *writes, *read]).legal is True
    taken = op("snapshot", "t", 2, 20, source="v", process="r")
    looked = [peek("t", block, value, 21, 22) for _, block, value in mixed]
    assert linearize([*VOLUME[:1], *writes, taken, *looked]).legal is False
