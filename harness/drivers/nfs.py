"""A driver for a mounted path: NFS, or any file system with atomic hard links, through ``os`` alone.

One object is one file in ``objects``; files in the making lie in ``pending``; nothing else is kept. The modules beside this
one: ``nfs_names`` makes file names, ``nfs_mount`` looks below the mount and nowhere else, ``nfs_publish`` publishes exactly
once, ``nfs_streams`` and ``nfs_volume`` move bytes, ``nfs_errors`` reads error numbers.

What it needs: a mount whose ``link`` fails on a taken name (NFSv3 and later, ext4, XFS, most FUSE file systems); and mount
options that end a request some day: ``softerr`` or ``soft`` with ``timeo=100,retrans=2``, say. On a ``hard`` mount a server
that stays away holds every call for ever, and no code on top of a path can help (C-BUDGET). ``nolock`` and ``noac`` are not
needed. ``copy`` is not offered: NFSv3 has no copy on the server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    JsonValue,
    ObjectExists,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    StorageError,
    Unsupported,
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.nfs_errors import is_ambiguous, typed
from storcert.harness.drivers.nfs_mount import OBJECTS, Mount, Patience, Settings
from storcert.harness.drivers.nfs_names import NAME_BYTES_MAX, object_name, uri_of
from storcert.harness.drivers.nfs_publish import Pending, Removal, clear_pending
from storcert.harness.drivers.nfs_streams import NfsInputStream, NfsOutputStream
from storcert.harness.drivers.nfs_volume import NfsVolume

_CREATE_ROUNDS = 4

class NfsDriver:
    """Configuration: ``mount``, the absolute path of the mount point; optional ``plain_directory`` (true: it may be a
    directory that is not mounted, for trying things out) and ``max_object_size_bytes`` (16 TiB less one block, as ext4)."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        self._mount = Mount(Settings.parse(configuration))

    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_object_size_bytes=self._mount.settings.max_object_size_bytes,
            range_read=True,
            random_access=True,
            enumerate=True,
            max_name_bytes=NAME_BYTES_MAX,
        )

    def create(self, uri: DataObjectUri, size: int) -> None:
        object_name(uri)
        size = self._size(size, uri)
        patience = Patience()
        for _ in range(_CREATE_ROUNDS):
            if self._has_size(uri, size):
                return
            pending = Pending(self._mount, uri)
            try:
                pending.stretch(size)
            except StorageError as error:
                raise pending.give_up(error) from error.__cause__
            try:
                return pending.publish(patience)
            except ObjectExists as taken:
                # Somebody made it between the look and the publication: what counts is what is there now.
                if taken.outcome is Outcome.UNKNOWN:
                    return self._require_made(uri, size, taken)
        raise DeviceUnavailable("others make and delete it all the time", uri, Outcome.NOT_DONE)

    def _has_size(self, uri: DataObjectUri, size: int) -> bool:
        """Whether the object is there with ``size``. Raises ``ObjectExists`` where it has another."""
        found = self._mount.look(uri, self._mount.identity)
        if found is not None and found.size_bytes != size:
            raise ObjectExists(f"the object has {found.size_bytes} bytes, not {size}", uri)
        return found is not None

    def _require_made(self, uri: DataObjectUri, size: int, otherwise: ObjectExists) -> None:
        """After a publication that may have been there, seen and deleted, no look may say that nothing was done."""
        try:
            if self._has_size(uri, size):
                return
        except StorageError as error:
            raise otherwise from error
        raise otherwise

    def delete(self, uri: DataObjectUri) -> None:
        """Files in the making go first: while one is there, a late request could still publish it."""
        object_name(uri)
        patience, doubtful, removal = Patience(), False, Removal(self._mount, uri)
        while True:
            try:
                clear_pending(self._mount, uri)
                return removal.attempt()
            except OSError as error:
                doubtful = doubtful or is_ambiguous(error)
                if not patience.again():
                    raise typed(error, uri, "deleting", Outcome.UNKNOWN if doubtful else Outcome.NOT_DONE) from error

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        raise Unsupported("NFSv3 copies nothing on the server", source)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> NfsInputStream:
        object_name(uri)
        offset = count_of_bytes("offset", offset, uri)
        if length is not None:
            length = count_of_bytes("length", length, uri)
        return NfsInputStream(self._mount, uri, offset, length)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> NfsOutputStream:
        object_name(uri)
        if size is not None:
            size = self._size(size, uri)
        if self._mount.look(uri, self._mount.identity) is not None:
            raise ObjectExists("the name is taken", uri)
        return NfsOutputStream(self._mount, uri, size)

    def open_volume(self, uri: DataObjectUri) -> NfsVolume:
        object_name(uri)
        if uri.kind is not ObjectKind.VOLUME:
            raise InvalidRequest("only a volume is written in place", uri)
        found = self._mount.look(uri, lambda one: self._mount.open_object(one, os.O_RDWR))
        if found is None:
            raise ObjectNotFound("no such volume", uri)
        file, identity = found
        return NfsVolume(uri, file, identity.size_bytes)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        found = self._mount.look(uri, self._mount.identity)
        if found is None:
            raise ObjectNotFound("no such object", uri)
        return DataObjectDescription(uri, found.size_bytes, None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        patience = Patience(60.0)
        while True:
            try:
                with self._mount.folder(OBJECTS) as objects:
                    names = [] if objects is None else os.listdir(objects)
                break
            except OSError as error:
                if not patience.again():
                    raise typed(error, None, "listing") from error
        seen = set(names)  # a directory that changes while it is read may show a name twice
        for name in names:
            uri = uri_of(name) if name in seen else None
            seen.discard(name)
            if uri is not None:
                yield uri

    def _size(self, value: object, uri: DataObjectUri) -> int:
        size = count_of_bytes("size", value, uri)
        limit = self._mount.settings.max_object_size_bytes
        if size > limit:
            raise CapacityExceeded(f"an object has at most {limit} bytes", uri)
        return size
