"""The path driver on exports that are not the usual one: folding case, without a memory of requests, root as nobody, hard."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.conformance.calibrate import calibrate
from storcert.conformance.certify import case_by_id
from storcert.conformance.devices import prepare
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.subject import Subject
from storcert.harness.drivers.nfs import NfsDriver
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.verdict import Verdict
from tests.conformance.path_driver import PathDriver


def outcome(identity: str, driver: type = NfsDriver, **simulator: Any) -> CaseOutcome:
    prepare("nfs")
    with installed():
        one = Subject(driver.__name__, driver, device="nfs", simulator=simulator)
        facts = calibrate(one, 0)
        case = case_by_id(cases_for(facts, Level.STANDARD), identity)
        assert case is not None, identity
        return run_case(case, one, facts, 1)


@pytest.mark.parametrize("case", ["C-NAMES/twins-stay-apart[object-0]", "C-NAMES/twins-stay-apart[account-0]"])
def test_an_export_that_folds_case_merges_no_names(case: str) -> None:
    found = outcome(case, case_sensitive=False)
    assert found.result.verdict is Verdict.PASS, found.message
    assert outcome(case, PathDriver, case_sensitive=False).result.verdict is Verdict.FAIL, "and it would, if it could"


@pytest.mark.parametrize("flavour", ["soft", "softerr"])
@pytest.mark.parametrize(
    "case",
    [
        "C-RETRY/one-fault[write-small answer_lost]", "C-RETRY/one-fault[delete-small answer_lost]",
        "C-RETRY/one-fault[create-small answer_lost]", "C-ONCE/race-of-commits[small]",
    ],
)  # fmt: skip
def test_a_server_without_a_memory_of_requests(case: str, flavour: str) -> None:
    found = outcome(case, duplicate_request_cache=False, flavour=flavour)
    assert found.result.verdict is Verdict.PASS, found.message


@pytest.mark.parametrize(
    "case", ["C-STATELESS/no-negative-memory[describe]", "C-READER/replaced[half-way-same-size]", "C-LIST/all-of-them[7]"]
)
def test_small_transfers_and_no_attribute_cache(case: str) -> None:
    options: dict[str, Any] = dict.fromkeys(("acregmin_ns", "acregmax_ns", "acdirmin_ns", "acdirmax_ns"), 0)
    found = outcome(case, rsize_bytes=4096, wsize_bytes=4096, **options)
    assert found.result.verdict is Verdict.PASS, found.message


def test_on_a_hard_mount_nobody_keeps_the_budget() -> None:
    found = outcome("C-BUDGET/under-lasting-faults[describe request_lost]", flavour="hard")
    assert found.result.verdict is Verdict.FAIL
    assert "did not end" in found.message
