"""What the tests of the kit share: facts learned once per driver, a bench that is always closed, one case run to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import storcert.conformance.requirements
import storcert.simulators.object_store  # noqa: F401  (registers its client face)
from storcert.conformance.bench import Bench
from storcert.conformance.calibrate import calibrate
from storcert.conformance.certify import case_by_id, run_certification
from storcert.conformance.driver_source import find_driver
from storcert.conformance.facts import Facts
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.conformance.registry import Case, Check, Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.subject import Subject
from storcert.harness.contract import DeviceUnavailable
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.run_record import RunRecord

S3 = "storcert.harness.drivers.s3:S3Driver"


class Hopeful(S3Driver):
    """Takes a lost request or answer of ``create`` for success."""

    def create(self, uri: Any, size: int) -> None:
        try:
            super().create(uri, size)
        except DeviceUnavailable:
            pass


def subject(driver_class: type = S3Driver, **more: Any) -> Subject:
    """A driver class under test, named by its class name."""
    return Subject(driver_class.__name__, driver_class, **more)


@cache
def facts_of(driver_class: type = S3Driver) -> Facts:
    """What the kit learns of it on a simulated object store."""
    with installed():
        return calibrate(subject(driver_class), 0)


@contextmanager
def bench_of(driver_class: type = S3Driver, seed: int = 1, facts: Facts | None = None) -> Iterator[Bench]:
    """A bench as a check gets it."""
    with installed():
        bench = Bench(subject(driver_class), facts or facts_of(driver_class), seed, "a-case")
        try:
            yield bench
        finally:
            bench.close()


def run_check(function: Callable[..., None], driver_class: type = S3Driver, rule: str = "C-READ", **more: Any) -> CaseOutcome:
    """One hand-made check, run as the kit runs its own."""
    made = Check(rule, "by-hand", function, Level.CORE, (), (), more.pop("simulation", False))
    facts = more.pop("facts", None) or facts_of(driver_class)
    with installed():
        return run_case(Case(made, ""), subject(driver_class), facts, more.pop("seed", 1), **more)


def run_id(identity: str, driver_class: type = S3Driver, seed: int = 1, **more: Any) -> CaseOutcome:
    """One case of the kit, by its id."""
    facts = facts_of(driver_class)
    case = case_by_id(cases_for(facts, Level.DEEP), identity)
    assert case is not None, identity
    with installed():
        return run_case(case, subject(driver_class), facts, seed, **more)


def options(driver: str = S3, *rules: str, **more: Any) -> CertifyOptions:
    """Options of a quick certification in this process."""
    return CertifyOptions(find_driver(driver), profile=Profile.CORE, rules=rules, **more)


def certify(driver: str = S3, *rules: str, **more: Any) -> RunRecord:
    """The record of a quick certification."""
    return run_certification(options(driver, *rules, **more), SilentProgress())


def driver_file(folder: Path, body: str, name: str = "vendor") -> str:
    """A vendor's file: ``class Driver(S3Driver)`` with this body. Gives the reference to certify."""
    head = ["import os", "from storcert.harness.contract import *", "from storcert.harness.drivers.s3 import S3Driver"]
    lines = [f"    {line}".rstrip() for line in body.splitlines()]
    text = "\n".join([*head, "", "", "class Driver(S3Driver):", *lines, ""])
    path = folder / f"{name}.py"
    path.write_text(text)
    return f"{path}:Driver"
