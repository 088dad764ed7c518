"""Whole certifications: their record, their digest, their exit code."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storcert.conformance.certify import WHOLE_RUN
from storcert.conformance.rules import DRIVER_RULES
from storcert.conformance.usage import InvalidUsage
from storcert.conformance.world import KitTrouble
from storcert.harness.record.codec import behaviour, decode, encode
from storcert.harness.record.run_record import RunRecord, SourceLine
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import S3, certify, driver_file

MEMORY = "tests.conformance.drivers:MemoryDriver"


@pytest.fixture
def vendor(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    before, name = list(sys.path), f"vendor_{zlib.crc32(request.node.name.encode())}"
    yield lambda body: driver_file(tmp_path, body, name)
    sys.path[:] = before
    sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def described() -> RunRecord:
    return certify(S3, "C-DESCRIBE", seed=5)


class TestDigest:
    def test_the_same_seed_twice(self, described: RunRecord) -> None:
        again = certify(S3, "C-DESCRIBE", seed=5)
        assert again.digest == described.digest
        assert behaviour(again) == behaviour(described)

    def test_another_seed(self, described: RunRecord) -> None:
        assert certify(S3, "C-DESCRIBE", seed=6).digest != described.digest

    def test_another_driver(self, described: RunRecord, vendor: Callable[[str], str]) -> None:
        reference = vendor("def describe(self, uri):\n    super().describe(uri)\n    return super().describe(uri)")
        assert certify(reference, "C-DESCRIBE", seed=5).digest != described.digest

    def test_the_time_it_took_is_not_in_it(self, described: RunRecord) -> None:
        assert described.environment.wall_time_s > 0
        assert "environment" not in behaviour(described)


class TestRecord:
    def test_it_is_complete_and_goes_through_json(self, described: RunRecord) -> None:
        assert decode(encode(described)) == described
        assert (described.verdict, described.exit_code()) == (RunVerdict.CONFORMANT, 0)
        assert [rule.id for rule in described.rules] == [rule.id for rule in DRIVER_RULES]
        assert described.counts.total == len(described.checks) == sum(rule.checks for rule in described.rules)
        assert described.driver.reference == S3 and described.driver.digest.startswith("sha256:")
        ids = [check.id for check in described.checks]
        assert len(set(ids)) == len(ids)

    def test_rules_that_were_not_asked_for_are_disabled(self, described: RunRecord) -> None:
        verdicts = {rule.id: rule.verdict for rule in described.rules}
        assert verdicts.pop("C-DESCRIBE") is Verdict.PASS
        assert set(verdicts.values()) == {Verdict.DISABLED}
        reasons = {check.reason for check in described.checks if check.verdict is Verdict.DISABLED}
        assert reasons == {"not asked for with --rule"}

    def test_optional_rules_are_skipped_or_checked(self, vendor: Callable[[str], str]) -> None:
        assert certify(S3, "C-SNAP").exit_code() == 5
        declared = "snapshots=True, on_device_copy=True, range_read=True, enumerate=True"
        record = certify(vendor(f"def capabilities(self):\n    return Capabilities({declared})"), "C-SNAP", "C-CLONE")
        verdicts = {rule.id: rule.verdict for rule in record.rules}
        assert record.verdict is RunVerdict.NOT_CONFORMANT
        assert verdicts["C-CLONE"] is Verdict.SKIPPED


class TestExitCodes:
    def test_conformant_is_0(self, described: RunRecord) -> None:
        assert described.exit_code() == 0

    def test_not_conformant_is_1(self, vendor: Callable[[str], str]) -> None:
        record = certify(vendor("def delete(self, uri):\n    pass"), "C-DELETE")
        assert (record.verdict, record.exit_code()) == (RunVerdict.NOT_CONFORMANT, 1)
        assert "C-DELETE" in record.reason
        for failure in record.failures:
            assert failure.steps and (failure.token or failure.file) and failure.message

    def test_only_unknown_is_5(self, vendor: Callable[[str], str]) -> None:
        body = "def describe(self, uri):\n    import socket\n    socket.socket()"
        record = certify(vendor(body), "C-DESCRIBE")
        assert (record.verdict, record.exit_code()) == (RunVerdict.UNDECIDED, 5)
        assert "checks are undecided: C-DESCRIBE/" in record.reason

    def test_nothing_that_applies_is_5(self) -> None:
        record = certify(MEMORY, "C-CLONE")
        assert (record.counts.decided, record.verdict, record.exit_code()) == (0, RunVerdict.UNDECIDED, 5)
        assert record.reason == "nothing was decided: no check ran"

    def test_what_is_not_modelled_is_no_verdict_on_the_driver(self, vendor: Callable[[str], str]) -> None:
        ask = "self._bucket._client.get_bucket_acl(Bucket=self._bucket.name)"
        with pytest.raises(KitTrouble):
            certify(vendor(f"def describe(self, uri):\n    {ask}"), "C-DESCRIBE")

    def test_only_at_times_it_is_an_error_of_the_run(self, vendor: Callable[[str], str]) -> None:
        ask = "self._bucket._client.get_bucket_acl(Bucket=self._bucket.name)"
        body = f"def describe(self, uri):\n    if uri.object_id == 'a':\n        {ask}\n    return super().describe(uri)"
        record = certify(vendor(body), "C-DESCRIBE")
        assert (record.verdict, record.exit_code(), record.counts.failed) == (RunVerdict.ERROR, 3, 0)
        assert "the driver is not to blame" in record.reason

    def test_leaving_the_program_does_not_end_well(self, vendor: Callable[[str], str]) -> None:
        record = certify(vendor("def describe(self, uri):\n    raise SystemExit(0)"), "C-DESCRIBE")
        assert (record.verdict, record.exit_code()) == (RunVerdict.NOT_CONFORMANT, 1)

    def test_a_driver_that_cannot_be_made_raises_what_becomes_4(self, vendor: Callable[[str], str]) -> None:
        with pytest.raises(InvalidUsage, match=r"its constructor raised KeyError: 'x' \(vendor_\d+.py, line 8\)"):
            certify(vendor("def __init__(self, configuration):\n    raise KeyError('x')"), "C-DESCRIBE")


class TestFileSystem:
    BODY = """
def describe(self, uri):
    os.path.exists('/var/tmp/one')
    try:
        open('/var/tmp/two', 'w')
    except OSError:
        pass
    return super().describe(uri)
"""

    def test_one_failure_per_place_with_file_and_line(self, vendor: Callable[[str], str]) -> None:
        reference = vendor(self.BODY)
        record = certify(reference, "C-NOFS")
        assert record.exit_code() == 1
        whole = [failure for failure in record.failures if failure.check == WHOLE_RUN]
        name = Path(reference.rpartition(":")[0]).name
        assert [failure.source for failure in whole] == [SourceLine(name, 9), SourceLine(name, 11)]
        for failure, path in zip(whole, ("/var/tmp/one", "/var/tmp/two"), strict=True):
            assert path in failure.message and failure.message.endswith(f"({name}:{failure.source.line})")  # type: ignore[union-attr]
            assert failure.token
        assert {Path(finding.file).name for finding in record.findings} == {name}
        assert not any("/" in finding.file for finding in record.findings), "no folder of this machine"

    def test_under_other_rules_it_is_noted_and_not_judged(self, vendor: Callable[[str], str]) -> None:
        record = certify(vendor(self.BODY), "C-DESCRIBE")
        assert WHOLE_RUN not in {check.id for check in record.checks}
        assert len(record.findings) == 2

    def test_a_clean_driver_passes_it(self) -> None:
        record = certify(S3, "C-NOFS")
        assert next(check.verdict for check in record.checks if check.id == WHOLE_RUN) is Verdict.PASS


class TestOtherRules:
    def test_a_case_that_broke_another_rule_decides_nothing_of_its_own(self, vendor: Callable[[str], str]) -> None:
        record = certify(vendor("def describe(self, uri):\n    raise KeyError(uri)"), "C-DESCRIBE")
        shadow = [check for check in record.checks if check.rule == "C-DESCRIBE" and "broke first" in check.reason]
        assert shadow and {check.verdict for check in shadow} == {Verdict.UNKNOWN}
        failed = {rule.id for rule in record.rules if rule.verdict is Verdict.FAIL}
        assert "C-ERRORS" in failed
        assert {failure.check for failure in record.failures} <= {check.id for check in record.checks}
        sources = {failure.source for failure in record.failures}
        assert any(source is not None and source.line == 8 for source in sources)

    def test_audit_stands_in_the_record(self, vendor: Callable[[str], str]) -> None:
        record = certify(vendor("def capabilities(self):\n    return Capabilities(range_read=True, enumerate=True)"), "C-CAPS")
        words = {one.name: str(one.audit) for one in record.capabilities}
        assert words["on_device_copy"] == "under_declared"
        assert words["range_read"] == "confirmed"
        assert words["snapshots"] == "refused_as_documented"
        assert words["max_object_size_bytes"] == "not_probed"


@pytest.mark.slow
@pytest.mark.parametrize("driver", [S3, MEMORY])
def test_a_correct_driver_is_conformant_in_the_core_profile(driver: str) -> None:
    record = certify(driver)
    assert (record.verdict, record.counts.failed, record.counts.error) == (RunVerdict.CONFORMANT, 0, 0), record.reason
    assert record.counts.passed > 400
