"""A correct driver for a mounted path as a vendor would write it, with ``pathlib`` and ``shutil`` alone.

It shares nothing with the bundled one: an object is collected in memory, written at commit into a file of its own, closed
(which on NFS is when it reaches the server) and hard-linked to its final name. Before it believes that a name is there, it
lists the folder: listing opens the folder and makes an NFS client ask. Names beyond the plain ones are refused.

``SpoolingPathDriver`` is the same with the mistake that vendors make: what is written waits in a temporary file of the host.
"""

from __future__ import annotations

import errno
import io
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectNotFound,
    PermissionDenied,
    SizeMismatch,
    StorageError,
    Unsupported,
)

LIMIT_BYTES = 1 << 26
NAME_BYTES_MAX = 64
TRIES = 3
CHUNK_BYTES = 1 << 20
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


def typed(uri: object, error: OSError, outcome: str = "not_done") -> StorageError:
    """The contract's error for what the operating system raised."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return CapacityExceeded(str(error.strerror), uri, outcome)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return PermissionDenied(str(error.strerror), uri, outcome)
    return DeviceUnavailable(str(error.strerror), uri, outcome)


class PathDriver:
    """Configuration: ``mount``."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.root = Path(configuration["mount"])
        self.objects, self.work = self.root / "objects", self.root / "work"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_object_size_bytes=LIMIT_BYTES, range_read=True, enumerate=True, max_name_bytes=NAME_BYTES_MAX
        )

    # -- names

    def name(self, uri: DataObjectUri) -> str:
        if not PLAIN.match(uri.account) or not PLAIN.match(uri.object_id):
            raise InvalidRequest("names have at most 64 of A-Z a-z 0-9 . _ -", uri)
        return f"{uri.kind}+{uri.account}+{uri.object_id}"

    def names(self, folder: Path) -> list[str]:
        """What is in a folder, fresh; nothing where it was never made."""
        if not self.root.is_mount():
            raise OSError(errno.ENODEV, "nothing is mounted")
        if folder.name not in [path.name for path in self.root.iterdir()]:
            return []
        return sorted(path.name for path in folder.iterdir())

    def find(self, uri: DataObjectUri) -> Path | None:
        """The published file. Raises ``OSError``."""
        name = self.name(uri)
        return self.objects / name if name in self.names(self.objects) else None

    def look(self, uri: DataObjectUri) -> io.FileIO | None:
        """The published file, open."""
        self.name(uri)
        for attempt in range(TRIES):
            try:
                path = self.find(uri)
                return None if path is None else path.open("rb", buffering=0)
            except FileNotFoundError:
                return None  # it went between the two looks
            except OSError as error:
                if attempt == TRIES - 1 or error.errno not in (errno.ESTALE, errno.EIO):
                    raise typed(uri, error) from error
        return None

    def existing(self, uri: DataObjectUri) -> io.FileIO:
        found = self.look(uri)
        if found is None:
            raise ObjectNotFound("no such object", uri)
        return found

    def size_of(self, uri: DataObjectUri) -> int | None:
        found = self.look(uri)
        if found is None:
            return None
        with found:
            try:
                return found.seek(0, io.SEEK_END)
            except OSError as error:
                raise typed(uri, error) from error

    # -- the contract

    def create(self, uri: DataObjectUri, size: int) -> None:
        self.name(uri)
        check(uri, size)
        if not self.has_size(uri, size):
            try:
                self.publish(uri, lambda file: file.truncate(size))
            except ObjectExists:
                if not self.has_size(uri, size):
                    raise

    def has_size(self, uri: DataObjectUri, size: int) -> bool:
        found = self.size_of(uri)
        if found is not None and found != size:
            raise ObjectExists(f"the object has {found} bytes", uri)
        return found is not None

    def delete(self, uri: DataObjectUri) -> None:
        name, begun = self.name(uri), False
        for attempt in range(TRIES):
            try:
                self.clear(uri)
                if name in self.names(self.objects):
                    begun = True
                    (self.objects / name).unlink(missing_ok=True)
                return
            except OSError as error:
                if attempt == TRIES - 1 or error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                    raise typed(uri, error, "unknown" if begun else "not_done") from error

    def clear(self, uri: DataObjectUri) -> None:
        for name in self.names(self.work):
            if name.startswith(self.name(uri) + "~"):
                (self.work / name).unlink(missing_ok=True)

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        raise Unsupported("a mounted path copies nothing by itself", source)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> PathInput:
        self.name(uri)
        check(uri, offset, length)
        return PathInput(uri, self.existing(uri), offset, length)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> PathOutput:
        self.name(uri)
        check(uri, size)
        if self.size_of(uri) is not None:
            raise ObjectExists("taken", uri)
        return PathOutput(self, uri, size)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        size = self.size_of(uri)
        if size is None:
            raise ObjectNotFound("no such object", uri)
        return DataObjectDescription(uri, size)

    def list_objects(self) -> Iterator[DataObjectUri]:
        try:
            names = self.names(self.objects)
        except OSError as error:
            raise typed(None, error) from error
        for name in names:
            if name.count("+") == 2:
                kind, account, object_id = name.split("+")
                yield DataObjectUri.parse(f"/{kind}/{account}/{object_id}")

    # -- publishing

    def publish(self, uri: DataObjectUri, fill: Any) -> None:
        """A file of its own, whole, then its final name, once."""
        made = self.work / f"{self.name(uri)}~{uuid.uuid4().hex}"
        try:
            for folder in (self.objects, self.work):
                if folder.name not in [path.name for path in self.root.iterdir()]:
                    folder.mkdir(exist_ok=True)
            with made.open("xb") as file:
                fill(file)
            ours = made.stat().st_ino
        except OSError as error:
            self.remove(made)
            raise self.lost(uri, error) from error
        target = self.objects / self.name(uri)
        for attempt in range(TRIES):
            try:
                target.hardlink_to(made)
                break
            except OSError as error:
                if self.linked(uri, ours, made, error, attempt == TRIES - 1):
                    break
        self.remove(made)
        try:
            self.clear(uri)
        except OSError:
            pass  # published it is

    def linked(self, uri: DataObjectUri, ours: int, made: Path, error: OSError, last: bool) -> bool:
        """After a link that failed: whether it is done; raises where that is settled otherwise."""
        gone = self.remove(made) if last or error.errno in (errno.ENOENT, errno.ESTALE) else False
        try:
            there = self.find(uri)
            if there is not None and there.stat().st_ino == ours:
                return True
        except OSError as trouble:
            gone = gone or self.remove(made)
            raise typed(uri, error, "unknown") from trouble
        if there is not None:
            self.remove(made)
            raise ObjectExists("taken", uri)
        if gone or last:
            raise typed(uri, error, "not_done" if gone else "unknown")
        return False

    def lost(self, uri: DataObjectUri, error: OSError) -> StorageError:
        """A file in the making that is not there any more was removed by whoever won the name."""
        if error.errno in (errno.ENOENT, errno.ESTALE):
            try:
                if self.find(uri) is not None:
                    return ObjectExists("taken", uri)
            except OSError:
                pass
        return typed(uri, error)

    def remove(self, made: Path) -> bool:
        """Whether the file in the making is certainly gone."""
        for _ in range(TRIES):
            try:
                made.unlink(missing_ok=True)
                return True
            except OSError:
                continue
        return False


def check(uri: DataObjectUri, *values: int | None) -> None:
    for value in values:
        if value is not None and value < 0:
            raise InvalidRequest("negative", uri)
        if value is not None and value > LIMIT_BYTES and len(values) == 1:
            raise CapacityExceeded(f"at most {LIMIT_BYTES} bytes", uri)


class PathInput:
    """An open file: the handle stays with the file that was opened, whatever has its name later."""

    def __init__(self, uri: DataObjectUri, file: io.FileIO, offset: int, length: int | None) -> None:
        self.uri, self.file, self.at = uri, file, offset
        try:
            size = file.seek(0, io.SEEK_END)
        except OSError as error:
            raise typed(uri, error) from error
        self.end = size if length is None else min(size, offset + length)

    def read(self, n: int = -1) -> bytes:
        if self.file.closed or n < -1:
            raise InvalidRequest("closed" if self.file.closed else "negative", self.uri)
        wanted = min(CHUNK_BYTES if n == -1 else n, CHUNK_BYTES, self.end - self.at)
        if wanted <= 0:
            return b""
        try:
            self.file.seek(self.at)
            data = self.file.read(wanted)
        except OSError as error:
            raise typed(self.uri, error) from error
        if not data:
            raise DeviceUnavailable("shorter than it was", self.uri, "not_done")
        self.at += len(data)
        return data

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> PathInput:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class PathOutput:
    """All in memory until commit."""

    def __init__(self, driver: PathDriver, uri: DataObjectUri, size: int | None) -> None:
        self.driver, self.uri, self.size = driver, uri, size
        self.data, self.written = io.BytesIO(), 0
        self.ended = self.failed = False

    def write(self, data: Any) -> int:
        self.require_open()
        view = memoryview(data)
        if self.written + view.nbytes > LIMIT_BYTES:
            self.failed = True
            raise CapacityExceeded(f"at most {LIMIT_BYTES} bytes", self.uri)
        self.data.write(view.tobytes())
        self.written += view.nbytes
        return view.nbytes

    def require_open(self) -> None:
        if self.ended:
            raise InvalidRequest("the stream has ended", self.uri)

    def commit(self) -> DataObjectDescription:
        self.require_open()
        self.ended = True
        if self.failed:
            raise CapacityExceeded(f"at most {LIMIT_BYTES} bytes", self.uri)
        if self.size not in (None, self.written):
            raise SizeMismatch(f"{self.written} of {self.size} bytes", self.uri)
        self.data.seek(0)
        self.driver.publish(self.uri, lambda file: shutil.copyfileobj(self.data, file))
        return DataObjectDescription(self.uri, self.written)

    def abort(self) -> None:
        self.ended = True

    close = abort

    def __enter__(self) -> PathOutput:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is not None:
            self.abort()
        elif not self.ended:
            self.commit()


class SpoolingPathDriver(PathDriver):
    """Keeps what is written in a temporary file, which is not on its mount."""

    def publish(self, uri: DataObjectUri, fill: Any) -> None:
        try:
            with tempfile.TemporaryFile() as spool:
                fill(spool)
        except OSError as error:
            raise typed(uri, error) from error
        super().publish(uri, fill)
