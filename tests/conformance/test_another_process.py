"""A failure that the next process does not have is the driver's, and another one: its answers hang on the hash of a text."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from storcert.conformance import another_process
from storcert.conformance.another_process import HASH_SEED, AnotherProcess
from storcert.conformance.certify import run_certification
from storcert.conformance.confirm import NONDETERMINISTIC
from storcert.conformance.driver_source import find_driver
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.conformance.runner import CaseOutcome
from storcert.harness.record.run_record import CheckResult
from storcert.harness.record.verdict import Blame, RunVerdict, Verdict
from tests.conformance.kit import driver_file

FAILED = CaseOutcome(CheckResult("C-READ/x", "C-READ", "", Verdict.FAIL, "m"), "m", example="7", blame=Blame.DRIVER)
HELD = CaseOutcome(CheckResult("C-READ/x", "C-READ", "", Verdict.PASS))


class Here(AnotherProcess):
    """Without a process: what it would say is given."""

    def __init__(self, *answers: CaseOutcome) -> None:
        super().__init__(lambda: None, (), lambda: HELD)
        self.answers = list(answers)

    def _run(self, outcome: CaseOutcome) -> CaseOutcome:
        return self.answers.pop(0)


class TestWhatComesOfIt:
    def test_the_same_again(self) -> None:
        assert Here(FAILED).confirmed(FAILED) is FAILED

    def test_not_again(self) -> None:
        found = Here(HELD).confirmed(FAILED)
        assert (found.result.verdict, found.result.rule, found.blame) == (Verdict.FAIL, "C-STATELESS", Blame.DRIVER)
        assert found.message == "the same world twice, and two answers: first C-READ: m; in another process: it held"
        assert [one.kind for one in found.findings] == [NONDETERMINISTIC]

    def test_the_first_of_each_rule_is_enough_and_what_is_well_is_left_alone(self) -> None:
        apart = Here(FAILED)
        assert apart.confirmed(HELD) is HELD
        assert apart.confirmed(replace(FAILED, blame=Blame.INCONCLUSIVE)).blame is Blame.INCONCLUSIVE
        assert apart.confirmed(FAILED) is apart.confirmed(FAILED) is FAILED
        assert apart.answers == []

    def test_the_hash_seed_is_another_one_and_comes_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for before, during in (("0", "1"), ("1", "2"), (None, "1")):
            if before is None:
                monkeypatch.delenv(HASH_SEED, raising=False)
            else:
                monkeypatch.setenv(HASH_SEED, before)
            with another_process._another_hash_seed():
                assert os.environ[HASH_SEED] == during
            assert os.environ.get(HASH_SEED) == before


@pytest.mark.slow
def test_a_driver_that_hangs_on_the_hash_of_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In workers the first seed, in the process beside them the second: a text is chosen whose hash is odd in one of them."""

    def odd(seed: str) -> list[bool]:
        code = "print([hash(f'text {number}') % 2 == 1 for number in range(30)])"
        environment = {**os.environ, HASH_SEED: seed}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        found: list[bool] = eval(done.stdout)
        return found

    number = next(at for at, (first, second) in enumerate(zip(odd("0"), odd("1"), strict=True)) if first and not second)
    body = f"def describe(self, uri):\n    more = hash('text {number}') % 2\n    found = super().describe(uri)\n"
    body += "    return DataObjectDescription(uri, found.size_bytes + more)"
    before, name = list(sys.path), f"hashing_{zlib.crc32(body.encode())}"
    monkeypatch.setenv(HASH_SEED, "0")
    try:
        reference = driver_file(tmp_path, body, name)
        options = CertifyOptions(find_driver(reference), profile=Profile.CORE, rules=("C-DESCRIBE",), workers=2)
        record = run_certification(options, SilentProgress())
    finally:
        sys.path[:] = before
        sys.modules.pop(name, None)
    assert record.verdict is RunVerdict.NOT_CONFORMANT
    (told,) = [failure for failure in record.failures if failure.check.endswith(":C-STATELESS")]
    assert "in another process: it held" in told.message
    assert NONDETERMINISTIC in {finding.kind for finding in record.findings}

