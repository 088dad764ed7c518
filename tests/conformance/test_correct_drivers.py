"""A kit that accuses a correct driver is worse than none: drivers that share nothing with the bundled one are conformant."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.driver_source import find_driver
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.harness.record.verdict import RunVerdict

FILE = Path(__file__).with_name("whole_put_driver.py")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ["WholePutDriver", "NarrowDriver"])
def test_correct_driver_is_conformant(name: str, seed: int) -> None:
    options = CertifyOptions(find_driver(f"{FILE}:{name}"), profile=Profile.CORE, seed=seed)
    record = run_certification(options, SilentProgress())
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
