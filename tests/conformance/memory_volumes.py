"""A correct driver with every optional ability whose device lives in this process, for runs in real time."""

from __future__ import annotations

from typing import Any

from storcert.harness.contract import (
    Capabilities,
    DataObjectUri,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
)
from storcert.harness.drivers.arguments import bytes_of, count_of_bytes
from tests.conformance.drivers import MemoryDriver


class MemoryVolumes(MemoryDriver):
    """Keeps what others were made from, as a device of linked clones does."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self.parents = PARENTS.setdefault(id(self.objects), {})

    def capabilities(self) -> Capabilities:
        return Capabilities(
            on_device_copy=True, range_read=True, random_access=True, snapshots=True, revert=True, clone=True, enumerate=True
        )

    def delete(self, uri: DataObjectUri) -> None:
        if uri in self.objects and uri in self.parents.values():
            raise ObjectInUse("others were made from it", uri)
        super().delete(uri)
        self.parents.pop(uri, None)

    def derive(self, source: DataObjectUri, target: DataObjectUri, kinds: tuple[ObjectKind, ObjectKind]) -> None:
        if (source.kind, target.kind) != kinds:
            raise InvalidRequest("these are other kinds", target)
        data = self.held(source)
        if target in self.objects:
            raise ObjectExists("taken", target)
        self.objects[target] = data
        self.parents[target] = source

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        self.derive(volume, snapshot, (ObjectKind.VOLUME, ObjectKind.SNAPSHOT))

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        self.derive(snapshot, volume, (ObjectKind.SNAPSHOT, ObjectKind.VOLUME))

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        if (volume.kind, snapshot.kind) != (ObjectKind.VOLUME, ObjectKind.SNAPSHOT):
            raise InvalidRequest("these are other kinds", volume)
        self.held(volume)
        data = self.held(snapshot)
        if self.parents.get(snapshot) != volume:
            raise InvalidRequest("it is of another volume", snapshot)
        self.objects[volume] = data

    def open_volume(self, uri: DataObjectUri) -> MemoryHandle:
        if uri.kind is not ObjectKind.VOLUME:
            raise InvalidRequest("no volume", uri)
        self.held(uri)
        return MemoryHandle(self, uri)


PARENTS: dict[int, dict[DataObjectUri, DataObjectUri]] = {}


class MemoryHandle:
    """Writes at once."""

    def __init__(self, driver: MemoryVolumes, uri: DataObjectUri) -> None:
        self.driver, self.uri, self.closed = driver, uri, False

    def within(self, offset: int, length: int) -> bytes:
        if self.closed:
            raise InvalidRequest("closed", self.uri)
        if self.uri not in self.driver.objects:
            raise ObjectNotFound("it was deleted", self.uri)
        data = self.driver.objects[self.uri]
        if count_of_bytes("offset", offset, self.uri) + count_of_bytes("length", length, self.uri) > len(data):
            raise InvalidRequest("outside", self.uri)
        return data

    def pread(self, offset: int, length: int) -> bytes:
        return self.within(offset, length)[offset : offset + length]

    def pwrite(self, offset: int, data: Any) -> int:
        view = bytes_of(data)
        old = self.within(offset, view.nbytes)
        self.driver.objects[self.uri] = old[:offset] + bytes(view) + old[offset + view.nbytes :]
        return view.nbytes

    def flush(self) -> None:
        self.within(0, 0)

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> MemoryHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
