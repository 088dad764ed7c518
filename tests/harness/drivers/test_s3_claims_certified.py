"""The S3 driver with claims is conformant where only PutObject is conditional; without them it is not, and the kit says so."""

from __future__ import annotations

import pytest

from storcert.harness.record.run_record import RunVerdict
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import S3, certify

RADOSGW = {"dialect": "radosgw"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_with_claims(seed: int) -> None:
    record = certify(S3, seed=seed, configuration={"conditional_complete": False}, simulator=RADOSGW)
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason


@pytest.mark.slow
def test_without_them() -> None:
    record = certify(S3, "C-ONCE", simulator=RADOSGW)
    assert {rule.id for rule in record.rules if rule.verdict is Verdict.FAIL} == {"C-ONCE"}
    assert record.exit_code() == 1
