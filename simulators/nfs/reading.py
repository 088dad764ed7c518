"""The procedures that change nothing but access times: GETATTR, LOOKUP, ACCESS, READLINK, READ, FSSTAT, FSINFO, PATHCONF."""

from __future__ import annotations

from storcert.simulators.nfs.content import read
from storcert.simulators.nfs.filesystem import Caller, FileSystem
from storcert.simulators.nfs.naming import find
from storcert.simulators.nfs.permissions import CHANGING, EXECUTE, READ, access_bits, allowed, require
from storcert.simulators.nfs.protocol import (
    AccessArguments,
    AccessResult,
    AttributesResult,
    FsinfoResult,
    FsstatResult,
    LookupResult,
    NameArguments,
    ObjectArguments,
    PathconfResult,
    ReadArguments,
    ReadlinkResult,
    ReadResult,
)
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import NfsStatus
from storcert.simulators.nfs.tree import Inode, Symlink

FILES_MAX = 1 << 24
TRANSFER_BYTES_MAX = 64 << 20  # rtmax and wtmax of nfs-ganesha 4.3
_READDIR_BEST_BYTES = 16_384
_DAY_NS = 24 * 3600 * 10**9


def getattr_(fs: FileSystem, caller: Caller, arguments: ObjectArguments) -> AttributesResult:
    """GETATTR."""
    return AttributesResult(fs.tree.resolve(arguments.object).attributes())


def lookup(fs: FileSystem, caller: Caller, arguments: NameArguments) -> LookupResult:
    """LOOKUP."""
    directory = fs.directory(arguments.directory)
    require(directory, caller, EXECUTE)
    name = arguments.name
    found: Inode
    if name == b".":
        found = directory
    elif name == b"..":
        found = directory.parent
    else:
        entry = find(fs, caller, directory, name)
        if entry is None:
            raise Refusal(NfsStatus.NFS3ERR_NOENT)
        found = entry[1]
    return LookupResult(found.handle, found.attributes(), directory.attributes())


def access(fs: FileSystem, caller: Caller, arguments: AccessArguments) -> AccessResult:
    """ACCESS."""
    inode = fs.tree.resolve(arguments.object)
    granted = access_bits(inode, caller, arguments.access)
    if fs.read_only:
        granted &= ~CHANGING
    return AccessResult(inode.attributes(), int(granted))


def readlink(fs: FileSystem, caller: Caller, arguments: ObjectArguments) -> ReadlinkResult:
    """READLINK."""
    link = fs.tree.resolve(arguments.object)
    if not isinstance(link, Symlink):
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    return ReadlinkResult(link.attributes(), link.target)


def read_(fs: FileSystem, caller: Caller, arguments: ReadArguments) -> ReadResult:
    """READ."""
    inode = fs.tree.resolve(arguments.file)
    if caller.uid != inode.uid and not allowed(inode, caller, EXECUTE):
        # Whoever may run a program may read it: a client cannot run it otherwise.
        require(inode, caller, READ)
    file = fs.file(inode)
    if not arguments.count:
        return ReadResult(file.attributes())
    data = read(file.content, arguments.offset, min(arguments.count, TRANSFER_BYTES_MAX))
    if file.atime_ns <= max(file.mtime_ns, file.ctime_ns) or caller.now_ns - file.atime_ns >= _DAY_NS:
        # As a Linux file system has it that is mounted relatime, the default.
        file.atime_ns = caller.now_ns
    return ReadResult(file.attributes(), data, arguments.offset + len(data) >= file.size_bytes)


def fsstat(fs: FileSystem, caller: Caller, arguments: ObjectArguments) -> FsstatResult:
    """FSSTAT."""
    attributes = fs.tree.resolve(arguments.object).attributes()
    total = fs.options.capacity_bytes
    if fs.options.quota_bytes:
        total = min(total, fs.options.quota_bytes)
    files = FILES_MAX - len(fs.tree)
    return FsstatResult(attributes, total, fs.free_bytes, fs.free_bytes, FILES_MAX, files, files)


def fsinfo(fs: FileSystem, caller: Caller, arguments: ObjectArguments) -> FsinfoResult:
    """FSINFO."""
    attributes = fs.tree.resolve(arguments.object).attributes()
    most = TRANSFER_BYTES_MAX
    return FsinfoResult(attributes, most, most, most, most, _READDIR_BEST_BYTES, fs.options.file_max_bytes, 1)


def pathconf(fs: FileSystem, caller: Caller, arguments: ObjectArguments) -> PathconfResult:
    """PATHCONF."""
    attributes = fs.tree.resolve(arguments.object).attributes()
    options = fs.options
    return PathconfResult(
        attributes, options.link_max, options.name_max_bytes, no_truncation=True, chown_restricted=True,
        case_insensitive=not options.case_sensitive, case_preserving=True,
    )
