"""What a storage vendor implements (section 3 of the contract): protocols only, nothing to inherit from.

Methods are ordinary blocking calls, as the vendors' own client libraries are. A driver keeps nothing between calls, does
not know where it runs, and reads and writes no path outside its device (C-STATELESS, C-NOFS). Every failure is one of the
typed errors of :mod:`storcert.harness.contract.errors`, truthful about its outcome (C-ERRORS).

Order of refusals, the same everywhere: a bad argument (``InvalidRequest``), a kind the device does not hold
(``Unsupported``), a missing source (``ObjectNotFound``), a taken destination (``ObjectExists``), all before any side
effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

from storcert.harness.contract.capabilities import Capabilities
from storcert.harness.contract.uri import DataObjectUri

JsonValue: TypeAlias = Any
"""``None``, ``bool``, ``int``, ``float``, ``str``, or a list or string-keyed mapping of these."""


@dataclass(frozen=True, slots=True)
class DataObjectDescription:
    """``uri``; exact ``size_bytes``; ``digest`` as ``"<algorithm>:<hex>"`` or ``None`` where the device gives none."""

    uri: DataObjectUri
    size_bytes: int
    digest: str | None = None


@runtime_checkable
class InputStream(Protocol):
    """Bytes of one object, in order, to the end or to a typed error. Also a context manager."""

    def read(self, n: int = -1) -> bytes:
        """1..``n`` bytes, or ``b""`` at the end; ``-1`` means up to one chunk of the device's choosing.

        Units: bytes. ``read(0)`` is ``b""`` and says nothing about the end.
        Errors: ``DeviceUnavailable`` or ``DataCorrupted`` where the transport ends early (never a short end);
        ``ObjectNotFound`` where the object was deleted meanwhile; ``InvalidRequest`` after ``close``.
        After a failure: the stream is to be closed; the object is untouched.
        Capability: none.
        """
        ...

    def close(self) -> None:
        """Release the stream. Idempotent and final. Errors: none. Capability: none."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...


@runtime_checkable
class OutputStream(Protocol):
    """Bytes of an object in the making. Leaving the context commits; an exception inside it aborts."""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take bytes from ``data`` and return how many: at least 1 unless ``data`` is empty.

        Units: bytes, whatever the item size of a memoryview.
        Errors: ``CapacityExceeded`` past the device's limit; ``DeviceUnavailable``; ``InvalidRequest`` after the end.
        After a failure: nothing is visible, and ``commit`` raises and publishes nothing.
        Capability: none.
        """
        ...

    def commit(self) -> DataObjectDescription:
        """Publish the whole object at one moment between call and return.

        Errors: ``SizeMismatch`` where ``size`` was announced and differs; ``ObjectExists`` where the URI is taken;
        ``InvalidRequest`` for a size off the granularity; ``CapacityExceeded``; ``DeviceUnavailable`` with its outcome.
        After a failure: ``not_done``: nothing is published and nothing left; ``unknown``: whole or not at all.
        Capability: none.
        """
        ...

    def abort(self) -> None:
        """Publish nothing and leave nothing on the device. After ``commit`` or ``close`` it does nothing.

        Errors: ``DeviceUnavailable`` where what was sent could not be removed (it goes with ``delete`` of the URI).
        Capability: none.
        """
        ...

    def close(self) -> None:
        """Without ``commit``: abort. Idempotent and final, also after an error. Capability: none."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...


@runtime_checkable
class VolumeHandle(Protocol):
    """Random access to one volume."""

    def pread(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``; ``length`` 0 is ``b""``.

        Units: bytes. Errors: ``InvalidRequest`` for a range outside the volume. Capability: ``random_access``.
        """
        ...

    def pwrite(self, offset: int, data: bytes | bytearray | memoryview) -> int:
        """Write all of ``data`` at ``offset`` and return its length in bytes, or raise.

        Errors: ``InvalidRequest`` for a range outside the volume; ``DeviceUnavailable``.
        After a failure: each byte of the range is as before or as written; no other byte changes.
        Capability: ``random_access``.
        """
        ...

    def flush(self) -> None:
        """Make what was written durable. Errors: ``DeviceUnavailable``. Capability: ``random_access``."""
        ...

    def close(self) -> None:
        """Release the handle; writes are visible to later opens, only ``flush`` makes them durable. Idempotent."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...


@runtime_checkable
class StorageDeviceDriver(Protocol):
    """Maps logical URIs to one kind of physical device. Stateless; neither knows nor cares where it runs."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        """``configuration``: JSON values only, secrets resolved. Errors: ``InvalidRequest`` for a bad configuration."""
        ...

    def capabilities(self) -> Capabilities:
        """What the device can do; honest in both directions (C-CAPS). Makes no request to the device."""
        ...

    def create(self, uri: DataObjectUri, size: int) -> None:
        """Make an object of exactly ``size`` zero bytes (C-CREATE).

        Units: bytes. Errors: ``ObjectExists`` where the URI names an object of another size (of the same size it
        succeeds and changes nothing); ``InvalidRequest`` for a negative size or one off the granularity;
        ``CapacityExceeded``; ``Unsupported`` for a kind not held; ``DeviceUnavailable``.
        After a failure: absent or whole; repeating or deleting converges. Capability: none.
        """
        ...

    def delete(self, uri: DataObjectUri) -> None:
        """Remove exactly the named object and all it occupied; an absent object is a success (C-DELETE).

        Errors: ``ObjectInUse`` where others depend on it (nothing changed); ``DeviceUnavailable``.
        After a failure: present whole or absent; repeating converges. Capability: none.
        """
        ...

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        """Make ``destination`` a byte-for-byte copy of ``source`` on the device, whole or not at all (C-COPY).

        Errors: ``Unsupported`` where not declared; ``ObjectNotFound`` for the source, then ``ObjectExists`` for the
        destination (destination = source included); ``CapacityExceeded``; ``DeviceUnavailable``.
        After a failure: the source is unchanged, the destination absent or whole. Capability: ``on_device_copy``.
        """
        ...

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> InputStream:
        """A stream over the bytes ``offset .. offset + length`` (to the end where ``length`` is ``None``) (C-READ).

        Units: bytes. A range past the end is empty. Errors: ``ObjectNotFound`` at the call; ``InvalidRequest`` for
        negative numbers; ``Unsupported`` for a range where ``range_read`` is not declared; ``DeviceUnavailable``.
        Capability: ``range_read`` for an offset or a length.
        """
        ...

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> OutputStream:
        """A stream whose ``commit`` publishes a new object (C-WRITE, C-COMMIT, C-ONCE).

        Units: bytes; ``size`` announces the exact length. Errors: ``ObjectExists`` here or at the latest at commit;
        ``CapacityExceeded`` for a size over the limit; ``InvalidRequest`` for a negative size; ``Unsupported`` for a
        kind not held; ``DeviceUnavailable``. After a failure: nothing is left. Capability: none.
        """
        ...

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        """Kind, exact size and, where declared, digest (C-DESCRIBE).

        Errors: ``ObjectNotFound``; ``DeviceUnavailable``. Capability: ``digest`` for the digest.
        """
        ...

    def list_objects(self) -> Iterator[DataObjectUri]:
        """Each published object once, in any order (C-LIST).

        Errors: ``Unsupported`` at the call where ``enumerate`` is not declared; ``DeviceUnavailable``.
        Capability: ``enumerate``.
        """
        ...


@runtime_checkable
class SnapshotStorageDeviceDriver(StorageDeviceDriver, Protocol):
    """A driver whose device takes snapshots itself. Capability: ``snapshots``, and one more for each further method."""

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        """Freeze ``volume`` as ``snapshot`` at one moment between call and return (C-SNAP).

        Errors: ``ObjectNotFound`` for the volume, then ``ObjectExists`` for the snapshot; ``InvalidRequest`` for URIs
        of other kinds. After a failure: no snapshot or a whole one. Capability: ``snapshots``.
        """
        ...

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        """Make ``volume`` equal to ``snapshot`` (C-REVERT).

        Errors: ``ObjectNotFound``; ``ObjectInUse`` where later snapshots stand in the way (nothing changed);
        ``InvalidRequest`` for a snapshot of another volume. After a failure with outcome unknown the volume may be
        in between; the snapshot is intact and repeating converges. Capability: ``revert``.
        """
        ...

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        """Make ``volume`` from ``snapshot``, independent of it and of its parent from then on (C-CLONE).

        Errors: ``ObjectNotFound`` for the snapshot, then ``ObjectExists`` for the volume; ``InvalidRequest``.
        After a failure: no volume or a whole one. Capability: ``clone``.
        """
        ...


@runtime_checkable
class RandomAccessDriver(StorageDeviceDriver, Protocol):
    """A driver whose volumes are written in place. Capability: ``random_access``."""

    def open_volume(self, uri: DataObjectUri) -> VolumeHandle:
        """A handle on a volume (C-VOLUME). Errors: ``ObjectNotFound``; ``InvalidRequest`` for any other kind."""
        ...
