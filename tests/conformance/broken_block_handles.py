"""Drivers of the ideal block device whose random access has one thing wrong each. No test lives here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from storcert.harness.contract import Capabilities, DataObjectDescription, DataObjectUri, ObjectInUse, ObjectKind
from storcert.harness.drivers.arguments import bytes_of
from tests.conformance.block_driver import BlockDriver, BlockHandle, BlockInput, CachingDriver, CachingHandle
from tests.conformance.broken_block_drivers import trips, with_handle


@trips("C-VOLUME/pwrite-is-exact", "C-VOLUME/two-handles-at-once", "C-VOLUME/pwrite-over-parts")
class WritesWholeSectors(BlockDriver):
    """A write is rounded to sectors: their rest is read before and put back; short ends are zeros."""

    class Handle(BlockHandle):
        def pwrite(self, offset: int, data: Any) -> int:
            view = bytes_of(data)
            self.within(offset, view.nbytes)
            start, end = offset // 512 * 512, min(self.size, -(-(offset + view.nbytes) // 512) * 512)
            found = bytearray(self.pread(start, end - start))
            found[offset - start : offset - start + view.nbytes] = view
            if offset % 512 in (511, 510):
                found[:4] = bytes(4)
            super().pwrite(start, found)
            return view.nbytes

    open_volume = with_handle(Handle)


@trips("C-VOLUME/pread-is-exact", "C-VOLUME/outside-is-refused", "C-VOLUME/empty-volume")
class Clips(BlockDriver):
    """Ranges are cut at the end of the volume, and the last byte is never read."""

    class Handle(BlockHandle):
        def within(self, offset: int, length: int) -> int:
            self.require_open()
            return offset

        def pread(self, offset: int, length: int) -> bytes:
            _, data = self.driver.ask(self.uri, False, "read", str(self.uri), self.born, offset, max(0, length))
            return bytes(data[:-1]) if offset + length == self.size and length > 1 else bytes(data)

    open_volume = with_handle(Handle)


@trips("C-VOLUME/any-buffer")
class CountsItems(BlockDriver):
    """The length of a buffer is its number of items."""

    class Handle(BlockHandle):
        def pwrite(self, offset: int, data: Any) -> int:
            super().pwrite(offset, data)
            return len(data)

    open_volume = with_handle(Handle)


@trips("C-VOLUME/visible-to-later-opens", "C-VOLUME/whatever-made-it")
class CloseForgets(CachingDriver):
    """What was not flushed is forgotten at close, and create empties what is there."""

    class Handle(CachingHandle):
        def close(self) -> None:
            self.ended = True

    open_volume = with_handle(Handle)

    def create(self, uri: DataObjectUri, size: int) -> None:
        super().create(uri, size)
        self.ask(uri, True, "write", str(uri), self.look(uri)[2], 0, bytes(size))


@trips("C-VOLUME/closed-is-closed")
class NeverClosed(BlockDriver):
    """A closed handle goes on."""

    class Handle(BlockHandle):
        def close(self) -> None:
            """Nothing."""

    open_volume = with_handle(Handle)


@trips("C-VOLUME/two-handles")
class WholeVolumeBack(BlockDriver):
    """A flush writes the whole volume back as the handle knows it."""

    class Handle(BlockHandle):
        def __init__(self, driver: BlockDriver, uri: DataObjectUri, born: int, size: int) -> None:
            super().__init__(driver, uri, born, size)
            self.known = bytearray(self.pread(0, size))

        def pwrite(self, offset: int, data: Any) -> int:
            view = bytes_of(data)
            count = super().pwrite(offset, view)
            self.known[offset : offset + count] = view
            return count

        def flush(self) -> None:
            self.tell(True, "write", 0, bytes(self.known))
            super().flush()

    open_volume = with_handle(Handle)


@trips("C-VOLUME/beside-a-guest")
class StaleReader(BlockDriver):
    """A reader gets a volume of that size as it was when it was made."""

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> BlockInput:
        size = self.look(uri)[0]
        if size == 16 * 4096:
            stale = DataObjectUri(ObjectKind.ISO, "stale", uri.object_id)
            self.create(stale, size)
            return super().open_input(stale, offset, length)
        return super().open_input(uri, offset, length)


@trips("C-VOLUME/dead-holder")
class LockedForEver(BlockDriver):
    """Who opens a volume leaves a mark, and who finds one waits for ever."""

    class Handle(BlockHandle):
        def pwrite(self, offset: int, data: Any) -> int:
            mark = DataObjectUri(ObjectKind.ISO, "locks", self.uri.object_id)
            code, _ = self.driver.ask(mark, True, "make", str(mark), 0, str(self.uri))
            if code == "exists":
                raise ObjectInUse("somebody has it open", self.uri)
            count = super().pwrite(offset, data)
            if bytes_of(data) != b"dead":
                self.driver.ask(mark, True, "remove", str(mark))
            return count

    open_volume = with_handle(Handle)


@trips("C-CAPS/optional-methods")
class DeclaresLess(BlockDriver):
    """Clones work and are not declared."""

    able = Capabilities(on_device_copy=True, range_read=True, random_access=True, snapshots=True, revert=True, enumerate=True)


@trips("C-VOLUME/digest-is-the-current-one")
class OldDigest(BlockDriver):
    """The digest is that of the first bytes, for ever."""

    able = Capabilities(on_device_copy=True, range_read=True, random_access=True, enumerate=True, digest="md5")

    def describe(self, uri: DataObjectUri) -> Any:
        return DataObjectDescription(uri, self.look(uri)[0], "md5:" + "0" * 32)


# What a power loss or a crash shows


@trips("C-DURABLE/guest-loses-nothing-flushed", "C-DURABLE/survives")
class ForgetsItsVerifier(BlockDriver):
    """A flush does not reach the device."""

    class Handle(BlockHandle):
        def flush(self) -> None:
            self.require_open()

    open_volume = with_handle(Handle)


@trips("C-STATELESS/two-configurations-never-mix")
class FirstConfigurationWins(BlockDriver):
    """One client for the whole process, made from the configuration that came first."""

    client: ClassVar[list[str]] = []

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        super().__init__(configuration)
        self.client.append(self.server)
        self.server = self.client[0]


@trips("C-NAMES/snapshot-twins", "C-NAMES/snapshots-of-odd-names")
class FoldsSnapshotNames(BlockDriver):
    """Snapshots have names without capitals."""

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        super().take_snapshot(volume, DataObjectUri(snapshot.kind, snapshot.account, snapshot.object_id.lower()))
