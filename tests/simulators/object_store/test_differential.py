"""The native object store model and moto answer alike, call by call and field by field, but for the rows of one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from hypothesis import given

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.simulators.object_store import ObjectStore
from storcert.simulators.object_store.known_differences import KNOWN_DIFFERENCES, KnownDifference
from tests.simulators.object_store.s3_programs import Outcome, Program, differences, programs, run_program

OPTIONS: dict[str, Any] = {"dialect": "moto", "part_size_min_bytes": 10}


@pytest.fixture(scope="module", autouse=True)
def fence() -> Iterator[None]:
    """Installed once for all examples, as installing costs more than running one."""
    with installed():
        yield


def outcomes(face: str, program: Program) -> list[Outcome]:
    """Run ``program`` in a world of its own, at a location, on the named face."""
    kernel = Kernel(seed=7)
    store = ObjectStore(kernel, OPTIONS | {"face": face})
    location = kernel.location("host")
    store.attach(location)

    def body() -> list[Outcome]:
        import boto3

        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return run_program(boto3.client("s3", endpoint_url="http://s3.sim", region_name="us-east-1", config=config), program)

    try:
        task = kernel.spawn(body, location=location, name="program")
        assert kernel.run_until_done(task), "the program did not end"
        if task.error is not None:
            raise task.error
        return list(task.result)
    finally:
        kernel.close()
        store.close()


def compare(program: Program) -> tuple[list[str], set[str]]:
    """Differences no row explains, in words, and the names of the rows that explained the others."""
    native, moto = outcomes("native", program), outcomes("moto", program)
    unexplained: list[str] = []
    used: set[str] = set()
    for index, (call, left, right) in enumerate(zip(program, native, moto, strict=True)):
        words: list[str] = []
        rows: list[KnownDifference] = []
        for field, of_native, of_moto in differences(left, right):
            so_far = program[: index + 1]
            row = next((row for row in KNOWN_DIFFERENCES if row.explains(so_far, field, of_native, of_moto)), None)
            if row is None:
                words.append(f"call {index} {call[0]} {dict(call[1])}: {field}: native {of_native!r}, moto {of_moto!r}")
            else:
                rows.append(row)
        used |= {row.name for row in rows}
        if all(row.scope == "field" for row in rows):
            unexplained += words
        if unexplained or any(row.scope == "program" for row in rows):
            break
    return unexplained, used


@pytest.mark.timeout(3600)  # the deep profile
@given(program=programs())
def test_native_model_and_moto_answer_alike(program: Program) -> None:
    unexplained, _ = compare(program)
    assert not unexplained, "\n".join([*unexplained, "program:", *(f"  {call}" for call in program)])


@pytest.mark.parametrize("row", KNOWN_DIFFERENCES, ids=lambda row: row.name)
def test_every_known_difference_still_exists(row: KnownDifference) -> None:
    unexplained, used = compare(row.example)
    assert not unexplained
    assert row.name in used, "the example shows no such difference any more: remove the row"


def test_names_of_rows_are_unique() -> None:
    names = [row.name for row in KNOWN_DIFFERENCES]
    assert len(names) == len(set(names))
