"""What a server answers to each procedure of NFS version 3 [RFC 1813 3.3]. Values only.

Every field has a default, which is what stands there when the status is an error and the RFC's ``resfail`` lacks it.
"""

from __future__ import annotations

from dataclasses import dataclass

from storcert.simulators.nfs.attributes import UNKNOWN, Attributes, DirectoryEntry, Handle, Verifier, WccData
from storcert.simulators.nfs.status import Stable


@dataclass(frozen=True, slots=True)
class AttributesResult:
    """GETATTR; what a failed call of nearly every procedure carries, too."""

    attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class WccResult:
    """SETATTR (of the object), REMOVE and RMDIR (of the directory)."""

    wcc: WccData = UNKNOWN


@dataclass(frozen=True, slots=True)
class LookupResult:
    """LOOKUP."""

    handle: Handle | None = None
    attributes: Attributes | None = None
    directory_attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class AccessResult:
    """ACCESS: those of the bits asked about that are allowed."""

    attributes: Attributes | None = None
    access: int = 0


@dataclass(frozen=True, slots=True)
class ReadlinkResult:
    """READLINK."""

    attributes: Attributes | None = None
    target: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReadResult:
    """READ: fewer bytes than asked for only at the end of the file, which ``eof`` tells."""

    attributes: Attributes | None = None
    data: bytes = b""
    eof: bool = False


@dataclass(frozen=True, slots=True)
class WriteResult:
    """WRITE: ``count`` bytes were taken. A ``verifier`` other than the one before tells that the server restarted meanwhile,
    and that everything unstable since the last COMMIT may be lost."""

    wcc: WccData = UNKNOWN
    count: int = 0
    committed: Stable = Stable.UNSTABLE
    verifier: Verifier = b""


@dataclass(frozen=True, slots=True)
class CommitResult:
    """COMMIT; ``verifier`` as in WRITE."""

    wcc: WccData = UNKNOWN
    verifier: Verifier = b""


@dataclass(frozen=True, slots=True)
class MadeResult:
    """CREATE, MKDIR, SYMLINK, MKNOD: ``directory`` is the wcc data of the directory."""

    handle: Handle | None = None
    attributes: Attributes | None = None
    directory: WccData = UNKNOWN


@dataclass(frozen=True, slots=True)
class RenameResult:
    """RENAME: wcc data of both directories."""

    from_directory: WccData = UNKNOWN
    to_directory: WccData = UNKNOWN


@dataclass(frozen=True, slots=True)
class LinkResult:
    """LINK: attributes of the file, wcc data of the directory."""

    attributes: Attributes | None = None
    directory: WccData = UNKNOWN


@dataclass(frozen=True, slots=True)
class ReaddirResult:
    """READDIR and READDIRPLUS, ``.`` and ``..`` among the entries. ``eof``: nothing follows the last entry."""

    directory_attributes: Attributes | None = None
    cookie_verifier: Verifier = b""
    entries: tuple[DirectoryEntry, ...] = ()
    eof: bool = False


@dataclass(frozen=True, slots=True)
class FsstatResult:
    """FSSTAT: space and files in all, free, and free for the caller."""

    attributes: Attributes | None = None
    total_bytes: int = 0
    free_bytes: int = 0
    available_bytes: int = 0
    total_files: int = 0
    free_files: int = 0
    available_files: int = 0


@dataclass(frozen=True, slots=True)
class FsinfoResult:
    """FSINFO: the largest and the best sizes of READ, WRITE and READDIR, the largest file, the clock's grain."""

    attributes: Attributes | None = None
    read_max_bytes: int = 0
    read_best_bytes: int = 0
    write_max_bytes: int = 0
    write_best_bytes: int = 0
    readdir_best_bytes: int = 0
    file_max_bytes: int = 0
    time_delta_ns: int = 0


@dataclass(frozen=True, slots=True)
class PathconfResult:
    """PATHCONF."""

    attributes: Attributes | None = None
    link_max: int = 0
    name_max: int = 0
    no_truncation: bool = False
    chown_restricted: bool = False
    case_insensitive: bool = False
    case_preserving: bool = False
