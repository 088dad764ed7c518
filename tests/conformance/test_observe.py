"""Looking back: absent, or these very bytes, and the same by every operation."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.conformance.bench import HOST, SSVM
from storcert.conformance.observe import both, require_absent, require_bytes, seen, stored
from storcert.conformance.violation import Violation
from storcert.harness.contract import DataObjectDescription, DataObjectUri, DeviceUnavailable, ObjectNotFound
from tests.conformance.drivers import MemoryDriver, MemoryInput
from tests.conformance.kit import bench_of, facts_of

FACTS = facts_of(MemoryDriver)


class HalfBlind(MemoryDriver):
    """``describe`` and ``open_input`` do not agree."""

    hidden_from = ""
    extra_bytes = 0
    listed_for_ever: Any = None

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        if self.hidden_from == "describe":
            raise ObjectNotFound("not there", uri)
        return DataObjectDescription(uri, len(self.held(uri)) + self.extra_bytes)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> MemoryInput:
        if self.hidden_from == "open_input":
            raise ObjectNotFound("not there", uri)
        return super().open_input(uri, offset, length)

    def list_objects(self) -> Any:
        return iter([*super().list_objects(), *([self.listed_for_ever] if self.listed_for_ever else [])])


def test_seen_gives_the_bytes_or_nothing() -> None:
    with bench_of(MemoryDriver) as bench:
        uri = bench.uri()
        assert seen(bench.client(), uri) is None
        assert stored(bench, uri, 100, "x", SSVM) == seen(bench.client(), uri)
        bench.client().create(bench.uri("empty"), 0)
        assert seen(bench.client(), bench.uri("empty")) == b""


def test_trouble_while_looking_is_not_absence() -> None:
    class Down(MemoryDriver):
        def describe(self, uri: DataObjectUri) -> DataObjectDescription:
            raise DeviceUnavailable("down", uri, "not_done")

    with bench_of(Down, facts=FACTS) as bench, pytest.raises(DeviceUnavailable):
        seen(bench.client(), bench.uri())


@pytest.mark.parametrize(
    ("hidden_from", "words"),
    [("describe", "open_input .* finds the object and describe does not"),
     ("open_input", "describe .* finds the object and open_input does not")],
)  # fmt: skip
def test_operations_that_disagree(hidden_from: str, words: str) -> None:
    driver = type("HalfBlind", (HalfBlind,), {"hidden_from": hidden_from})
    with bench_of(driver, facts=FACTS) as bench:
        bench.client().create(bench.uri(), 3)
        with pytest.raises(Violation, match=words):
            seen(bench.client(), bench.uri())


def test_another_size_is_the_fault_of_describe() -> None:
    driver = type("HalfBlind", (HalfBlind,), {"extra_bytes": 1})
    with bench_of(driver, facts=FACTS) as bench:
        bench.client().create(bench.uri(), 3)
        with pytest.raises(Violation, match="says 4 bytes, reading gives 3") as raised:
            seen(bench.client(), bench.uri())
        assert raised.value.rule == "C-DESCRIBE"


def test_require_bytes() -> None:
    with bench_of(MemoryDriver) as bench:
        uri = bench.uri()
        with pytest.raises(Violation, match=f"^later: {uri} is absent"):
            require_bytes(bench.client(), uri, b"", "later")
        data = stored(bench, uri, 10)
        require_bytes(bench.client(SSVM), uri, data)
        with pytest.raises(Violation, match="only 10 bytes instead of 11"):
            require_bytes(bench.client(), uri, data + b"x")
        with pytest.raises(Violation, match="byte 9 is"):
            require_bytes(bench.client(), uri, data[:-1] + bytes([data[-1] ^ 1]))


def test_require_absent_asks_the_listing_too() -> None:
    with bench_of(HalfBlind, facts=FACTS) as bench:
        uri = bench.uri()
        require_absent(bench.client(), uri)
        bench.client().driver.target.listed_for_ever = uri
        with pytest.raises(Violation, match=f"^x: {uri} is listed"):
            require_absent(bench.client(), uri, "x")
        bench.client().create(uri, 7)
        with pytest.raises(Violation, match="is visible with 7 bytes"):
            require_absent(bench.client(), uri)


def test_both_are_two_instances_at_two_locations() -> None:
    with bench_of() as bench:
        here, there = both(bench)
        assert (here.location, there.location) == (HOST, SSVM)
        assert here.driver.target is not there.driver.target
        assert bench.client() is here and bench.new_client() is not here
