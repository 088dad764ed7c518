"""The procedures that change directories: CREATE, MKDIR, SYMLINK, MKNOD, REMOVE, RMDIR, RENAME, LINK. Each is one instant."""

from __future__ import annotations

from dataclasses import replace

from storcert.simulators.nfs.attributes import SetAttributes, Verifier, WccData
from storcert.simulators.nfs.filesystem import Caller, FileSystem
from storcert.simulators.nfs.permissions import EXECUTE, READ, WRITE, require, require_owner_or, require_removable
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
from storcert.simulators.nfs.tree import DIRECTORY_BYTES, Directory, File, Inode
from storcert.simulators.nfs.writing import resize, set_attributes

_SETGID = 0o2000
_GROUP_EXECUTE = 0o010
_SECOND_NS = 10**9
EXCLUSIVE_MODE = 0o600  # of nfs-ganesha, until the SETATTR that follows
DOTS = (b".", b"..")
NODES = (FileType.BLK, FileType.CHR, FileType.SOCK, FileType.FIFO)


def create(fs: FileSystem, caller: Caller, arguments: CreateArguments) -> MadeResult:
    """CREATE."""
    fs.require_writable(arguments.directory)
    directory = fs.directory(arguments.directory)
    before = directory.before()
    name, new = arguments.name, arguments.attributes
    exclusive = arguments.how is CreateMode.EXCLUSIVE
    if not name:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    if not exclusive and caller.uid != 0 and (new.uid not in (None, caller.uid) or new.gid not in (None, caller.gid)):
        raise Refusal(NfsStatus.NFS3ERR_PERM)
    if name in DOTS:
        raise Refusal(NfsStatus.NFS3ERR_ISDIR)
    found = find(fs, caller, directory, name)
    if found is not None:
        file = _taken(fs, caller, arguments, found[1])
        return MadeResult(file.handle, file.attributes(), WccData(before, directory.attributes()))
    require(directory, caller, WRITE | EXECUTE)
    group = _group(directory, caller)
    mode = EXCLUSIVE_MODE if exclusive or new.mode is None else new.mode
    if caller.uid != 0 and group != caller.gid and mode & _GROUP_EXECUTE:
        mode &= ~_SETGID
    file = fs.tree.make_file(mode, caller.uid, group, caller.now_ns)
    directory.put(name, file, caller.now_ns)
    if exclusive:
        file.atime_ns, file.mtime_ns = _times_of(arguments.verifier)
    else:
        if new.size_bytes:
            resize(fs, caller, file, new.size_bytes)
        set_attributes(fs, caller, file, replace(new, mode=None))
    return MadeResult(file.handle, file.attributes(), WccData(before, directory.attributes()))


def _taken(fs: FileSystem, caller: Caller, arguments: CreateArguments, found: Inode) -> File:
    """CREATE of a name that is there: the file it may mean all the same."""
    if arguments.how is CreateMode.EXCLUSIVE:
        if isinstance(found, File) and (found.atime_ns, found.mtime_ns) == _times_of(arguments.verifier):
            require_owner_or(found, caller, READ | WRITE)
            return found
        raise Refusal(NfsStatus.NFS3ERR_EXIST)
    if arguments.how is CreateMode.GUARDED:
        raise Refusal(NfsStatus.NFS3ERR_EXIST)
    if isinstance(found, Directory):
        raise Refusal(NfsStatus.NFS3ERR_ISDIR)
    if not isinstance(found, File):
        raise Refusal(NfsStatus.NFS3ERR_BADTYPE)
    require(found, caller, READ | WRITE)
    # Of a file that is there nothing is set; it may be cut to nothing, which is what O_TRUNC asks for.
    if arguments.attributes.size_bytes == 0:
        resize(fs, caller, found, 0)
    return found


def _times_of(verifier: Verifier) -> tuple[int, int]:
    """An exclusive CREATE keeps its verifier in the times of the file, which are in stable storage. [RFC 1813 3.3.8]"""
    return int.from_bytes(verifier[:4], "little") * _SECOND_NS, int.from_bytes(verifier[4:8], "little") * _SECOND_NS


def mkdir(fs: FileSystem, caller: Caller, arguments: MkdirArguments) -> MadeResult:
    """MKDIR."""
    fs.require_writable(arguments.directory)
    directory = fs.directory(arguments.directory)
    before = directory.before()
    _require_free(fs, caller, directory, arguments.name)
    if directory.nlink >= fs.options.link_max:
        raise Refusal(NfsStatus.NFS3ERR_MLINK)
    new, tree = arguments.attributes, fs.tree
    # mkdir(2) takes the sticky bit and the permissions; set-group-id comes from above.
    mode = ((new.mode or 0) & 0o1777) | (directory.mode & _SETGID)
    fs.require_space(tree.used_bytes + DIRECTORY_BYTES)
    made = tree.make_directory(mode, caller.uid, _group(directory, caller), caller.now_ns)
    directory.put(arguments.name, made, caller.now_ns)
    set_attributes(fs, caller, made, _as_maker(caller, new))
    return MadeResult(made.handle, made.attributes(), WccData(before, directory.attributes()))


def symlink(fs: FileSystem, caller: Caller, arguments: SymlinkArguments) -> MadeResult:
    """SYMLINK."""
    fs.require_writable(arguments.directory)
    directory = fs.directory(arguments.directory)
    before = directory.before()
    if not arguments.target:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    _require_free(fs, caller, directory, arguments.name)
    made = fs.tree.make_symlink(arguments.target, 0o777, caller.uid, _group(directory, caller), caller.now_ns)
    directory.put(arguments.name, made, caller.now_ns)
    set_attributes(fs, caller, made, _as_maker(caller, arguments.attributes))
    return MadeResult(made.handle, made.attributes(), WccData(before, directory.attributes()))


def mknod(fs: FileSystem, caller: Caller, arguments: MknodArguments) -> MadeResult:
    """MKNOD."""
    fs.require_writable(arguments.directory)
    directory = fs.directory(arguments.directory)
    before = directory.before()
    kind, name = arguments.type, arguments.name
    if not name:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    if kind not in NODES:
        raise Refusal(NfsStatus.NFS3ERR_BADTYPE)
    _require_free(fs, caller, directory, name)
    device_node = kind in (FileType.BLK, FileType.CHR)
    if device_node and caller.uid != 0:
        raise Refusal(NfsStatus.NFS3ERR_PERM)
    mode, group = arguments.attributes.mode or 0, _group(directory, caller)
    device = arguments.device if device_node else (0, 0)
    made = fs.tree.make_node(kind, device, mode, caller.uid, group, caller.now_ns)
    directory.put(name, made, caller.now_ns)
    set_attributes(fs, caller, made, _as_maker(caller, arguments.attributes))
    return MadeResult(made.handle, made.attributes(), WccData(before, directory.attributes()))


def remove(fs: FileSystem, caller: Caller, arguments: NameArguments) -> WccResult:
    """REMOVE: the name goes, and with the last one the file, whoever reads or writes it at that moment."""
    fs.require_writable(arguments.directory)
    directory = fs.directory(arguments.directory)
    before = directory.before()
    name, victim = _entry(fs, caller, directory, arguments.name)
    if isinstance(victim, Directory):
        raise Refusal(NfsStatus.NFS3ERR_ISDIR)
    require_removable(directory, victim, caller)
    directory.take(name, caller.now_ns)
    _unlinked(fs, caller, victim)
    return WccResult(WccData(before, directory.attributes()))


def rmdir(fs: FileSystem, caller: Caller, arguments: NameArguments) -> WccResult:
    """RMDIR."""
    fs.require_writable(arguments.directory)
    directory = fs.directory(arguments.directory)
    before = directory.before()
    name, victim = _entry(fs, caller, directory, arguments.name)
    if not isinstance(victim, Directory):
        raise Refusal(NfsStatus.NFS3ERR_NOTDIR)
    if name in DOTS:
        own = name == b"." and victim is not fs.tree.root
        raise Refusal(NfsStatus.NFS3ERR_INVAL if own else NfsStatus.NFS3ERR_NOTEMPTY)
    require_removable(directory, victim, caller)
    if victim.entries:
        raise Refusal(NfsStatus.NFS3ERR_NOTEMPTY)
    directory.take(name, caller.now_ns)
    fs.release(victim)
    return WccResult(WccData(before, directory.attributes()))


def rename(fs: FileSystem, caller: Caller, arguments: RenameArguments) -> RenameResult:
    """RENAME: at no moment is either name missing or the target half there."""
    fs.require_writable(arguments.from_directory)
    fs.tree.check(arguments.to_directory)
    fs.tree.resolve(arguments.from_directory)
    fs.tree.resolve(arguments.to_directory)
    if not arguments.from_name or not arguments.to_name:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    source, target = fs.directory(arguments.from_directory), fs.directory(arguments.to_directory)
    if arguments.from_name in DOTS or arguments.to_name in DOTS:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    before, target_before = source.before(), target.before()
    name, moved = _entry(fs, caller, source, arguments.from_name)
    if target is moved:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    found = target.find(arguments.to_name)
    # Onto another name of the same file there is nothing to do, so nobody asks who may.
    if found is None or found[1] is not moved:
        find(fs, caller, target, arguments.to_name)
        if isinstance(moved, Directory) and is_below(target, moved):
            raise Refusal(NfsStatus.NFS3ERR_INVAL)
        _check_rename(caller, source, target, moved, None if found is None else found[1])
        now_ns = caller.now_ns
        source.take(name, now_ns)
        if found is not None:
            target.take(found[0], now_ns)
            _unlinked(fs, caller, found[1])
        target.put(arguments.to_name, moved, now_ns)
        moved.ctime_ns = now_ns
    return RenameResult(WccData(before, source.attributes()), WccData(target_before, target.attributes()))


def _check_rename(caller: Caller, source: Directory, target: Directory, moved: Inode, replaced: Inode | None) -> None:
    """In the order of rename(2)."""
    if isinstance(replaced, Directory) and is_below(source, replaced):
        raise Refusal(NfsStatus.NFS3ERR_NOTEMPTY)
    require_removable(source, moved, caller)
    if replaced is None:
        require(target, caller, WRITE | EXECUTE)
    else:
        require_removable(target, replaced, caller)
        if isinstance(moved, Directory) and not isinstance(replaced, Directory):
            raise Refusal(NfsStatus.NFS3ERR_NOTDIR)
        if isinstance(replaced, Directory) and not isinstance(moved, Directory):
            raise Refusal(NfsStatus.NFS3ERR_ISDIR)
    if isinstance(moved, Directory) and source is not target:
        # Its own entry ".." changes.
        require(moved, caller, WRITE)
    if isinstance(replaced, Directory) and replaced.entries:
        raise Refusal(NfsStatus.NFS3ERR_NOTEMPTY)


def link(fs: FileSystem, caller: Caller, arguments: LinkArguments) -> LinkResult:
    """LINK."""
    fs.require_writable(arguments.file)
    fs.tree.resolve(arguments.directory)
    inode = fs.tree.resolve(arguments.file)
    directory = fs.directory(arguments.directory)
    before = directory.before()
    if not arguments.name:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    if isinstance(inode, Directory):
        raise Refusal(NfsStatus.NFS3ERR_BADTYPE)
    require(directory, caller, WRITE | EXECUTE)
    _require_free(fs, caller, directory, arguments.name)
    if inode.nlink >= fs.options.link_max:
        raise Refusal(NfsStatus.NFS3ERR_MLINK)
    directory.put(arguments.name, inode, caller.now_ns)
    inode.nlink += 1
    inode.ctime_ns = caller.now_ns
    return LinkResult(inode.attributes(), WccData(before, directory.attributes()))


# -- names


def find(fs: FileSystem, caller: Caller, directory: Directory, name: bytes) -> tuple[bytes, Inode] | None:
    """The entry that a name other than ``.`` and ``..`` means. Refuses a name that no entry can have."""
    require(directory, caller, EXECUTE)
    if len(name) > fs.options.name_max_bytes:
        raise Refusal(NfsStatus.NFS3ERR_NAMETOOLONG)
    if b"/" in name or b"\0" in name:
        raise Refusal(NfsStatus.NFS3ERR_NOENT)
    return directory.find(name)


def _require_free(fs: FileSystem, caller: Caller, directory: Directory, name: bytes) -> None:
    """``name`` may be made in ``directory``."""
    if not name:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    require(directory, caller, EXECUTE)
    if name in DOTS or find(fs, caller, directory, name) is not None:
        raise Refusal(NfsStatus.NFS3ERR_EXIST)
    require(directory, caller, WRITE | EXECUTE)


def _entry(fs: FileSystem, caller: Caller, directory: Directory, name: bytes) -> tuple[bytes, Inode]:
    if not name:
        raise Refusal(NfsStatus.NFS3ERR_INVAL)
    if name in DOTS:
        require(directory, caller, EXECUTE)
        return name, directory if name == b"." else directory.parent
    found = find(fs, caller, directory, name)
    if found is None:
        raise Refusal(NfsStatus.NFS3ERR_NOENT)
    return found


def is_below(directory: Directory, above: Directory) -> bool:
    """Whether ``directory`` is ``above`` or stands somewhere below it."""
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


def _as_maker(caller: Caller, new: SetAttributes) -> SetAttributes:
    """What is left to set on what was just made: owner and group only by root, who may give anything away."""
    uid, gid = (new.uid, new.gid) if caller.uid == 0 else (None, None)
    return replace(
        new, mode=None, uid=None if uid == caller.uid else uid, gid=None if gid == caller.gid else gid)
