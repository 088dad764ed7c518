"""One program of S3 calls in a simulated world, and what two runs of it say differently. No generator and no server here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.config import Config

from storcert.harness.kernel.loop import Kernel
from storcert.simulators.object_store import ObjectStore
from storcert.simulators.object_store.known_difference import KnownDifference
from tests.simulators.object_store.s3_programs import Outcome, Program, differences, run_program

#: Real servers are told of the same smallest part, so that programs need no megabytes.
PART_SIZE_MIN_BYTES = 10
CONFIG = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})


def simulated(program: Program, options: Mapping[str, Any]) -> list[Outcome]:
    """Run ``program`` in a world of its own, at a location. The fence must be installed."""
    kernel = Kernel(seed=7)
    store = ObjectStore(kernel, {"part_size_min_bytes": PART_SIZE_MIN_BYTES, **options})
    location = kernel.location("host")
    store.attach(location)

    def body() -> list[Outcome]:
        import boto3

        return run_program(boto3.client("s3", endpoint_url="http://s3.sim", region_name="us-east-1", config=CONFIG), program)

    try:
        task = kernel.spawn(body, location=location, name="program")
        assert kernel.run_until_done(task), "the program did not end"
        if task.error is not None:
            raise task.error
        return list(task.result)
    finally:
        kernel.close()
        store.close()


def compare(
    program: Program, native: Sequence[Outcome], real: Sequence[Outcome], rows: Sequence[KnownDifference]
) -> tuple[list[str], set[str]]:
    """Differences that none of ``rows`` explains, in words, and the names of the rows that explained the others."""
    unexplained: list[str] = []
    used: set[str] = set()
    for index, (call, left, right) in enumerate(zip(program, native, real, strict=True)):
        words: list[str] = []
        known: list[KnownDifference] = []
        for field, of_native, of_real in differences(left, right):
            so_far = program[: index + 1]
            row = next((row for row in rows if row.explains(so_far, field, of_native, of_real)), None)
            if row is None:
                words.append(f"call {index} {call[0]} {dict(call[1])}: {field}: native {of_native!r}, real {of_real!r}")
            else:
                known.append(row)
        used |= {row.name for row in known}
        if all(row.scope == "field" for row in known):
            unexplained += words
        if unexplained or any(row.scope == "program" for row in known):
            break
    return unexplained, used


def told(unexplained: Sequence[str], program: Program) -> str:
    """The message of a failure."""
    return "\n".join([*unexplained, "program:", *(f"  {call}" for call in program)])
