"""What the kit allows a driver on a mounted path: fixed folders, names of 64 characters in a live run, an
absent mount, and leftovers that a device in trouble would not let it remove."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.calibrate import calibrate
from storcert.conformance.certify import case_by_id
from storcert.conformance.checks.names import plain_names_are_taken
from storcert.conformance.devices import prepare
from storcert.conformance.operations import healthy_requests, scenario
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import run_case
from storcert.conformance.violation import Violation
from storcert.harness.contract import DataObjectUri, DeviceUnavailable, Outcome
from storcert.harness.drivers.nfs import NfsDriver
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.verdict import Verdict
from storcert.simulators.nfs import NfsExport
from tests.conformance.kit import subject


@pytest.mark.parametrize(("fixed", "passes"), [(True, True), (False, False)])
def test_a_fixed_folder_is_nothing_left_behind(fixed: bool, passes: bool) -> None:
    prepare("nfs")
    with installed():
        one = subject(NfsDriver, device="nfs")
        facts = calibrate(one, 0)
        assert {name for _, name in facts.fixed_entries} == {"objects", "pending"}
        bench = Bench(one, facts if fixed else dataclasses.replace(facts, fixed_entries=frozenset()), 1, "a-case")
        try:
            before = bench.census()
            bench.client(HOST).write(bench.uri(), b"x", end="commit")
            bench.client(HOST).delete(bench.uri())
            if passes:
                bench.require_same_census(before, "after the delete")
            else:
                with pytest.raises(Violation, match="left behind on the device: dir objects"):
                    bench.require_same_census(before, "after the delete")
        finally:
            bench.close()


def test_the_mark_of_a_live_run_makes_no_name_too_long(tmp_path: Path) -> None:
    one = subject(NfsDriver, device="live", configuration={"mount": str(tmp_path), "plain_directory": True})
    bench = Bench(one, calibrate(one, 0, "live"), 1, "a-case")
    try:
        plain_names_are_taken(bench, "x" * 64)
    finally:
        bench.close()


class MakesTheMount(NfsDriver):
    """Believes that a missing mount only needs its folders made."""

    def create(self, uri: DataObjectUri, size: int) -> None:
        import os

        try:
            super().create(uri, size)
        except DeviceUnavailable as error:
            try:
                os.makedirs("/mnt/storcert/objects")
            except OSError:
                raise DeviceUnavailable(error.message, uri, Outcome.NOT_DONE) from None


class FindsItEmpty(NfsDriver):
    """Where nothing is mounted there is nothing to list."""

    def list_objects(self) -> Any:
        try:
            yield from super().list_objects()
        except DeviceUnavailable:
            return


@pytest.mark.parametrize(
    ("driver", "operation", "words"),
    [
        (NfsDriver, "create", ""),
        (NfsDriver, "write", ""),
        (NfsDriver, "list", ""),
        (MakesTheMount, "create", "touched a file system outside its device"),
        (FindsItEmpty, "list", "DeviceUnavailable was due"),
    ],
)
def test_an_absent_mount_is_one_that_was_taken_away(driver: type, operation: str, words: str) -> None:
    prepare("nfs")
    with installed():
        one = subject(driver, device="nfs")
        facts = calibrate(one, 0)
        case = case_by_id(cases_for(facts, Level.CORE), f"C-ERRORS/absent-container[{operation}]")
        assert case is not None
        outcome = run_case(case, one, facts, 1)
    assert words in outcome.message
    assert (outcome.result.verdict is Verdict.PASS) == (not words), outcome


@pytest.mark.parametrize("lasting", [True, False])
def test_what_nobody_can_take_back_while_it_lasts_is_no_fault_of_the_driver(
    lasting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare("nfs")
    kinds = tuple(dataclasses.replace(kind, lasting=kind.lasting and lasting) for kind in NfsExport.legal_faults)
    monkeypatch.setattr(NfsExport, "legal_faults", kinds)
    with installed():
        one = subject(NfsDriver, device="nfs")
        facts = calibrate(one, 0)
        case = case_by_id(cases_for(facts, Level.STANDARD), "C-RETRY/one-fault[create-small read_only]")
        assert case is not None
        outcome = run_case(case, one, facts, 1)
    assert outcome.result.verdict is (Verdict.PASS if lasting else Verdict.FAIL), outcome
    assert ("left behind file pending/" in outcome.message) != lasting


@pytest.mark.parametrize(("name", "first"), [("write-small", True), ("write-parts", False)])
def test_large_operations_meet_a_device_in_use(name: str, first: bool) -> None:
    prepare("nfs")
    with installed():
        one = subject(NfsDriver, device="nfs")
        facts = calibrate(one, 0)
        bench = Bench(one, facts, 1, "a-case")
        try:
            assert ("MKDIR" in healthy_requests(bench, scenario(facts, name))) == first
        finally:
            bench.close()
