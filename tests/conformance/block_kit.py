"""Runs cases of the kit on the ideal block device: what :mod:`tests.conformance.kit` does on the object store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance.bench import Bench
from storcert.conformance.calibrate import calibrate
from storcert.conformance.facts import Facts
from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.subject import Subject
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.verdict import Verdict
from storcert.simulators import registry
from tests.conformance.block_driver import BlockDriver, StrictDriver

DEVICE = "block"


@contextmanager
def block_device() -> Iterator[None]:
    """The ideal block device among the devices that there are."""
    known = dict(registry.SIMULATED)
    kind = registry.DeviceKind(
        DEVICE, "tests.conformance.block_device", "BlockDevice", "BlockOptions", "block", "ideal",
        lambda name, number: {"server": f"{name}-{number}.sim"},
    )  # fmt: skip
    registry.SIMULATED = {**known, DEVICE: kind}
    try:
        yield
    finally:
        registry.SIMULATED = known


def subject(driver_class: type, **simulator: Any) -> Subject:
    """A driver on that device; a :class:`StrictDriver` on one that keeps what others were made from."""
    if issubclass(driver_class, StrictDriver):
        simulator = {"strict": True, **simulator}
    return Subject(driver_class.__name__, driver_class, DEVICE, {}, simulator)


@cache
def facts_of(driver_class: type = BlockDriver) -> Facts:
    """What the kit learns of it."""
    with block_device(), installed():
        return calibrate(subject(driver_class), 0)


@contextmanager
def bench_of(driver_class: type = BlockDriver, seed: int = 1, **simulator: Any) -> Iterator[Bench]:
    """A bench as a check gets it."""
    facts = facts_of(driver_class)
    with block_device(), installed():
        bench = Bench(subject(driver_class, **simulator), facts, seed, "a-case")
        try:
            yield bench
        finally:
            bench.close()


def run_checks(
    driver_class: type, *prefixes: str, level: Level = Level.CORE, seed: int = 1, simulator: Mapping[str, Any] | None = None
) -> list[CaseOutcome]:
    """Every case whose id begins with one of ``prefixes``."""
    facts = facts_of(driver_class)
    cases = [case for case in cases_for(facts, level) if case.id.startswith(prefixes)]
    with block_device(), installed():
        return [run_case(case, subject(driver_class, **(simulator or {})), facts, seed) for case in cases]


def failures(outcomes: list[CaseOutcome]) -> list[str]:
    """What did not hold, with the steps, for a person."""
    wrong = [one for one in outcomes if one.result.verdict not in (Verdict.PASS, Verdict.SKIPPED)]
    return [
        "\n   ".join((f"{one.result.verdict} {one.result.rule} {one.result.id}: {one.message}", *one.result.steps, one.trace))
        for one in wrong
    ]


def broken_rules(outcomes: list[CaseOutcome]) -> dict[str, str]:
    """Id of each failed case and ``rule: message``."""
    return {one.result.id: f"{one.result.rule}: {one.message}" for one in outcomes if one.result.verdict is Verdict.FAIL}


def case_of(driver_class: type, identity: str, level: Level = Level.DEEP) -> Case:
    """One case by its id."""
    return next(case for case in cases_for(facts_of(driver_class), level) if case.id == identity)


