"""First contact: what is learned of a driver and its device, and who is told when there is nothing to learn."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.conformance.calibrate import calibrate
from storcert.conformance.usage import InvalidUsage
from storcert.conformance.world import KitTrouble
from storcert.harness.contract import Capabilities, DataObjectUri, DeviceUnavailable, InvalidRequest, ObjectKind
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.kernel.interpose import installed
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import facts_of, subject

MIB = 1 << 20


def learn(driver: type, **more: Any) -> Any:
    with installed():
        return calibrate(subject(driver, **more), 0)


def refused(driver: type, **more: Any) -> str:
    with pytest.raises(InvalidUsage) as raised:
        learn(driver, **more)
    assert "\n" not in str(raised.value)
    return str(raised.value)


class TestFacts:
    def test_of_the_s3_driver(self) -> None:
        facts = facts_of()
        assert (facts.mode, facts.part_bytes, facts.page_size) == ("simulated", 5 * MIB, 1000)
        assert facts.kind is ObjectKind.VOLUME
        assert facts.fixed_entries == frozenset()
        assert {"answer_lost", "throttle", "request_lost", "crash"} <= set(facts.legal_faults)
        assert "crash" not in facts.fault_phases and set(facts.fault_phases) < set(facts.legal_faults)

    def test_sizes_follow_the_parts_the_driver_really_sends(self) -> None:
        facts = learn(S3Driver, configuration={"part_size_bytes": 6 * MIB})
        assert facts.part_bytes == 6 * MIB
        assert facts.boundary_sizes == (6 * MIB - 1, 6 * MIB, 6 * MIB + 1, 12 * MIB, 18 * MIB + 1)
        assert facts.large_size == 9 * MIB + 1

    def test_the_devices_options_count(self) -> None:
        assert learn(S3Driver, simulator={"page_size": 7}).page_size == 7

    def test_a_driver_that_makes_no_request_is_in_process(self) -> None:
        assert facts_of(MemoryDriver).mode == "in_process"

    def test_a_marker_that_stays_is_no_leftover(self) -> None:
        class Marks(S3Driver):
            def create(self, uri: DataObjectUri, size: int) -> None:
                super().create(uri, size)
                self._bucket._client.put_object(Bucket=self._bucket.name, Key="marker", Body=b"")

        assert learn(Marks).fixed_entries == {("object", "storcert/marker")}

    def test_the_same_twice(self) -> None:
        assert learn(S3Driver) == facts_of()


class TestSizes:
    def test_granularity_and_limit(self) -> None:
        class Blocks(MemoryDriver):
            def capabilities(self) -> Capabilities:
                return Capabilities(size_granularity_bytes=512, max_object_size_bytes=100_000)

        facts = learn(Blocks)
        assert facts.fit(1) == facts.fit(512) == 512
        assert (facts.fit(0), facts.fit(1 << 40)) == (0, 99_840)
        assert facts.small_sizes == (0, 512, 4096, 4608, 65_536, 66_048)

    def test_a_kind_that_is_held(self) -> None:
        class Images(MemoryDriver):
            def capabilities(self) -> Capabilities:
                return Capabilities(kinds=frozenset({ObjectKind.TEMPLATE, ObjectKind.ISO}))

        assert learn(Images).kind is ObjectKind.ISO


class CannotBeMade(S3Driver):
    def __init__(self, configuration: Any) -> None:
        raise KeyError("bucket")


class TestTheUsersMistakes:
    def test_a_constructor_that_raises(self) -> None:
        said = refused(CannotBeMade)
        assert said.startswith("driver 'CannotBeMade': its constructor raised KeyError: 'bucket' (test_calibrate.py, line ")

    @pytest.mark.parametrize("error", [InvalidRequest("no bucket given"), SystemExit(3), RuntimeError("x")])
    def test_whatever_it_raises(self, error: BaseException) -> None:
        class Raises(S3Driver):
            def __init__(self, configuration: Any) -> None:
                raise error

        assert f"its constructor raised {type(error).__name__}" in refused(Raises)

    @pytest.mark.parametrize("answer", [None, {"snapshots": True}, "all"])
    def test_capabilities_that_are_none(self, answer: Any) -> None:
        class Vague(MemoryDriver):
            def capabilities(self) -> Any:
                return answer

        assert f"capabilities() gave {type(answer).__name__}, not Capabilities" in refused(Vague)

    def test_capabilities_that_raise(self) -> None:
        class Shy(MemoryDriver):
            def capabilities(self) -> Any:
                raise ZeroDivisionError

        assert "capabilities() failed" in refused(Shy)

    def test_a_device_that_cannot_be_reached(self) -> None:
        said = refused(S3Driver, configuration={"endpoint_url": "http://nowhere.example"})
        assert "cannot reach its device" in said and "look at the configuration" in said

    def test_a_bucket_that_is_not_there(self) -> None:
        assert "cannot reach its device" in refused(S3Driver, configuration={"bucket": "other"})


class TestTheDriversMistakes:
    """They are for the checks to find; calibration goes on."""

    @pytest.mark.parametrize("method", ["create", "describe", "delete", "open_output"])
    @pytest.mark.parametrize("error", [KeyError("x"), DeviceUnavailable("x", None, "not_done"), SystemExit(0)])
    def test_calls_that_fail(self, method: str, error: BaseException) -> None:
        def fail(*_: Any) -> Any:
            raise error

        driver = type("Fails", (S3Driver,), {method: fail})
        if method == "create" and isinstance(error, DeviceUnavailable):
            return  # nothing ever came to the device: told apart from a wrong configuration by nobody
        assert learn(driver).capabilities == facts_of().capabilities

    def test_what_is_not_modelled_is_trouble_of_the_kit(self) -> None:
        class Asks(S3Driver):
            def describe(self, uri: DataObjectUri) -> Any:
                self._bucket._client.get_bucket_acl(Bucket="storcert")

        with pytest.raises(KitTrouble, match="get_bucket_acl"):
            learn(Asks)
