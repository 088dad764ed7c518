"""A real device in real time: here moto's server on loopback, and a port where nobody answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from storcert.conformance import first_contact
from storcert.conformance.bench import Bench
from storcert.conformance.calibrate import calibrate
from storcert.conformance.first_contact import within_reach
from storcert.conformance.live import LiveDevice, LiveWorld
from storcert.conformance.usage import InvalidUsage
from storcert.conformance.violation import Violation
from storcert.harness.record.fault import Fault
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.drivers import DEVICES, MemoryDriver
from tests.conformance.kit import S3, certify, facts_of, subject

MEMORY = "tests.conformance.drivers:MemoryDriver"


@pytest.fixture
def moto_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Configuration of a bucket on a moto server of its own."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    configuration = {
        "endpoint_url": f"http://{host}:{port}", "bucket": "live", "region_name": "us-east-1",
        "aws_access_key_id": "key", "aws_secret_access_key": "secret", "conditional_copy": False,
    }  # fmt: skip
    made = {name: value for name, value in configuration.items() if name.startswith(("endpoint", "region", "aws"))}
    client: Any = boto3.client("s3", **made)  # type: ignore[call-overload]
    client.create_bucket(Bucket="live")
    configuration["left"] = lambda: client.list_objects_v2(Bucket="live").get("KeyCount")
    yield configuration
    server.stop()


@pytest.mark.slow
def test_the_s3_driver_on_a_moto_server(moto_server: dict[str, Any]) -> None:
    left = moto_server.pop("left")
    record = certify(S3, "C-DELETE", "C-DESCRIBE", device="live", configuration=moto_server)
    verdicts = {rule.id: rule.verdict for rule in record.rules}
    assert (verdicts["C-DELETE"], verdicts["C-DESCRIBE"], record.exit_code()) == (Verdict.PASS, Verdict.PASS, 0), record.reason
    assert (record.device.name, record.device.mode) == ("live", "live")
    assert left() == 0, "what a live run wrote it takes away again"


def test_volumes_snapshots_and_clones_in_real_time() -> None:
    rules = ("C-SNAP", "C-REVERT", "C-CLONE", "C-DEPEND", "C-VOLUME")
    record = certify("tests.conformance.memory_volumes:MemoryVolumes", *rules, device="live")
    assert record.failures == (), record.failures[0]
    verdicts = {rule.id: rule.verdict for rule in record.rules if rule.id in rules}
    assert set(verdicts.values()) == {Verdict.PASS}, verdicts
    left = [held for name, held in DEVICES.items() if name.startswith("MemoryVolumes") and held]
    assert left == [], "what a live run made it takes away again, whatever order that takes"


def sleep_on(event: threading.Event) -> None:
    event.wait(30)


def _drip(listening: socket.socket, over: threading.Event) -> None:
    try:
        connection, _ = listening.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not over.wait(0.05):
            connection.sendall(b"x")
    except OSError:
        return  # the test is over


class TestOutOfReach:
    @pytest.fixture
    def silent_port(self) -> Iterator[int]:
        """Takes connections and never says a word."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(8)
            yield listening.getsockname()[1]

    @pytest.mark.slow
    def test_a_device_that_says_nothing(self, silent_port: int) -> None:
        self._refused(silent_port, "did not answer within 3.5 s")

    @pytest.mark.slow
    def test_a_port_where_nobody_listens(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        self._refused(port, "driver")

    def _refused(self, port: int, words: str) -> None:
        configuration = {
            "endpoint_url": f"http://127.0.0.1:{port}", "bucket": "b", "aws_access_key_id": "k",
            "aws_secret_access_key": "s", "region_name": "us-east-1",
        }  # fmt: skip
        begun_s = time.monotonic()
        with pytest.raises(InvalidUsage, match=words):
            certify(S3, "C-READ", device="live", configuration=configuration)
        assert time.monotonic() - begun_s < 5

    def test_a_constructor_that_waits_for_its_device(self, monkeypatch: pytest.MonkeyPatch) -> None:
        never = threading.Event()

        class Waits(MemoryDriver):
            def __init__(self, configuration: Any) -> None:
                never.wait(30)
                super().__init__(configuration)

        monkeypatch.setattr(first_contact, "LIMIT_S", 0.3)
        first_contact.begin()
        with pytest.raises(InvalidUsage, match="did not answer within"):
            calibrate(subject(Waits), 0, "live")
        never.set()

    def test_waiting_has_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(first_contact, "LIMIT_S", 0.05)
        first_contact.begin()
        never = threading.Event()

        def look() -> None:
            never.wait(30)

        with pytest.raises(InvalidUsage, match=r"it did not answer within 0\.05 s"):
            within_reach(look, "it")
        never.set()

    def test_steps_share_one_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(first_contact, "LIMIT_S", 1.0)
        first_contact.begin()
        never = threading.Event()
        with first_contact.step(0.7) as within_s:
            assert within_s == 0.7
            never.wait(0.5)
        with first_contact.step() as within_s:
            assert first_contact.LEAST_S <= within_s <= 0.5
        begun_s = time.monotonic()
        with pytest.raises(InvalidUsage, match="it did not answer within 1 s"):
            within_reach(partial(sleep_on, never), "it")
        assert time.monotonic() - begun_s < 0.9, "a new deadline for each step"
        with first_contact.step() as within_s:
            assert within_s == 1.0, "the next contact has its own"

    def test_a_service_that_drips(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each byte comes before any read timeout, and the answer never ends."""
        monkeypatch.setattr(first_contact, "LIMIT_S", 1.0)
        first_contact.begin()
        over = threading.Event()
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(8)
            threading.Thread(target=_drip, args=(listening, over), daemon=True).start()
            self._refused(listening.getsockname()[1], "did not answer within 1 s")
            over.set()

    def test_what_looking_raises_comes_out(self) -> None:
        def look() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError):
            within_reach(look, "it")
        within_reach(lambda: None, "it")


class TestWithoutADevice:
    """The driver in this process, run as a live one is."""

    def test_what_cannot_be_shown_is_skipped_and_never_passed(self) -> None:
        record = certify(MEMORY, "C-RETRY", "C-WRITE", device="live", configuration={"device": "live"})
        assert record.device.mode == "live"
        verdicts = {check.id: check for check in record.checks if check.rule in ("C-RETRY", "C-WRITE")}
        skipped = [check for check in verdicts.values() if check.verdict is Verdict.SKIPPED]
        assert skipped and {check.reason for check in skipped} == {"a live device cannot show this"}
        assert all("C-RETRY" in check.id for check in skipped)
        assert record.verdict is RunVerdict.CONFORMANT
        assert record.findings == ()
        assert DEVICES["MemoryDriver live"] == {}

    def test_locations_are_instances_and_calls_run_one_after_the_other(self) -> None:
        world = LiveWorld(subject(MemoryDriver))
        assert world.location("a") is world.location("a") is not world.location("b")
        told: list[int] = []
        calls = [world.start(world.location("a"), "x", lambda one=one: told.append(one)) for one in (1, 2)]  # type: ignore[misc]
        assert told == []
        world.finish(*calls)
        assert told == [1, 2]
        assert all(call.task.done and call.return_ns is not None and call.invoke_ns <= call.return_ns for call in calls)

    @pytest.mark.parametrize("error", [KeyError("x"), SystemExit(0)])
    def test_whatever_comes_out_of_the_driver_is_the_drivers(self, error: BaseException) -> None:
        from dataclasses import replace

        def fail() -> None:
            raise error

        bench = Bench(subject(MemoryDriver), replace(facts_of(MemoryDriver), mode="live"), 1, "a-case")
        with pytest.raises(Violation, match=f"let a foreign error out: {type(error).__name__}"):
            bench.client().do("a call", fail)
        bench.close()

    def test_no_fault_can_be_put_on_it(self) -> None:
        device = LiveDevice()
        device.arm(())
        with pytest.raises(NotImplementedError):
            device.arm([Fault("throttle")])
        with pytest.raises(NotImplementedError):
            LiveWorld(subject(MemoryDriver)).location("a").crash()
