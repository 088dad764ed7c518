"""The fsspec adapter under the kit: faultless on a faultless file system, and on a real one only what is documented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.options import CertifyOptions, certify_options
from storcert.conformance.progress import SilentProgress
from storcert.harness.contract import DataObjectUri, ObjectExists, ObjectKind
from storcert.harness.drivers.fsspec import FsspecDriver
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.harness.drivers.ideal_file_system import PROTOCOL, IdealFileSystem

DOCUMENTED_ON_MEMORY = {
    "C-INDEP/interleaved-readers[one-instance]",
    "C-INDEP/interleaved-readers[two-locations]",
    "C-ONCE/opened-before-the-other-commit[empty]",
    "C-ONCE/opened-before-the-other-commit[small]",
}
DOCUMENTED_ON_FILE = {check for check in DOCUMENTED_ON_MEMORY if check.startswith("C-ONCE/")}


@pytest.fixture(autouse=True)
def ideal() -> Iterator[None]:
    fsspec.register_implementation(PROTOCOL, IdealFileSystem, clobber=True)
    yield
    IdealFileSystem.objects.clear()
    fsspec.filesystem("memory").store.clear()


def certified(rules: tuple[str, ...] = (), device: str | None = None, **configuration: Any) -> RunRecord:
    # By import path: the tests may run where nothing is installed. One worker: in this process, where "ideal" is known.
    options: CertifyOptions = certify_options(
        "storcert.harness.drivers.fsspec:FsspecDriver", device=device, profile="core", rules=rules, seed=1, workers=1
    )
    return run_certification(replace(options, configuration=configuration), SilentProgress())


def failing(record: RunRecord) -> set[str]:
    return {check.id for check in record.checks if check.verdict is Verdict.FAIL}


@pytest.mark.slow
def test_the_adapter_has_no_fault_of_its_own() -> None:
    record = certified(protocol=PROTOCOL)
    assert failing(record) == set()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
    assert record.findings == ()
    assert record.counts.passed > 350


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["C-ONCE", "C-INDEP"])
def test_memory_fails_exactly_what_is_documented(rule: str) -> None:
    record = certified((rule,))
    assert failing(record) == {check for check in DOCUMENTED_ON_MEMORY if check.startswith(f"{rule}/")}
    assert record.verdict is RunVerdict.NOT_CONFORMANT


@pytest.mark.slow
def test_memory_is_conformant_where_whole_objects_are_asked_for() -> None:
    record = certified(whole=True)
    assert record.verdict is RunVerdict.CONFORMANT, (record.reason, failing(record))


@pytest.mark.slow
def test_a_folder_fails_exactly_what_is_documented_and_is_left_without_files(tmp_path: Path) -> None:
    rules = ("C-ONCE", "C-INDEP", "C-DELETE")
    for _ in range(2):  # a second run must not meet what the first one left
        record = certified(rules, "live", protocol="file", root=str(tmp_path))
        assert failing(record) == DOCUMENTED_ON_FILE
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_rules_about_faults_are_not_passed_where_no_fault_can_be_shown() -> None:
    record = certified(("C-BUDGET", "C-DURABLE", "C-RETRY"), protocol=PROTOCOL)
    assert {check.verdict for check in record.checks} == {Verdict.SKIPPED, Verdict.DISABLED}
    assert record.verdict is RunVerdict.UNDECIDED


def test_no_file_rule_is_not_passed_where_nobody_watches(tmp_path: Path) -> None:
    """The local file system keeps scratch files in the temporary folder; a live run does not see them."""
    record = certified(("C-NOFS",), "live", protocol="file", root=str(tmp_path))
    passed = {check.id.partition("[")[0] for check in record.checks if check.verdict is Verdict.PASS}
    assert passed == {"C-NOFS/streams-are-no-files"}


def test_the_ideal_file_system_is_exclusive_at_commit() -> None:
    driver = FsspecDriver({"protocol": PROTOCOL})
    name = DataObjectUri(ObjectKind.VOLUME, "1", "a")
    first, second = driver.open_output(name), driver.open_output(name)
    first.write(b"first")
    second.write(b"second")
    first.commit()
    with pytest.raises(ObjectExists):
        second.commit()
    with driver.open_input(name) as one, driver.open_input(name) as two:
        assert (one.read(), two.read()) == (b"first", b"first")
