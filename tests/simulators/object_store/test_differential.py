"""The native object store model and moto answer alike, call by call and field by field, but for the rows of one table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given

from storcert.harness.kernel.interpose.install import installed
from storcert.simulators.object_store.known_difference import KnownDifference
from storcert.simulators.object_store.known_differences import KNOWN_DIFFERENCES
from tests.simulators.object_store import comparing
from tests.simulators.object_store.s3_programs import Program, programs


@pytest.fixture(scope="module", autouse=True)
def fence() -> Iterator[None]:
    """Installed once for all examples, as installing costs more than running one."""
    with installed():
        yield


def compare(program: Program) -> tuple[list[str], set[str]]:
    """Differences no row explains, in words, and the names of the rows that explained the others."""
    native, moto = (comparing.simulated(program, {"dialect": "moto", "face": face}) for face in ("native", "moto"))
    return comparing.compare(program, native, moto, KNOWN_DIFFERENCES)


@pytest.mark.timeout(3600)  # the deep profile
@given(program=programs())
def test_native_model_and_moto_answer_alike(program: Program) -> None:
    unexplained, _ = compare(program)
    assert not unexplained, comparing.told(unexplained, program)


@pytest.mark.parametrize("row", KNOWN_DIFFERENCES, ids=lambda row: row.name)
def test_every_known_difference_still_exists(row: KnownDifference) -> None:
    unexplained, used = compare(row.example)
    assert not unexplained
    assert row.name in used, "the example shows no such difference any more: remove the row"


def test_names_of_rows_are_unique() -> None:
    names = [row.name for row in KNOWN_DIFFERENCES]
    assert len(names) == len(set(names))
