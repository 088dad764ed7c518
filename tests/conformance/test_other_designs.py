"""Correct drivers of designs that no bundled driver has: what is accused here is the kit's mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.driver_source import find_driver
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import run_case
from storcert.conformance.schedule import Job, fence
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import certify, driver_file

MANIFEST = "tests.conformance.manifest_driver:ManifestDriver"


def certified(driver: str, seed: int, *rules: str) -> RunRecord:
    options = CertifyOptions(find_driver(driver), profile=Profile.CORE, seed=seed, rules=rules)
    return run_certification(options, SilentProgress())


def test_manifest_and_chunks_leave_nothing_and_publish_once() -> None:
    record = certified(MANIFEST, 1, "C-ABORT", "C-ONCE")
    assert record.failures == ()
    assert {rule.verdict for rule in record.rules if rule.id in ("C-ABORT", "C-ONCE")} == {"pass"}


def test_what_is_left_behind_is_no_matter_of_files(tmp_path: Path) -> None:
    leaves = (
        "def delete(self, uri):\n"
        "    super().delete(uri)\n"
        "    self._bucket._client.put_object(Bucket='storcert', Key=f'left{uri}')"
    )
    record = certify(driver_file(tmp_path, leaves), "C-NOFS")
    assert record.failures
    assert {rule.id for rule in record.rules if rule.verdict == "fail"} <= {"C-DELETE", "C-RETRY"}


def test_what_commit_says_after_a_failed_write_counts() -> None:
    """The write changed nothing and says so; that what was sent before it is left, commit says."""
    case = "C-RETRY/fault-in-the-clean-up[write-parts expired_credentials]"
    job = Job.of(CertifyOptions(find_driver(MANIFEST), profile=Profile.STANDARD))
    subject, facts = job.subject(), job.calibrate()
    (one,) = [found for found in cases_for(facts, Level.STANDARD) if found.id == case]
    with fence("simulated"):
        outcome = run_case(one, subject, facts, 0)
    assert outcome.result.verdict is Verdict.PASS, outcome.message


@pytest.mark.slow
def test_manifest_and_chunks_are_conformant() -> None:
    record = certified(MANIFEST, 0)
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
