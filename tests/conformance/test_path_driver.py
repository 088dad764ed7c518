"""A path driver that a vendor wrote is conformant on the simulated export; one that spools on the host is told where."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.driver_source import find_driver
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict

FILE = Path(__file__).with_name("path_driver.py")


def certified(name: str, profile: Profile = Profile.CORE, seed: int = 0, *rules: str, workers: int = 1) -> RunRecord:
    options = CertifyOptions(
        find_driver(f"{FILE}:{name}", "nfs"), device="nfs", profile=profile, seed=seed, rules=rules, workers=workers
    )
    return run_certification(options, SilentProgress())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_vendors_path_driver_is_conformant(seed: int) -> None:
    record = certified("PathDriver", Profile.CORE, seed)
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_vendors_path_driver_has_the_certificate() -> None:
    record = certified("PathDriver", Profile.STANDARD, workers=2)
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason


def test_a_temporary_file_outside_the_mount_is_found_with_file_and_line() -> None:
    record = certified("SpoolingPathDriver", Profile.CORE, 0, "C-NOFS")
    assert record.verdict is RunVerdict.NOT_CONFORMANT
    line = next(
        number for number, text in enumerate(FILE.read_text().splitlines(), 1) if "tempfile.TemporaryFile()" in text
    )
    found = [failure for failure in record.failures if failure.source is not None and failure.source.line == line]
    assert found, record.failures
    assert Path(found[0].source.file).name == "path_driver.py"  # type: ignore[union-attr]
    assert "touched a file system outside its device" in found[0].message
