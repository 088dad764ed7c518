"""A correct driver of the ideal block device, with every optional ability; subclasses of it have one thing wrong each.

Every request may be sent again: one that changes something has a name of its own, by which the device knows the second try from
a new one. What makes something carries a mark of the caller's own besides, for who repeats a whole call.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from storcert.harness.contract import (
    Capabilities,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
    SizeMismatch,
)
from storcert.harness.drivers.arguments import bytes_of, count_of_bytes
from storcert.simulators.network.errors import ConnectRefused, WireError
from tests.conformance.block_device import PART_BYTES, connect

TRIES = 4


class BlockDriver:
    """Stateless: a name on the device is the text of the URI."""

    able: ClassVar[Capabilities] = Capabilities(
        on_device_copy=True, range_read=True, random_access=True, snapshots=True, revert=True, clone=True, enumerate=True
    )

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.server = configuration["server"]

    def capabilities(self) -> Capabilities:
        return self.able

    def ask(self, uri: DataObjectUri | None, changes: bool, operation: str, *arguments: Any) -> tuple[str, Any]:
        """One request, tried a few times under one name, so that it is done once."""
        sent, request = False, str(uuid.uuid4()) if changes else ""
        for number in range(TRIES):
            try:
                code, value = connect(self.server)(operation, *arguments, request=request)
            except ConnectRefused:
                time.sleep(1 << number)
                continue
            except WireError:
                sent = True
                time.sleep(1 << number)
                continue
            if code != "late":
                return code, value
        raise DeviceUnavailable(f"{operation}: no answer", uri, "unknown" if sent and changes else "not_done")

    # Whole objects

    def create(self, uri: DataObjectUri, size: int) -> None:
        size = count_of_bytes("size", size, uri)
        code, _ = self.ask(uri, True, "make", str(uri), size, "created")
        if code != "exists":
            return
        try:
            found = self.describe(uri).size_bytes
        except DeviceUnavailable as lost:
            # It may be our own, of a try whose answer was late.
            raise DeviceUnavailable(lost.message, uri, "unknown") from lost
        if found != size:
            raise ObjectExists("there is one of another size", uri)

    def delete(self, uri: DataObjectUri) -> None:
        code, _ = self.ask(uri, True, "remove", str(uri))
        if code == "in-use":
            raise ObjectInUse("others were made from it", uri)

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        self.made("copy", source, destination)

    def made(self, operation: str, source: DataObjectUri, destination: DataObjectUri) -> None:
        mark = str(uuid.uuid4())
        code, owner = self.ask(destination, True, operation, str(source), str(destination), mark)
        if code == "missing":
            raise ObjectNotFound("there is no such source", source)
        if code == "exists" and owner != mark:
            raise ObjectExists("the destination is taken", destination)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        return DataObjectDescription(uri, self.look(uri)[0])

    def look(self, uri: DataObjectUri) -> tuple[int, str, int]:
        code, value = self.ask(uri, False, "look", str(uri))
        if code == "missing":
            raise ObjectNotFound("there is no such object", uri)
        found: tuple[int, str, int] = value
        return found

    def list_objects(self) -> Iterator[DataObjectUri]:
        return iter([DataObjectUri.parse(name) for name in self.ask(None, False, "names")[1]])

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> BlockInput:
        offset = count_of_bytes("offset", offset, uri)
        size, _, born = self.look(uri)
        end = size if length is None else min(size, offset + count_of_bytes("length", length, uri))
        return BlockInput(self, uri, born, offset, end)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> BlockOutput:
        size = None if size is None else count_of_bytes("size", size, uri)
        try:
            self.look(uri)
        except ObjectNotFound:
            return BlockOutput(self, uri, size)
        raise ObjectExists("the name is taken", uri)

    # Optional abilities

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        self.want(volume, ObjectKind.VOLUME)
        self.want(snapshot, ObjectKind.SNAPSHOT)
        self.made("derive", volume, snapshot)

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        self.want(snapshot, ObjectKind.SNAPSHOT)
        self.want(volume, ObjectKind.VOLUME)
        self.made("derive", snapshot, volume)

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        self.want(volume, ObjectKind.VOLUME)
        self.want(snapshot, ObjectKind.SNAPSHOT)
        code, _ = self.ask(volume, True, "revert", str(volume), str(snapshot))
        if code == "missing":
            raise ObjectNotFound("there is no such volume or snapshot", volume)
        if code == "foreign":
            raise InvalidRequest("the snapshot is not of this volume", snapshot)
        if code == "in-use":
            raise ObjectInUse("there are later snapshots", volume)

    def open_volume(self, uri: DataObjectUri) -> BlockHandle:
        self.want(uri, ObjectKind.VOLUME)
        size, _, born = self.look(uri)
        return BlockHandle(self, uri, born, size)

    @staticmethod
    def want(uri: DataObjectUri, kind: ObjectKind) -> None:
        if uri.kind != kind:
            raise InvalidRequest(f"a {kind} is wanted", uri)


class StrictDriver(BlockDriver):
    """The same driver on a device that keeps what others were made from."""


class Ended:
    """A stream or handle that can be closed."""

    def __init__(self, driver: BlockDriver, uri: DataObjectUri) -> None:
        self.driver, self.uri, self.ended = driver, uri, False

    def require_open(self) -> None:
        if self.ended:
            raise InvalidRequest("it is closed", self.uri)

    def close(self) -> None:
        self.ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.close()


class BlockInput(Ended):
    """Reads what was there when it was opened, or says that it is gone."""

    def __init__(self, driver: BlockDriver, uri: DataObjectUri, born: int, offset: int, end: int) -> None:
        super().__init__(driver, uri)
        self.born, self.at, self.end = born, offset, end

    def read(self, n: int = -1) -> bytes:
        self.require_open()
        if n < -1:
            raise InvalidRequest("n is negative", self.uri)
        length = min(PART_BYTES if n == -1 else n, max(0, self.end - self.at))
        if length <= 0:
            return b""
        code, data = self.driver.ask(self.uri, False, "read", str(self.uri), self.born, self.at, length)
        if code == "gone":
            raise ObjectNotFound("it was deleted", self.uri)
        self.at += len(data)
        found: bytes = data
        return found


class BlockOutput(Ended):
    """Collects parts on the device under a name of its own."""

    def __init__(self, driver: BlockDriver, uri: DataObjectUri, size: int | None) -> None:
        super().__init__(driver, uri)
        self.size, self.at, self.broken, self.mark = size, 0, False, str(uuid.uuid4())
        self.waiting = bytearray()

    def write(self, data: Any) -> int:
        self.require_open()
        view = bytes_of(data)
        self.waiting += view
        while len(self.waiting) >= PART_BYTES:
            self.send(PART_BYTES)
        return view.nbytes

    def send(self, count: int) -> None:
        self.broken = True
        piece = bytes(self.waiting[:count])
        self.driver.ask(self.uri, False, "part", self.mark, str(self.uri), self.at, piece)
        self.at += count
        del self.waiting[:count]
        self.broken = False

    def commit(self) -> DataObjectDescription:
        self.require_open()
        if self.broken:
            self.close()
            raise DeviceUnavailable("a write before it had failed", self.uri, "not_done")
        self.ended = True
        total = self.at + len(self.waiting)
        try:
            if self.size not in (None, total):
                raise SizeMismatch("another size was announced", self.uri)
            if self.waiting:
                self.send(len(self.waiting))
            asked = (self.mark, str(self.uri), self.mark, total)
            code, owner = self.driver.ask(self.uri, True, "publish", *asked)
        except (SizeMismatch, DeviceUnavailable):
            self.discard()
            raise
        if code == "exists" and owner != self.mark:
            self.discard()
            raise ObjectExists("the name is taken", self.uri)
        if code == "gone":
            raise DeviceUnavailable("what was written is gone", self.uri, "not_done")
        return DataObjectDescription(self.uri, total)

    def discard(self) -> None:
        if self.at or self.broken or self.waiting:
            try:
                self.driver.ask(self.uri, False, "discard", self.mark)
            except DeviceUnavailable:
                return

    def abort(self) -> None:
        if not self.ended:
            self.ended = True
            self.discard()

    def close(self) -> None:
        self.abort()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None and not self.ended:
            self.commit()
        else:
            self.close()


class BlockHandle(Ended):
    """Every write goes to the device at once, and again where the device lost its power before the flush."""

    def __init__(self, driver: BlockDriver, uri: DataObjectUri, born: int, size: int) -> None:
        super().__init__(driver, uri)
        self.born, self.size = born, size
        self.unflushed: list[tuple[int, bytes, int]] = []

    def within(self, offset: int, length: int) -> int:
        self.require_open()
        offset = count_of_bytes("offset", offset, self.uri)
        if offset + count_of_bytes("length", length, self.uri) > self.size:
            raise InvalidRequest("the range reaches outside the volume", self.uri)
        return offset

    def pread(self, offset: int, length: int) -> bytes:
        offset = self.within(offset, length)
        if not length:
            return b""
        return bytes(self.tell(False, "read", offset, length))

    def pwrite(self, offset: int, data: Any) -> int:
        view = bytes_of(data)
        offset = self.within(offset, view.nbytes)
        if view.nbytes:
            self.send(offset, bytes(view))
        return view.nbytes

    def send(self, offset: int, data: bytes) -> None:
        self.unflushed.append((offset, data, self.tell(True, "write", offset, data)))

    def flush(self) -> None:
        self.require_open()
        for _ in range(TRIES):
            boot = self.tell(False, "flush")
            kept, self.unflushed = self.unflushed, []
            if all(since == boot for _, _, since in kept):
                return
            for offset, data, _ in kept:
                self.send(offset, data)
        raise DeviceUnavailable("the device loses its power all the time", self.uri, "unknown")

    def tell(self, changes: bool, operation: str, *arguments: Any) -> Any:
        code, value = self.driver.ask(self.uri, changes, operation, str(self.uri), self.born, *arguments)
        if code == "gone":
            raise ObjectNotFound("it was deleted", self.uri)
        return value


class CachingDriver(BlockDriver):
    """Keeps writes at the location until flush or close, as a client with a write-back cache does."""

    def open_volume(self, uri: DataObjectUri) -> BlockHandle:
        self.want(uri, ObjectKind.VOLUME)
        size, _, born = self.look(uri)
        return CachingHandle(self, uri, born, size)


class CachingHandle(BlockHandle):
    """Write-back: unflushed writes are here and nowhere else."""

    def __init__(self, driver: BlockDriver, uri: DataObjectUri, born: int, size: int) -> None:
        super().__init__(driver, uri, born, size)
        self.dirty: list[tuple[int, bytes]] = []

    def pwrite(self, offset: int, data: Any) -> int:
        view = bytes_of(data)
        offset = self.within(offset, view.nbytes)
        if view.nbytes:
            self.dirty.append((offset, bytes(view)))
        return view.nbytes

    def pread(self, offset: int, length: int) -> bytes:
        found = bytearray(super().pread(offset, length))
        for at, data in self.dirty:
            start, end = max(at, offset), min(at + len(data), offset + length)
            if start < end:
                found[start - offset : end - offset] = data[start - at : end - at]
        return bytes(found)

    def write_back(self) -> None:
        while self.dirty:
            self.send(*self.dirty[0])
            self.dirty.pop(0)

    def flush(self) -> None:
        self.require_open()
        self.write_back()
        super().flush()

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            self.write_back()
