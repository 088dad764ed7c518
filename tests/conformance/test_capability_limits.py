"""A driver that can little and says so passes the whole audit; one that is less exact than it says does not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from storcert.conformance.audit import audit
from storcert.conformance.calibrate import calibrate
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import run_case
from storcert.harness.contract import Capabilities, InvalidRequest, ObjectKind, ObjectNotFound, Unsupported
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.run_record import Audit, CapabilityResult, CheckResult
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import run_id, subject

GRAIN, LIMIT = 512, 100 * 512


class SectorStream:
    """Takes whole sectors only."""

    def __init__(self, stream: Any, uri: Any) -> None:
        self.stream, self.uri, self.total = stream, uri, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, data: Any) -> int:
        taken: int = self.stream.write(data)
        self.total += taken
        return taken

    def commit(self) -> Any:
        if self.total % GRAIN:
            self.stream.abort()
            raise InvalidRequest("objects are made of whole sectors", self.uri)
        return self.stream.commit()

    def __enter__(self) -> SectorStream:
        return self

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            self.commit()
        else:
            self.stream.abort()


class Narrow(S3Driver):
    """Volumes of whole sectors up to a limit, nothing else; all of it declared."""

    def __init__(self, configuration: Any) -> None:
        super().__init__({**configuration, "max_object_size_bytes": LIMIT})

    def capabilities(self) -> Capabilities:
        return Capabilities(
            kinds=frozenset({ObjectKind.VOLUME}), max_object_size_bytes=LIMIT, size_granularity_bytes=GRAIN,
            max_name_bytes=super().capabilities().max_name_bytes,
        )  # fmt: skip

    def _held(self, uri: Any) -> None:
        if uri.kind is not ObjectKind.VOLUME:
            raise Unsupported(f"no {uri.kind} is kept here", uri)

    def create(self, uri: Any, size: int) -> None:
        self._held(uri)
        if isinstance(size, int) and size % GRAIN:
            raise InvalidRequest("objects are made of whole sectors", uri)
        super().create(uri, size)

    def delete(self, uri: Any) -> None:
        self._held(uri)
        super().delete(uri)

    def describe(self, uri: Any) -> Any:
        self._held(uri)
        return super().describe(uri)

    def copy(self, source: Any, destination: Any) -> None:
        raise Unsupported("copy", destination)

    def list_objects(self) -> Any:
        raise Unsupported("list_objects")

    def open_input(self, uri: Any, offset: int = 0, length: int | None = None) -> Any:
        self._held(uri)
        if (offset, length) != (0, None):
            raise Unsupported("ranges", uri)
        return super().open_input(uri)

    def open_output(self, uri: Any, size: int | None = None) -> Any:
        self._held(uri)
        return SectorStream(super().open_output(uri, size), uri)


def audited(driver: type) -> tuple[list[CheckResult], dict[str, CapabilityResult]]:
    with installed():
        facts = calibrate(subject(driver), 0)
        cases = [case for case in cases_for(facts, Level.STANDARD) if case.check.rule == "C-CAPS"]
        results = [run_case(case, subject(driver), facts, 0).result for case in cases]
    return results, {one.name: one for one in audit(facts.capabilities, results)}


def test_a_driver_that_can_little_and_says_so_is_not_accused() -> None:
    results, found = audited(Narrow)
    assert [one for one in results if one.verdict not in (Verdict.PASS, Verdict.SKIPPED)] == []
    confirmed = {"kinds", "max_object_size_bytes", "size_granularity_bytes", "max_name_bytes"}
    assert {name for name, one in found.items() if one.audit is Audit.CONFIRMED} == confirmed
    assert {one.audit for name, one in found.items() if name not in confirmed} == {Audit.REFUSED_AS_DOCUMENTED}
    assert [one.reason for one in found.values() if one.reason] == []


class Coarse(Narrow):
    """Says 512 and means 1024."""

    def create(self, uri: Any, size: int) -> None:
        if size % (2 * GRAIN):
            raise InvalidRequest("objects are made of pairs of sectors", uri)
        super().create(uri, size)


class Larger(Narrow):
    """Takes one sector more than it says."""

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), max_object_size_bytes=LIMIT - GRAIN)


class Homeless(Narrow):
    """Takes snapshots, it says, and keeps none."""

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), snapshots=True)

    def take_snapshot(self, volume: Any, snapshot: Any) -> None:
        raise Unsupported("no snapshot is kept here", snapshot)


class Leaky(Narrow):
    """Refuses a copy when it has begun one."""

    def copy(self, source: Any, destination: Any) -> None:
        super().create(destination, GRAIN)
        raise Unsupported("copy", destination)


@pytest.mark.parametrize(
    ("driver", "case", "words"),
    [
        (Coarse, "multiples-of-the-granularity", "where success was due"),
        (Larger, "max-object-size-bytes", "CapacityExceeded was due"),
        (Homeless, "optional-methods[snapshots]", "snapshots is declared, and the kind snapshot is not"),
        (Leaky, "on-device-copy", "on_device_copy is not declared: left behind on the device"),
    ],
)
def test_what_is_not_as_declared_is_found(driver: type, case: str, words: str) -> None:
    outcome = run_id(f"C-CAPS/{case}", driver)
    assert outcome.result.verdict is Verdict.FAIL and words in outcome.message, outcome.message


class PieceByPiece(S3Driver):
    """Sends no zero, and asks the device for each piece of them."""

    def create(self, uri: Any, size: int) -> None:
        for _ in range(0, size, 1 << 14):
            with suppress(ObjectNotFound):
                super().describe(uri)


def test_zeros_made_piece_by_piece_are_not_asked_for_without_end() -> None:
    with installed():
        facts = calibrate(subject(S3Driver), 0)
        (case,) = [case for case in cases_for(facts, Level.CORE) if case.id == "C-CAPS/object-of-the-limit"]
        bounded = replace(facts, capabilities=replace(facts.capabilities, max_object_size_bytes=None))
        outcome = run_case(case, subject(PieceByPiece), bounded, 0)
    assert (outcome.result.verdict, "takes too long to make here" in outcome.message) == (Verdict.SKIPPED, True)
