"""Certification through the driver protocol: the same verdict as directly, and the same mutants caught by the same rules."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.conformance.cli import run
from storcert.harness.contract import DataObjectUri
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.drivers import DEVICES, MemoryDriver, MemoryOutput
from tests.conformance.kit import certify
from tests.conformance.memory_volumes import MemoryVolumes
from tests.harness.protocol.serving import served

#: That another process has another device is the device's affair here: it lives in a process.
IN_PROCESS = "C-STATELESS"


def verdicts(record: RunRecord) -> dict[str, Verdict]:
    return {rule.id: rule.verdict for rule in record.rules}


def through_grpc(driver_class: type, *rules: str, **more: Any) -> RunRecord:
    """The record of that driver behind the reference server."""
    with served(driver_class) as server:
        return certify(server.address, *rules, device="live", **more)


class Keeps(MemoryDriver):
    """Deletes nothing."""

    def delete(self, uri: DataObjectUri) -> None: ...


class Shows(MemoryDriver):
    """Reads the first byte twice."""

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> Any:
        stream = super().open_input(uri, offset, length)
        stream.data = stream.data[:1] + stream.data
        return stream


class Early(MemoryDriver):
    """Publishes with the first write."""

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> Any:
        stream = super().open_output(uri, size)
        self.objects[uri] = b""
        return stream


class Forgetful(MemoryDriver):
    """Lists no snapshot."""

    def list_objects(self) -> Any:
        return iter([uri for uri in super().list_objects() if uri.kind != "snapshot"])


class Foreign(MemoryDriver):
    """An absent object is a ``KeyError``."""

    def held(self, uri: DataObjectUri) -> bytes:
        return self.objects[uri]


class Merges(MemoryDriver):
    """Names are the same in capitals."""

    def create(self, uri: DataObjectUri, size: int) -> None:
        super().create(_small(uri), size)

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(_small(uri))

    def held(self, uri: DataObjectUri) -> bytes:
        return super().held(_small(uri))

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> MemoryOutput:
        return super().open_output(_small(uri), size)


class Boasts(MemoryDriver):
    """Declares ranges and gives the whole object."""

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> Any:
        return super().open_input(uri)


def _small(uri: DataObjectUri) -> DataObjectUri:
    return DataObjectUri(uri.kind, uri.account.lower(), uri.object_id.lower())


MUTANTS = (
    (Shows, "C-READ"), (Forgetful, "C-LIST"), (Foreign, "C-ERRORS"), (Boasts, "C-CAPS"),
    pytest.param(Keeps, "C-DELETE", marks=pytest.mark.slow), pytest.param(Early, "C-WRITE", marks=pytest.mark.slow),
    pytest.param(Merges, "C-NAMES", marks=pytest.mark.slow),
)  # fmt: skip


class LateSnapshot(MemoryVolumes):
    """Its snapshots are the volume as it is now."""

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> Any:
        volumes = [one for one in self.objects if one.kind == "volume"]
        return super().open_input(volumes[0] if uri.kind == "snapshot" and volumes else uri, offset, length)


class OneTooFar(MemoryVolumes):
    """Writes one byte beside."""

    def open_volume(self, uri: DataObjectUri) -> Any:
        handle = super().open_volume(uri)
        write = handle.pwrite
        handle.pwrite = lambda offset, data: write(offset + 1 if offset else 0, data)
        return handle


VOLUME_MUTANTS = (
    (MemoryVolumes, "C-VOLUME"), (MemoryVolumes, "C-SNAP"), (LateSnapshot, "C-SNAP"), (OneTooFar, "C-VOLUME"),
)  # fmt: skip


def test_a_correct_driver_is_conformant_through_the_protocol() -> None:
    rules = ("C-COMMIT", "C-ABORT", "C-DESCRIBE", "C-INDEP", "C-LIST")
    record = through_grpc(MemoryDriver, *rules)
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
    assert (record.driver.name, record.device.mode) == ("MemoryDriver", "live")
    assert DEVICES["MemoryDriver "] == {}


@pytest.mark.parametrize(("mutant", "rule"), MUTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_mutant_is_caught_by_the_same_rule_as_directly(mutant: type, rule: str) -> None:
    directly = certify(f"tests.conformance.test_grpc:{mutant.__name__}", rule, device="live", configuration={"device": "apart"})
    through = through_grpc(mutant, rule)
    assert verdicts(directly)[rule] is Verdict.FAIL
    assert verdicts(through)[rule] is Verdict.FAIL
    failed = {failure.check for failure in directly.failures}
    assert failed & {failure.check for failure in through.failures}, "and by the same checks"


def test_a_token_is_replayed_while_its_server_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    with served(Boasts) as server:
        record = certify(server.address, "C-CAPS", device="live")
        assert run(["replay", record.failures[0].token]) == 1
        said = capsys.readouterr().out
        assert "It happened again: a range gives other bytes" in said
        assert "no two runs are alike" in said and "bit for bit" not in said
    assert run(["replay", record.failures[0].token]) == 4
    assert "nobody answers at" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "rule"), VOLUME_MUTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_volumes_and_their_mutants(mutant: type, rule: str) -> None:
    verdict = verdicts(through_grpc(mutant, rule))[rule]
    assert verdict is (Verdict.PASS if mutant is MemoryVolumes else Verdict.FAIL)
