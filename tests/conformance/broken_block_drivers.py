"""Drivers of the ideal block device with one thing wrong each, and the checks that must say so. No test lives here."""

from __future__ import annotations

import time
import uuid
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
)
from storcert.harness.drivers.arguments import bytes_of
from tests.conformance.block_driver import (
    BlockDriver,
    BlockHandle,
    BlockInput,
    CachingDriver,
    CachingHandle,
    StrictDriver,
)

#: Class and the checks it trips.
BROKEN: list[tuple[type, tuple[str, ...]]] = []


def trips(*checks: str) -> Any:
    """Note which checks must fail with this driver."""

    def add(broken: type) -> type:
        BROKEN.append((broken, checks))
        return broken

    return add


def with_handle(handle: type[BlockHandle]) -> Any:
    """``open_volume`` of a driver whose handle is another one."""

    def open_volume(self: BlockDriver, uri: DataObjectUri) -> BlockHandle:
        self.want(uri, ObjectKind.VOLUME)
        size, _, born = self.look(uri)
        return handle(self, uri, born, size)

    return open_volume


# Snapshots


@trips("C-SNAP/at-one-moment", "C-SNAP/equal-bytes", "C-CAPS/optional-methods")
class CopiesPieceByPiece(BlockDriver):
    """A snapshot is a stream copy, block by block, and loses its tail."""

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        size, _, born = self.look(volume)
        with self.open_output(snapshot) as stream:
            for at in range(0, size - size % 512 if size % 512 == 511 else size, 4096):
                _, data = self.ask(volume, False, "read", str(volume), born, at, min(4096, size - at))
                stream.write(data)
            if size % 512 == 511:
                stream.abort()


@trips("C-SNAP/never-changes", "C-SNAP/each-holds-its-own", "C-SNAP/of-a-created-volume")
class SnapshotIsTheVolume(BlockDriver):
    """Reading a snapshot reads the first volume there is."""

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> BlockInput:
        if uri.kind is ObjectKind.SNAPSHOT and uri.object_id.startswith("s"):
            volumes = [one for one in self.list_objects() if one.kind is ObjectKind.VOLUME]
            if len(volumes) == 1 and self.look(uri)[0] == 0:
                raise InvalidRequest("nothing in it", uri)
            if len(volumes) == 1 and self.look(uri)[0] == self.look(volumes[0])[0]:
                return super().open_input(volumes[0], offset, length)
        return super().open_input(uri, offset, length)


@trips("C-SNAP/missing-volume", "C-SNAP/taken-name", "C-CLONE/missing-snapshot", "C-CLONE/taken-name")
class TargetFirst(BlockDriver):
    """The destination is looked at first, and what is taken is taken for done."""

    def made(self, operation: str, source: DataObjectUri, destination: DataObjectUri) -> None:
        try:
            self.look(destination)
        except ObjectNotFound:
            return super().made(operation, source, destination)
        self.look(destination)
        return None


@trips("C-SNAP/wrong-kinds", "C-REVERT/wrong-kinds", "C-CLONE/wrong-kinds", "C-VOLUME/opens-volumes-only")
class AnyKind(BlockDriver):
    """Kinds are not looked at, and anything is reverted to anything."""

    @staticmethod
    def want(uri: DataObjectUri, kind: ObjectKind) -> None:
        return None

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        size, _, born = self.look(snapshot)
        _, data = self.ask(snapshot, False, "read", str(snapshot), born, 0, size)
        self.ask(volume, True, "write", str(volume), self.look(volume)[2], 0, data)


@trips("C-SNAP/flushed-writes-are-in-it", "C-VOLUME/visible-to-later-opens")
class FlushIsNothing(CachingDriver):
    """Flush leaves what was written in the cache of the location."""

    class Handle(CachingHandle):
        def flush(self) -> None:
            self.require_open()

    open_volume = with_handle(Handle)


@trips("C-SNAP/is-a-data-object")
class SnapshotsMayBeWritten(BlockDriver):
    """A snapshot is replaced by what is written to its name."""

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> Any:
        if uri.kind is ObjectKind.SNAPSHOT:
            self.delete(uri)
        return super().open_output(uri, size)


@trips("C-SNAP/name-is-free-after-delete", "C-DEPEND/one-of-three-snapshots")
class SnapshotsStay(BlockDriver):
    """A snapshot's delete takes the oldest one there is."""

    def delete(self, uri: DataObjectUri) -> None:
        if uri.kind is ObjectKind.SNAPSHOT:
            self.look_or_nothing(uri)
            others = sorted(one for one in self.list_objects() if one.kind is ObjectKind.SNAPSHOT)
            uri = others[0] if len(others) > 1 else uri
            if len(others) == 1:
                return
        super().delete(uri)

    def look_or_nothing(self, uri: DataObjectUri) -> None:
        try:
            self.look(uri)
        except ObjectNotFound:
            return


@trips("C-SNAP/at-the-same-time", "C-CLONE/at-the-same-time", "C-ONCE/clone-among-makers")
class FoundIsMade(BlockDriver):
    """Who finds the name taken by then says it is done."""

    def made(self, operation: str, source: DataObjectUri, destination: DataObjectUri) -> None:
        self.look(source)
        try:
            self.look(destination)
        except ObjectNotFound:
            self.ask(destination, True, operation, str(source), str(destination), str(uuid.uuid4()))
            return
        raise ObjectExists("taken", destination)


@trips("C-BUDGET/refusal-is-short")
class Patient(StrictDriver):
    """Waits ten minutes for what is in use."""

    def delete(self, uri: DataObjectUri) -> None:
        try:
            super().delete(uri)
        except ObjectInUse:
            time.sleep(600)
            raise

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        if snapshot.object_id == "t":
            time.sleep(600)
            raise ObjectInUse("somebody has it open", volume)
        super().take_snapshot(volume, snapshot)


# Reverts


@trips("C-REVERT/equal-to-the-snapshot", "C-REVERT/beside-a-guest")
class RevertsTheStart(BlockDriver):
    """Only the first 4096 bytes go back, and what a guest flushed stays."""

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        self.want(volume, ObjectKind.VOLUME)
        self.want(snapshot, ObjectKind.SNAPSHOT)
        _, _, born = self.look(volume)
        _, data = self.ask(snapshot, False, "read", str(snapshot), self.look(snapshot)[2], 0, 4096)
        self.ask(volume, True, "write", str(volume), born, 0, data)


@trips("C-REVERT/later-snapshots")
class RevertDropsLater(BlockDriver):
    """Later snapshots go with a revert."""

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        super().revert(volume, snapshot)
        born = self.look(snapshot)[2]
        for uri in self.list_objects():
            if uri.kind is ObjectKind.SNAPSHOT and self.look(uri)[2] > born:
                self.delete(uri)


@trips("C-REVERT/missing", "C-REVERT/of-an-unchanged-volume", "C-REVERT/snapshot-deleted-meanwhile")
class RevertOnce(BlockDriver):
    """A revert uses its snapshot up, and one to nothing empties the volume."""

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        try:
            super().revert(volume, snapshot)
        except ObjectNotFound:
            return
        self.delete(snapshot)


@trips("C-REVERT/foreign-snapshot", "C-REVERT/earlier-generation")
class ForeignIsDone(BlockDriver):
    """A revert to a snapshot of something else is said to be done."""

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        try:
            super().revert(volume, snapshot)
        except InvalidRequest:
            if volume.kind is not ObjectKind.VOLUME or snapshot.kind is not ObjectKind.SNAPSHOT:
                raise


@trips("C-REVERT/under-an-open-handle", "C-VOLUME/deleted-under-a-handle", "C-VOLUME/many-writes")
class RemembersInHandle(BlockDriver):
    """A handle reads its volume once, and puts back what it knows when it is closed, whatever has become of it."""

    class Handle(BlockHandle):
        def __init__(self, driver: BlockDriver, uri: DataObjectUri, born: int, size: int) -> None:
            super().__init__(driver, uri, born, size)
            self.known = bytearray(super().pread(0, size))

        def pread(self, offset: int, length: int) -> bytes:
            self.within(offset, length)
            return bytes(self.known[offset : offset + length])

        def pwrite(self, offset: int, data: Any) -> int:
            view = bytes_of(data)
            self.within(offset, view.nbytes)
            if view.nbytes != 20_000:
                self.known[offset : offset + view.nbytes] = view
            return view.nbytes

        def flush(self) -> None:
            self.require_open()

        def close(self) -> None:
            if not self.ended:
                self.ended = True
                self.driver.create(self.uri, self.size)
                self.driver.ask(self.uri, True, "write", str(self.uri), self.driver.look(self.uri)[2], 0, bytes(self.known))

    open_volume = with_handle(Handle)


@trips("C-REVERT/readers-see-old-or-new")
class RevertZeroesFirst(BlockDriver):
    """While it is reverted the volume is zeros."""

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        size, _, born = self.look(volume)
        self.look(snapshot)
        self.ask(volume, True, "write", str(volume), born, 0, bytes(size))
        time.sleep(0.002)
        super().revert(volume, snapshot)


# Clones


@trips("C-CLONE/equal-to-the-snapshot", "C-CLONE/is-a-volume")
class ClonesRound(BlockDriver):
    """A clone's size is rounded up to whole sectors."""

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        super().clone(snapshot, volume)
        size, _, born = self.look(volume)
        self.ask(volume, True, "write", str(volume), born, size, bytes(-size % 512))


@trips("C-CLONE/of-the-snapshot", "C-CLONE/beside-a-guest", "C-CLONE/chain")
class ClonesTheVolume(BlockDriver):
    """A clone is made of what the first volume is now."""

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        self.look(snapshot)
        self.want(snapshot, ObjectKind.SNAPSHOT)
        volumes = [one for one in self.list_objects() if one.kind is ObjectKind.VOLUME]
        super().clone(snapshot, volume) if not volumes else self.made("copy", min(volumes), volume)


@trips("C-CLONE/independent-writes")
class WritesThrough(BlockDriver):
    """What is written to a clone called ``c`` is written to its parent too."""

    class Handle(BlockHandle):
        def pwrite(self, offset: int, data: Any) -> int:
            if self.uri.object_id == "c":
                parent = DataObjectUri(self.uri.kind, self.uri.account, "v")
                self.driver.ask(parent, True, "write", str(parent), self.driver.look(parent)[2], offset, bytes(bytes_of(data)))
            return super().pwrite(offset, data)

    open_volume = with_handle(Handle)


@trips("C-CLONE/of-a-written-snapshot")
class WrittenSnapshotsFail(BlockDriver):
    """Knows only snapshots that it took."""

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        volumes = [one for one in self.list_objects() if one.kind is ObjectKind.VOLUME]
        if not volumes and self.look(snapshot):
            raise DeviceUnavailable("it has no parent", snapshot, "not_done")
        super().clone(snapshot, volume)


# Dependants


@trips("C-DEPEND/any-order-of-deletes", "C-DEPEND/name-again")
class TakesSnapshotsAlong(BlockDriver):
    """A volume's snapshots go with it."""

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(uri)
        if uri.kind is ObjectKind.VOLUME and uri.object_id == "v":
            for other in list(self.list_objects()):
                if other.kind is ObjectKind.SNAPSHOT:
                    super().delete(other)


@trips("C-DEPEND/any-order-with-clones", "C-DEPEND/parent-of-a-clone")
class RefusesHalfDone(BlockDriver):
    """What has clones is refused, after its bytes were thrown away."""

    def delete(self, uri: DataObjectUri) -> None:
        if uri.kind is ObjectKind.SNAPSHOT and any(one.object_id in ("c", "d") for one in self.list_objects()):
            code, value = self.ask(uri, False, "look", str(uri))
            if code == "ok":
                self.ask(uri, True, "write", str(uri), value[2], 0, bytes(100))
                raise ObjectInUse("it has clones", uri)
        super().delete(uri)


class ForgetsDependants(BlockDriver):
    """The first bytes of clones called ``ab`` and ``b`` go with the snapshot."""

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(uri)
        for other in list(self.list_objects()) if uri.kind is ObjectKind.SNAPSHOT else []:
            if other.kind is ObjectKind.VOLUME and other.object_id in ("ab", "b"):
                self.ask(other, True, "write", str(other), self.look(other)[2], 0, bytes(9))


@trips("C-DEPEND/delete-beside")
class LooksAtNothing(BlockDriver):
    """A clone or snapshot begins with an empty object and is filled in later."""

    def made(self, operation: str, source: DataObjectUri, destination: DataObjectUri) -> None:
        size, _, _ = self.look(source)
        super().made(operation, source, DataObjectUri(destination.kind, destination.account, destination.object_id + "-new"))
        self.create(destination, size)
        code, data = self.ask(source, False, "read", str(source), self.look(source)[2], 0, size)
        self.ask(destination, True, "write", str(destination), self.look(destination)[2], 0, data)
        self.delete(DataObjectUri(destination.kind, destination.account, destination.object_id + "-new"))


@trips("C-READER/snapshot-deleted")
class ZerosWhenGone(BlockDriver):
    """A reader of what was deleted gets zeros."""

    class Input(BlockInput):
        def read(self, n: int = -1) -> bytes:
            try:
                return super().read(n)
            except ObjectNotFound:
                length = min(4096 if n == -1 else n, self.end - self.at)
                self.at += length
                return bytes(length)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> BlockInput:
        size, _, born = self.look(uri)
        return self.Input(self, uri, born, offset, size if length is None else min(size, offset + length))
