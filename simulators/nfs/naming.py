"""The procedures that change directories: CREATE, MKDIR, SYMLINK, MKNOD, REMOVE, RMDIR, RENAME, LINK. Each is one instant."""

from __future__ import annotations

from storcert.simulators.nfs.attributes import SERVER_TIME, SetAttributes, Verifier, WccData
from storcert.simulators.nfs.filesystem import Caller, FileSystem
from storcert.simulators.nfs.permissions import EXECUTE, WRITE, require, require_owner_or, require_removable
from storcert.simulators.nfs.protocol import (
    CreateArguments,
    LinkArguments,
    LinkResult,
    MadeResult,
    MkdirArguments,
    MknodArguments,
    NameArguments,
    RenameArguments,
    RenameResult,
    SymlinkArguments,
    WccResult,
)
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import CreateMode, FileType, NfsStatus
from storcert.simulators.nfs.tree import Directory, File, Inode
from storcert.simulators.nfs.writing import resize

_SETGID = 0o2000
_SECOND_NS = 10**9
EXCLUSIVE_MODE = 0o600  # of nfs-ganesha, until the SETATTR that follows
NODES = (FileType.BLK, FileType.CHR, FileType.SOCK, FileType.FIFO)


def create(fs: FileSystem, caller: Caller, arguments: CreateArguments) -> MadeResult:
    """CREATE."""
    fs.require_writable()
    directory = fs.directory(arguments.directory)
    require(directory, caller, EXECUTE)
    check_new_name(fs, arguments.name)
    before = directory.before()
    found = directory.find(arguments.name)
    if found is not None:
        file = _taken(fs, caller, arguments, found[1])
        return MadeResult(file.handle, file.attributes(), WccData(before, directory.attributes()))
    require(directory, caller, WRITE | EXECUTE)
    exclusive = arguments.how is CreateMode.EXCLUSIVE
    new = arguments.attributes
    mode = EXCLUSIVE_MODE if exclusive or new.mode is None else new.mode
    file = fs.tree.make_file(mode, caller.uid, _group(directory, caller), caller.now_ns)
    directory.put(arguments.name, file, caller.now_ns)
    if exclusive:
        file.atime_ns, file.mtime_ns = _times_of(arguments.verifier)
    else:
        _dress(fs, caller, file, new)
        if new.size_bytes:
            resize(fs, caller, file, new.size_bytes)
    return MadeResult(file.handle, file.attributes(), WccData(before, directory.attributes()))


def _taken(fs: FileSystem, caller: Caller, arguments: CreateArguments, found: Inode) -> File:
    """CREATE of a name that is there: the file it may mean all the same."""
    if arguments.how is CreateMode.GUARDED or not isinstance(found, File):
        raise Refusal(NfsStatus.NFS3ERR_EXIST)
    if arguments.how is CreateMode.EXCLUSIVE:
        if (found.atime_ns, found.mtime_ns) != _times_of(arguments.verifier):
            raise Refusal(NfsStatus.NFS3ERR_EXIST)
        return found
    size_bytes = arguments.attributes.size_bytes
    if size_bytes is not None:
        require_owner_or(found, caller, WRITE)
        resize(fs, caller, found, size_bytes)
    return found


def _times_of(verifier: Verifier) -> tuple[int, int]:
    """An exclusive CREATE keeps its verifier in the times of the file, which are in stable storage. [RFC 1813 3.3.8]"""
    return int.from_bytes(verifier[:4], "big") * _SECOND_NS, int.from_bytes(verifier[4:8], "big") * _SECOND_NS


def mkdir(fs: FileSystem, caller: Caller, arguments: MkdirArguments) -> MadeResult:
    """MKDIR."""
    directory = _free_place(fs, caller, arguments.directory, arguments.name)
    before = directory.before()
    if directory.nlink >= fs.options.link_max:
        raise Refusal(NfsStatus.NFS3ERR_MLINK)
    new = arguments.attributes
    mode = (0o755 if new.mode is None else new.mode) | (directory.mode & _SETGID)
    tree = fs.tree
    made = tree.make_directory(mode, caller.uid, _group(directory, caller), caller.now_ns)
    try:
        fs.require_space(tree.used_bytes)
    except Refusal:
        tree.release(made)
        raise
    directory.put(arguments.name, made, caller.now_ns)
    _dress(fs, caller, made, new)
    return MadeResult(made.handle, made.attributes(), WccData(before, directory.attributes()))


def symlink(fs: FileSystem, caller: Caller, arguments: SymlinkArguments) -> MadeResult:
    """SYMLINK."""
    directory = _free_place(fs, caller, arguments.directory, arguments.name)
    before = directory.before()
    if not arguments.target:
        raise Refusal(NfsStatus.NFS3ERR_NOENT)
    made = fs.tree.make_symlink(arguments.target, 0o777, caller.uid, _group(directory, caller), caller.now_ns)
    directory.put(arguments.name, made, caller.now_ns)
    return MadeResult(made.handle, made.attributes(), WccData(before, directory.attributes()))


def mknod(fs: FileSystem, caller: Caller, arguments: MknodArguments) -> MadeResult:
    """MKNOD."""
    if arguments.type not in NODES:
        raise Refusal(NfsStatus.NFS3ERR_BADTYPE)
    directory = _free_place(fs, caller, arguments.directory, arguments.name)
    before = directory.before()
    if arguments.type in (FileType.BLK, FileType.CHR) and caller.uid != 0:
        raise Refusal(NfsStatus.NFS3ERR_PERM)
    mode = 0o600 if arguments.attributes.mode is None else arguments.attributes.mode
    group = _group(directory, caller)
    made = fs.tree.make_node(arguments.type, arguments.device, mode, caller.uid, group, caller.now_ns)
    directory.put(arguments.name, made, caller.now_ns)
    _dress(fs, caller, made, arguments.attributes)
    return MadeResult(made.handle, made.attributes(), WccData(before, directory.attributes()))


def remove(fs: FileSystem, caller: Caller, arguments: NameArguments) -> WccResult:
    """REMOVE: the name goes, and with the last one the file, whoever reads or writes it at that moment."""
    fs.require_writable()
    directory = fs.directory(arguments.directory)
    before = directory.before()
    name, victim = _entry(fs, caller, directory, arguments.name)
    require_removable(directory, victim, caller)
    if isinstance(victim, Directory):
        raise Refusal(NfsStatus.NFS3ERR_ISDIR)
    directory.take(name, caller.now_ns)
    _unlinked(fs, caller, victim)
    return WccResult(WccData(before, directory.attributes()))


def rmdir(fs: FileSystem, caller: Caller, arguments: NameArguments) -> WccResult:
    """RMDIR."""
    fs.require_writable()
    directory = fs.directory(arguments.directory)
    before = directory.before()
    name, victim = _entry(fs, caller, directory, arguments.name)
    require_removable(directory, victim, caller)
    if not isinstance(victim, Directory):
        raise Refusal(NfsStatus.NFS3ERR_NOTDIR)
    if victim.entries:
        raise Refusal(NfsStatus.NFS3ERR_NOTEMPTY)
    directory.take(name, caller.now_ns)
    fs.release(victim)
    return WccResult(WccData(before, directory.attributes()))


def rename(fs: FileSystem, caller: Caller, arguments: RenameArguments) -> RenameResult:
    """RENAME: at no moment is either name missing or the target half there."""
    fs.require_writable()
    source_directory = fs.directory(arguments.from_directory)
    target_directory = fs.directory(arguments.to_directory)
    before, target_before = source_directory.before(), target_directory.before()
    name, moved = _entry(fs, caller, source_directory, arguments.from_name)
    check_new_name(fs, arguments.to_name)
    require_removable(source_directory, moved, caller)
    require(target_directory, caller, WRITE | EXECUTE)
    if isinstance(moved, Directory) and _is_below(target_directory, moved):
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    found = target_directory.find(arguments.to_name)
    if found is None or found[1] is not moved:
        if found is not None:
            _check_replaceable(caller, target_directory, moved, found[1])
        now_ns = caller.now_ns
        source_directory.take(name, now_ns)
        if found is not None:
            target_directory.take(found[0], now_ns)
            _unlinked(fs, caller, found[1])
        target_directory.put(arguments.to_name, moved, now_ns)
        moved.ctime_ns = now_ns
    return RenameResult(
        WccData(before, source_directory.attributes()), WccData(target_before, target_directory.attributes())
    )


def link(fs: FileSystem, caller: Caller, arguments: LinkArguments) -> LinkResult:
    """LINK."""
    fs.require_writable()
    inode = fs.tree.resolve(arguments.file)
    directory = _free_place(fs, caller, arguments.directory, arguments.name)
    before = directory.before()
    if isinstance(inode, Directory):
        raise Refusal(NfsStatus.NFS3ERR_ISDIR)
    if inode.nlink >= fs.options.link_max:
        raise Refusal(NfsStatus.NFS3ERR_MLINK)
    directory.put(arguments.name, inode, caller.now_ns)
    inode.nlink += 1
    inode.ctime_ns = caller.now_ns
    return LinkResult(inode.attributes(), WccData(before, directory.attributes()))


# -- names


def check_new_name(fs: FileSystem, name: bytes) -> None:
    """Refuses a name that no new entry can have."""
    if not name:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    if name in (b".", b".."):
        raise Refusal(NfsStatus.NFS3ERR_ISDIR)
    if len(name) > fs.options.name_max_bytes:
        raise Refusal(NfsStatus.NFS3ERR_NAMETOOLONG)
    if b"/" in name or b"\0" in name:
        raise Refusal(NfsStatus.NFS3ERR_NOENT)


def _free_place(fs: FileSystem, caller: Caller, handle: bytes, name: bytes) -> Directory:
    """The directory in which ``name`` may be made."""
    fs.require_writable()
    directory = fs.directory(handle)
    require(directory, caller, EXECUTE)
    check_new_name(fs, name)
    if directory.find(name) is not None:
        raise Refusal(NfsStatus.NFS3ERR_EXIST)
    require(directory, caller, WRITE | EXECUTE)
    return directory


def _entry(fs: FileSystem, caller: Caller, directory: Directory, name: bytes) -> tuple[bytes, Inode]:
    require(directory, caller, EXECUTE)
    check_new_name(fs, name)
    found = directory.find(name)
    if found is None:
        raise Refusal(NfsStatus.NFS3ERR_NOENT)
    return found


def _check_replaceable(caller: Caller, directory: Directory, moved: Inode, replaced: Inode) -> None:
    require_removable(directory, replaced, caller)
    if isinstance(moved, Directory):
        if not isinstance(replaced, Directory):
            raise Refusal(NfsStatus.NFS3ERR_NOTDIR)
        if replaced.entries:
            raise Refusal(NfsStatus.NFS3ERR_NOTEMPTY)
    elif isinstance(replaced, Directory):
        raise Refusal(NfsStatus.NFS3ERR_ISDIR)


def _is_below(directory: Directory, above: Directory) -> bool:
    while directory is not above:
        if directory.parent is directory:
            return False
        directory = directory.parent
    return True


def _unlinked(fs: FileSystem, caller: Caller, inode: Inode) -> None:
    """One name of ``inode`` is gone."""
    inode.nlink -= 2 if isinstance(inode, Directory) else 1
    if inode.nlink:
        inode.ctime_ns = caller.now_ns
    else:
        fs.release(inode)


def _group(directory: Directory, caller: Caller) -> int:
    """Of what is made in ``directory``."""
    return directory.gid if directory.mode & _SETGID else caller.gid


def _dress(fs: FileSystem, caller: Caller, made: Inode, new: SetAttributes) -> None:
    """Owner and times that the maker asked for; root may give anything away."""
    if caller.uid == 0:
        made.uid = made.uid if new.uid is None else new.uid
        made.gid = made.gid if new.gid is None else new.gid
    if new.atime_ns is not None and new.atime_ns != SERVER_TIME:
        made.atime_ns = new.atime_ns
    if new.mtime_ns is not None and new.mtime_ns != SERVER_TIME:
        made.mtime_ns = new.mtime_ns
