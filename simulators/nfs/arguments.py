"""What a client sends with each procedure of NFS version 3 [RFC 1813 3.3]. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from storcert.simulators.nfs.attributes import UNCHANGED, VERIFIER_BYTES, Handle, SetAttributes, Verifier
from storcert.simulators.nfs.status import CreateMode, FileType, Stable


@dataclass(frozen=True, slots=True)
class ObjectArguments:
    """GETATTR, READLINK, FSSTAT, FSINFO, PATHCONF."""

    object: Handle


@dataclass(frozen=True, slots=True)
class NameArguments:
    """LOOKUP, REMOVE, RMDIR."""

    directory: Handle
    name: bytes


@dataclass(frozen=True, slots=True)
class AccessArguments:
    """ACCESS; ``access``: bits of :class:`~storcert.simulators.nfs.status.Access` that are asked about."""

    object: Handle
    access: int


@dataclass(frozen=True, slots=True)
class SetattrArguments:
    """SETATTR; with ``guard_ctime_ns`` only if the object still has that change time, else ``NFS3ERR_NOT_SYNC``."""

    object: Handle
    new: SetAttributes
    guard_ctime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ReadArguments:
    """READ."""

    file: Handle
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class WriteArguments:
    """WRITE of all of ``data``."""

    file: Handle
    offset: int
    data: bytes
    stable: Stable = Stable.UNSTABLE


@dataclass(frozen=True, slots=True)
class CommitArguments:
    """COMMIT; a count of 0 means from ``offset`` to the end."""

    file: Handle
    offset: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class CreateArguments:
    """CREATE; ``verifier`` (eight bytes) belongs to EXCLUSIVE, whose ``attributes`` are not looked at."""

    directory: Handle
    name: bytes
    how: CreateMode = CreateMode.UNCHECKED
    attributes: SetAttributes = UNCHANGED
    verifier: Verifier = bytes(VERIFIER_BYTES)


@dataclass(frozen=True, slots=True)
class MkdirArguments:
    """MKDIR."""

    directory: Handle
    name: bytes
    attributes: SetAttributes = UNCHANGED


@dataclass(frozen=True, slots=True)
class SymlinkArguments:
    """SYMLINK: ``name`` will point to ``target``."""

    directory: Handle
    name: bytes
    target: bytes
    attributes: SetAttributes = UNCHANGED


@dataclass(frozen=True, slots=True)
class MknodArguments:
    """MKNOD; ``device`` (major, minor) for BLK and CHR."""

    directory: Handle
    name: bytes
    type: FileType
    attributes: SetAttributes = UNCHANGED
    device: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class RenameArguments:
    """RENAME; an existing target of the right kind is replaced in the same instant."""

    from_directory: Handle
    from_name: bytes
    to_directory: Handle
    to_name: bytes


@dataclass(frozen=True, slots=True)
class LinkArguments:
    """LINK: ``name`` in ``directory`` becomes one more name of ``file``."""

    file: Handle
    directory: Handle
    name: bytes


@dataclass(frozen=True, slots=True)
class ReaddirArguments:
    """READDIR and READDIRPLUS: entries after ``cookie`` (0: from the start) in an answer of at most ``count`` bytes (for
    READDIRPLUS: its ``maxcount``; its ``dircount`` is not modelled)."""

    directory: Handle
    cookie: int = 0
    cookie_verifier: Verifier = bytes(VERIFIER_BYTES)
    count: int = 32_768


Arguments: TypeAlias = (
    ObjectArguments | NameArguments | AccessArguments | SetattrArguments | ReadArguments | WriteArguments | CommitArguments
    | CreateArguments | MkdirArguments | SymlinkArguments | MknodArguments | RenameArguments | LinkArguments
    | ReaddirArguments
)  # fmt: skip
