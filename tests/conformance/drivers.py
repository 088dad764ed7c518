"""Drivers for the tests of the kit: a small correct one that lives in this process, and ways to spoil it.

:class:`MemoryDriver` makes no request to a simulated device; its "device" is a dictionary that outlives every instance, as a
real one would. Bugs that need a device, faults or two locations are planted in subclasses of ``S3Driver`` where they are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from storcert.harness.contract import (
    Capabilities,
    DataObjectDescription,
    DataObjectUri,
    InvalidRequest,
    ObjectExists,
    ObjectNotFound,
    SizeMismatch,
)

DEVICES: dict[str, dict[DataObjectUri, bytes]] = {}


class MemoryDriver:
    """Correct, and without any device that could fail."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.objects = DEVICES.setdefault(f"{type(self).__qualname__} {configuration.get('device', '')}", {})

    def capabilities(self) -> Capabilities:
        return Capabilities(on_device_copy=True, range_read=True, enumerate=True)

    def create(self, uri: DataObjectUri, size: int) -> None:
        _not_negative(uri, size)
        if len(self.objects.get(uri, bytes(size))) != size:
            raise ObjectExists("another size", uri)
        self.objects.setdefault(uri, bytes(size))

    def delete(self, uri: DataObjectUri) -> None:
        self.objects.pop(uri, None)

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        data = self.held(source)
        if destination in self.objects:
            raise ObjectExists("taken", destination)
        self.objects[destination] = data

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> MemoryInput:
        _not_negative(uri, offset, length)
        return MemoryInput(self.held(uri)[offset : None if length is None else offset + length])

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> MemoryOutput:
        _not_negative(uri, size)
        if uri in self.objects:
            raise ObjectExists("taken", uri)
        return MemoryOutput(self.objects, uri, size)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        return DataObjectDescription(uri, len(self.held(uri)))

    def list_objects(self) -> Iterator[DataObjectUri]:
        return iter(sorted(self.objects))

    def held(self, uri: DataObjectUri) -> bytes:
        if uri not in self.objects:
            raise ObjectNotFound("not there", uri)
        return self.objects[uri]


def _not_negative(uri: DataObjectUri, *values: int | None) -> None:
    if any(value is not None and value < 0 for value in values):
        raise InvalidRequest("negative", uri)


class MemoryInput:
    """Old bytes to the end, whatever happens to the object."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.closed = False

    def read(self, n: int = -1) -> bytes:
        if self.closed or n < -1:
            raise InvalidRequest("closed" if self.closed else "negative")
        piece = self.data[self.at :] if n == -1 else self.data[self.at : self.at + n]
        self.at += len(piece)
        return piece

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class MemoryOutput:
    """Nothing is anywhere until commit."""

    def __init__(self, objects: dict[DataObjectUri, bytes], uri: DataObjectUri, size: int | None) -> None:
        self.objects, self.uri, self.size = objects, uri, size
        self.data = bytearray()
        self.ended = False

    def write(self, data: Any) -> int:
        self.require_open()
        self.data += bytes(memoryview(data))
        return memoryview(data).nbytes

    def commit(self) -> DataObjectDescription:
        self.require_open()
        self.ended = True
        if self.size not in (None, len(self.data)):
            raise SizeMismatch("another size was announced", self.uri)
        if self.uri in self.objects:
            raise ObjectExists("taken", self.uri)
        self.objects[self.uri] = bytes(self.data)
        return DataObjectDescription(self.uri, len(self.data))

    def abort(self) -> None:
        self.ended = True

    close = abort

    def require_open(self) -> None:
        if self.ended:
            raise InvalidRequest("the stream has ended", self.uri)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is not None:
            self.abort()
        elif not self.ended:
            self.commit()
