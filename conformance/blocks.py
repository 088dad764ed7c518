"""Programs of volumes, block by block: what each step writes, and what a reader's bytes say of each block.

A read, a write over several blocks and a revert are no single moment: each block has its own, between call and return. A
snapshot, a clone and a copy are one moment. So the history that is judged has one entry for each block of the former.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from storcert.conformance.content import content
from storcert.conformance.program import Program, Step, key_of
from storcert.conformance.scenario import mixes
from storcert.conformance.violation import require
from storcert.harness.checkers.reference_model import ZERO
from storcert.harness.record.history import Operation, Status

BLOCK_BYTES = 4096
VERBS = frozenset(("pwrite", "pread", "snapshot", "revert", "clone"))


def is_of_volumes(program: Program) -> bool:
    """Whether a program uses an optional ability; then every object of it is looked at block by block."""
    return any(step.verb in VERBS for _, steps in program.tasks for step in steps)


def blocks_of(offset: int, length: int) -> range:
    """Numbers of the blocks that a range touches."""
    return range(offset // BLOCK_BYTES, -(-(offset + length) // BLOCK_BYTES))


def pieces(key: str, step: Step) -> list[tuple[int, bytes]]:
    """Offset and bytes of each block that a ``pwrite`` step writes."""
    end = step.offset + (step.length or 0)
    found = []
    for block in blocks_of(step.offset, step.length or 0):
        at = block * BLOCK_BYTES
        found.append((at, _block(key, block, min(BLOCK_BYTES, end - at))))
    return found


def _block(key: str, block: int, size: int) -> bytes:
    return content(f"{key}/{block}", BLOCK_BYTES)[:size]


class Blocks:
    """Every value that each block can have in a program. ``size``: bytes of the largest object."""

    def __init__(self, program: Program) -> None:
        everything = [
            (key_of(task, at), step) for task, (_, steps) in enumerate(program.tasks) for at, step in enumerate(steps)
        ]
        self.size = max((step.size for _, step in everything), default=0)
        wholes = {ZERO: bytes(self.size)}
        wholes |= {key: content(key, step.size) for key, step in everything if step.verb == "write"}
        self.values: dict[int, list[tuple[str, bytes]]] = {}
        for block in blocks_of(0, self.size):
            at = slice(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)
            self.values[block] = [(key, data[at]) for key, data in wholes.items()]
        for key, step in everything:
            if step.verb == "pwrite":
                for offset, data in pieces(key, step):
                    self.values.setdefault(offset // BLOCK_BYTES, []).append((key, data))

    def look(self, operation: Operation, data: bytes, offset: int, torn: bool) -> Iterator[Operation]:
        """One entry for each block that was read: whose bytes it holds. ``torn``: a block may be a mixture, which then says
        nothing."""
        for block in blocks_of(offset, len(data)):
            found = data[block * BLOCK_BYTES - offset : (block + 1) * BLOCK_BYTES - offset]
            known = self.values.get(block, [])
            values = frozenset(key for key, value in known if value[: len(found)] == found)
            if not values:
                pairs = combinations([value[: len(found)] for _, value in known], 2) if torn else ()
                mixed = any(mixes(found, one, other) for one, other in pairs)
                require(mixed, f"block {block} read from {operation.uri} belongs to nothing that was ever written", "C-READ")
                continue
            yield replace(operation, verb="peek", value=block, result=values)


def expanded(operation: Operation, size: int) -> Sequence[Operation]:
    """A write or revert of volumes as the entries that are judged."""
    if operation.verb == "pwrite":
        key, offset, length = operation.value
        refused = operation.error in ("ObjectNotFound", "InvalidRequest")
        if operation.status is Status.FAILED and refused:
            return (operation,)
        # Each block of a write that failed is as before or as written (contract, VolumeHandle.pwrite).
        status = Status.OK if operation.status is Status.OK else Status.UNKNOWN
        return [
            replace(operation, verb="pwrite-block", value=(block, key), status=status) for block in blocks_of(offset, length)
        ]
    if operation.verb == "revert" and operation.status is not Status.FAILED:
        return [replace(operation, verb="revert-block", value=block) for block in blocks_of(0, size)] or (operation,)
    return (operation,)
