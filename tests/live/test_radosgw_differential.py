"""The native object store model in its ``radosgw`` dialect and a real gateway answer alike, but for the rows of one table.

Programs are drawn; each runs in a bucket of its own. ``STORCERT_LIVE_CALLS`` says how many calls to make (default 600).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from storcert.conformance.live_targets.ceph import ACCESS_KEY, SECRET_KEY, Ceph
from storcert.harness.kernel.interpose.install import installed
from storcert.simulators.object_store.known_difference import KnownDifference
from storcert.simulators.object_store.known_differences_radosgw import RADOSGW_DIFFERENCES
from tests.simulators.object_store import comparing
from tests.simulators.object_store.s3_programs import Program, names_each_key_once, programs, run_program

pytestmark = [pytest.mark.live, pytest.mark.timeout(3600)]
CALLS = int(os.environ.get("STORCERT_LIVE_CALLS", "600"))
#: Programs have nine on average, and fewer in some runs; so many of them that the number is reached in any.
CALLS_PER_PROGRAM = 5
MADE: list[int] = []


class Gateway:
    """A client, and a fresh bucket for each program."""

    def __init__(self, cluster: Ceph) -> None:
        import boto3

        self._client: Any = boto3.client(
            "s3", endpoint_url=cluster.endpoint_url, region_name="us-east-1", config=comparing.CONFIG,
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
        )  # fmt: skip
        self._numbers = itertools.count()
        self._cluster = cluster

    def compare(self, program: Program) -> tuple[list[str], set[str]]:
        """As ``comparing.compare``, between model and gateway."""
        bucket = f"program-{next(self._numbers)}"
        self._cluster.daemons.require_alive()
        self._client.create_bucket(Bucket=bucket)
        real = run_program(self._client, program, bucket)
        MADE.append(len(program))
        with installed():
            native = comparing.simulated(program, {"dialect": "radosgw"})
        return comparing.compare(program, native, real, RADOSGW_DIFFERENCES)


@pytest.fixture(scope="module")
def gateway(radosgw: Ceph) -> Iterator[Gateway]:
    yield Gateway(radosgw)


@settings(max_examples=max(1, CALLS // CALLS_PER_PROGRAM))
@given(program=programs(further=True).filter(names_each_key_once))
def test_native_model_and_radosgw_answer_alike(gateway: Gateway, program: Program) -> None:
    if sum(MADE) >= CALLS:
        return
    unexplained, _ = gateway.compare(program)
    assert not unexplained, comparing.told(unexplained, program)


def test_so_many_calls_were_compared() -> None:
    if not MADE:
        pytest.skip("the programs were not run")
    print(f"{sum(MADE)} calls in {len(MADE)} programs")
    assert sum(MADE) >= CALLS


@pytest.mark.parametrize("row", RADOSGW_DIFFERENCES, ids=lambda row: row.name)
def test_every_known_difference_still_exists(gateway: Gateway, row: KnownDifference) -> None:
    unexplained, used = gateway.compare(row.example)
    assert not unexplained
    assert row.name in used, "the example shows no such difference any more: remove the row"
