"""What NFS version 3 says of one object: handles, attributes, wcc data, directory entries [RFC 1813 2.5, 2.6]. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from storcert.simulators.nfs.status import FileType

Handle: TypeAlias = bytes
"""Opaque: a client may keep and compare it, nothing else. Never longer than ``HANDLE_BYTES_MAX``."""
Verifier: TypeAlias = bytes
"""Eight bytes: of an exclusive CREATE, of WRITE and COMMIT, or of the cookies of READDIR."""

SERVER_TIME: Final = -1
"""As a time to set: the server's own time at that moment."""
VERIFIER_BYTES: Final = 8
HANDLE_BYTES_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Attributes:
    """``fattr3``. ``mode``: the twelve permission bits, without the type. ``used_bytes``: what it occupies on the device."""

    type: FileType
    mode: int
    nlink: int
    uid: int
    gid: int
    size_bytes: int
    used_bytes: int
    device: tuple[int, int]
    fsid: int
    fileid: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class WccAttributes:
    """``wcc_attr``: as much of the attributes before an operation as tells whether somebody else changed the object."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class WccData:
    """Weak cache consistency: the object before and after the operation, each where the server knows it."""

    before: WccAttributes | None = None
    after: Attributes | None = None


UNKNOWN: Final = WccData()
"""The server tells neither."""


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """``sattr3``: ``None`` leaves a value alone; a time may be ``SERVER_TIME``."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size_bytes: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None


UNCHANGED: Final = SetAttributes()
"""Everything is left alone, or to the server."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One entry of READDIR; ``attributes`` and ``handle`` with READDIRPLUS only, and there not for certain."""

    fileid: int
    name: bytes
    cookie: int
    attributes: Attributes | None = None
    handle: Handle | None = None
