"""NFS version 3 as values: what a client sends and what a server answers [RFC 1813]. No behaviour lives here.

A request is a :class:`~storcert.simulators.nfs.status.Procedure` and its arguments; ``ARGUMENTS`` says of which class. An
answer is a :class:`Reply`: a status and a result; ``RESULTS`` says of which class. The result is there when the status is
an error, too: what the RFC's ``resfail`` carries (attributes, wcc data) stands in it, everything else in it is ``None`` or 0.

Handles are opaque ``bytes``: a client may keep and compare them, nothing else. Names and link targets are ``bytes``.
Times are integer nanoseconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storcert.simulators.nfs.arguments import (
    AccessArguments,
    Arguments,
    CommitArguments,
    CreateArguments,
    LinkArguments,
    MkdirArguments,
    MknodArguments,
    NameArguments,
    ObjectArguments,
    ReadArguments,
    ReaddirArguments,
    RenameArguments,
    SetattrArguments,
    SymlinkArguments,
    WriteArguments,
)
from storcert.simulators.nfs.attributes import (
    HANDLE_BYTES_MAX,
    SERVER_TIME,
    UNCHANGED,
    UNKNOWN,
    VERIFIER_BYTES,
    Attributes,
    DirectoryEntry,
    Handle,
    SetAttributes,
    Verifier,
    WccAttributes,
    WccData,
)
from storcert.simulators.nfs.results import (
    AccessResult,
    AttributesResult,
    CommitResult,
    FsinfoResult,
    FsstatResult,
    LinkResult,
    LookupResult,
    MadeResult,
    PathconfResult,
    ReaddirResult,
    ReadlinkResult,
    ReadResult,
    RenameResult,
    WccResult,
    WriteResult,
)
from storcert.simulators.nfs.status import (
    PROCEDURES,
    Access,
    CreateMode,
    FileType,
    NfsStatus,
    Procedure,
    Stable,
)

__all__ = [
    "ARGUMENTS",
    "HANDLE_BYTES_MAX",
    "PROCEDURES",
    "RESULTS",
    "SERVER_TIME",
    "UNCHANGED",
    "UNKNOWN",
    "VERIFIER_BYTES",
    "Access",
    "AccessArguments",
    "AccessResult",
    "Arguments",
    "Attributes",
    "AttributesResult",
    "CommitArguments",
    "CommitResult",
    "CreateArguments",
    "CreateMode",
    "DirectoryEntry",
    "FileType",
    "FsinfoResult",
    "FsstatResult",
    "Handle",
    "LinkArguments",
    "LinkResult",
    "LookupResult",
    "MadeResult",
    "MkdirArguments",
    "MknodArguments",
    "NameArguments",
    "NfsStatus",
    "ObjectArguments",
    "PathconfResult",
    "Procedure",
    "ReadArguments",
    "ReadResult",
    "ReaddirArguments",
    "ReaddirResult",
    "ReadlinkResult",
    "RenameArguments",
    "RenameResult",
    "Reply",
    "SetAttributes",
    "SetattrArguments",
    "Stable",
    "SymlinkArguments",
    "Verifier",
    "WccAttributes",
    "WccData",
    "WccResult",
    "WriteArguments",
    "WriteResult",
]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``result`` is of the class that ``RESULTS`` names for the procedure, whatever the status (``None``: NULL)."""

    status: NfsStatus
    result: Any = None


ARGUMENTS: Mapping[Procedure, type | None] = {
    Procedure.NULL: None, Procedure.GETATTR: ObjectArguments, Procedure.SETATTR: SetattrArguments,
    Procedure.LOOKUP: NameArguments, Procedure.ACCESS: AccessArguments, Procedure.READLINK: ObjectArguments,
    Procedure.READ: ReadArguments, Procedure.WRITE: WriteArguments, Procedure.CREATE: CreateArguments,
    Procedure.MKDIR: MkdirArguments, Procedure.SYMLINK: SymlinkArguments, Procedure.MKNOD: MknodArguments,
    Procedure.REMOVE: NameArguments, Procedure.RMDIR: NameArguments, Procedure.RENAME: RenameArguments,
    Procedure.LINK: LinkArguments, Procedure.READDIR: ReaddirArguments, Procedure.READDIRPLUS: ReaddirArguments,
    Procedure.FSSTAT: ObjectArguments, Procedure.FSINFO: ObjectArguments, Procedure.PATHCONF: ObjectArguments,
    Procedure.COMMIT: CommitArguments,
}  # fmt: skip
RESULTS: Mapping[Procedure, type | None] = {
    Procedure.NULL: None, Procedure.GETATTR: AttributesResult, Procedure.SETATTR: WccResult,
    Procedure.LOOKUP: LookupResult, Procedure.ACCESS: AccessResult, Procedure.READLINK: ReadlinkResult,
    Procedure.READ: ReadResult, Procedure.WRITE: WriteResult, Procedure.CREATE: MadeResult,
    Procedure.MKDIR: MadeResult, Procedure.SYMLINK: MadeResult, Procedure.MKNOD: MadeResult,
    Procedure.REMOVE: WccResult, Procedure.RMDIR: WccResult, Procedure.RENAME: RenameResult,
    Procedure.LINK: LinkResult, Procedure.READDIR: ReaddirResult, Procedure.READDIRPLUS: ReaddirResult,
    Procedure.FSSTAT: FsstatResult, Procedure.FSINFO: FsinfoResult, Procedure.PATHCONF: PathconfResult,
    Procedure.COMMIT: CommitResult,
}  # fmt: skip
