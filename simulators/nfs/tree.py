"""The file system behind the export: inodes, their numbers and handles, directories. Who may do what stands elsewhere.

A number of a removed file is given to the next new one, lowest first, as ext4 does; the generation in the handle tells
them apart, which is what makes an old handle stale. [Linux fs/ext4/ialloc.c; measured: STALE at once after REMOVE]
"""

from __future__ import annotations

import heapq
from struct import Struct
from typing import ClassVar, Final, TypeVar

from storcert.simulators.nfs.attributes import Attributes, Handle, WccAttributes, WccData
from storcert.simulators.nfs.content import BLOCK_BYTES, Content, size_of, used_by
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import FileType, NfsStatus

FSID: Final = 0x5C_0001
ROOT_FILEID: Final = 2  # as ext4 has it
_HANDLE = Struct(">4sIQI")
_MAGIC = b"SCN3"
DIRECTORY_BYTES = BLOCK_BYTES
InodeT = TypeVar("InodeT", bound="Inode")


class Inode:
    """One object. Its kind is its class; ``generation`` tells it from others that had its number."""

    __slots__ = ("atime_ns", "ctime_ns", "fileid", "generation", "gid", "mode", "mtime_ns", "nlink", "uid")
    type: ClassVar[FileType]

    def __init__(self, fileid: int, generation: int, mode: int, uid: int, gid: int, now_ns: int) -> None:
        self.fileid = fileid
        self.generation = generation
        self.mode = mode
        self.nlink = 1
        self.uid = uid
        self.gid = gid
        self.atime_ns = self.mtime_ns = self.ctime_ns = now_ns

    @property
    def handle(self) -> Handle:
        """What a client names it by."""
        return _HANDLE.pack(_MAGIC, FSID, self.fileid, self.generation)

    @property
    def size_bytes(self) -> int:
        """As GETATTR gives it."""
        return 0

    @property
    def used_bytes(self) -> int:
        """Space on the device."""
        return 0

    @property
    def device(self) -> tuple[int, int]:
        """Major and minor number, of a device node."""
        return (0, 0)

    def attributes(self) -> Attributes:
        """All of them, now."""
        return Attributes(
            self.type, self.mode, self.nlink, self.uid, self.gid, self.size_bytes, self.used_bytes, self.device, FSID,
            self.fileid, self.atime_ns, self.mtime_ns, self.ctime_ns,
        )

    def before(self) -> WccAttributes:
        """What wcc data remembers of the moment before a change."""
        return WccAttributes(self.size_bytes, self.mtime_ns, self.ctime_ns)

    def unchanged(self) -> WccData:
        """Wcc data of an operation that changed nothing."""
        return WccData(self.before(), self.attributes())


class File(Inode):
    """A regular file."""

    __slots__ = ("content",)
    type = FileType.REG
    content: Content

    @property
    def size_bytes(self) -> int:
        return size_of(self.content)

    @property
    def used_bytes(self) -> int:
        return used_by(self.content)


class Directory(Inode):
    """A directory: ``entries`` by name; ``name`` is its own, below ``parent`` (the root is its own parent).

    ``folded``: names by what they are compared as, where the server does not tell case; else ``None``.
    """

    __slots__ = ("changes", "entries", "folded", "name", "parent")
    type = FileType.DIR
    entries: dict[bytes, Inode]
    folded: dict[bytes, bytes] | None
    name: bytes
    parent: Directory
    changes: int

    @property
    def size_bytes(self) -> int:
        return DIRECTORY_BYTES

    @property
    def used_bytes(self) -> int:
        return DIRECTORY_BYTES

    def find(self, name: bytes) -> tuple[bytes, Inode] | None:
        """The entry that ``name`` means, and how it is spelled."""
        if self.folded is not None:
            name = self.folded.get(fold(name), name)
        found = self.entries.get(name)
        return None if found is None else (name, found)

    def put(self, name: bytes, inode: Inode, now_ns: int) -> None:
        """``name``, which is free or about to be replaced, is ``inode`` from now on."""
        self.entries[name] = inode
        if self.folded is not None:
            self.folded[fold(name)] = name
        if isinstance(inode, Directory):
            inode.name, inode.parent = name, self
            self.nlink += 1
        self._changed(now_ns)

    def take(self, name: bytes, now_ns: int) -> None:
        """``name`` is no entry any more."""
        inode = self.entries.pop(name)
        if self.folded is not None:
            del self.folded[fold(name)]
        if isinstance(inode, Directory):
            self.nlink -= 1
        self._changed(now_ns)

    def _changed(self, now_ns: int) -> None:
        self.changes += 1
        self.mtime_ns = self.ctime_ns = now_ns

    def path(self) -> str:
        """Where it is, from the root, readable; ``""`` for the root."""
        if self.parent is self:
            return ""
        above = self.parent.path()
        own = readable(self.name)
        return f"{above}/{own}" if above else own


class Symlink(Inode):
    """A symbolic link."""

    __slots__ = ("target",)
    type = FileType.LNK
    target: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.target)


class Node(Inode):
    """A FIFO, a socket, or a device node."""

    __slots__ = ("_device", "kind")
    kind: FileType
    _device: tuple[int, int]

    @property
    def type(self) -> FileType:  # type: ignore[override]
        """Of the instance, unlike everywhere else."""
        return self.kind

    @property
    def device(self) -> tuple[int, int]:
        return self._device


class Tree:
    """All inodes, by number. A free number keeps the generation its next bearer will have."""

    __slots__ = ("_free", "_inodes", "_modes", "case_sensitive", "root", "used_bytes")

    def __init__(self, case_sensitive: bool, now_ns: int) -> None:
        self.case_sensitive = case_sensitive
        self._inodes: list[Inode | int] = [0] * ROOT_FILEID
        self._free: list[int] = []
        self._modes: dict[int, int] = {}
        self.used_bytes = 0
        self.root = self.make_directory(0o777, 0, 0, now_ns)
        self.root.name, self.root.parent = b"", self.root

    def __len__(self) -> int:
        return len(self._inodes) - ROOT_FILEID - len(self._free)

    def check(self, handle: Handle) -> None:
        """Refuses with BADHANDLE what no server here ever gave out."""
        if len(handle) != _HANDLE.size or not handle.startswith(_MAGIC):
            raise Refusal(NfsStatus.NFS3ERR_BADHANDLE)

    def resolve(self, handle: Handle) -> Inode:
        """The object of a handle. Refuses with BADHANDLE what is none, with STALE what is no more."""
        self.check(handle)
        _, fsid, fileid, generation = _HANDLE.unpack(handle)
        if fsid != FSID or fileid >= len(self._inodes):
            raise Refusal(NfsStatus.NFS3ERR_STALE)
        found: Inode | int = self._inodes[fileid]
        if isinstance(found, int) or found.generation != generation:
            raise Refusal(NfsStatus.NFS3ERR_STALE)
        return found

    def inode(self, fileid: int) -> Inode:
        """The object of that number, which must exist."""
        found = self._inodes[fileid]
        assert isinstance(found, Inode)
        return found

    def make_file(self, mode: int, uid: int, gid: int, now_ns: int) -> File:
        """An empty one, not yet in any directory."""
        made = File(*self._number(), self._shared(mode), uid, gid, now_ns)
        made.content = b""
        return self._added(made)

    def make_directory(self, mode: int, uid: int, gid: int, now_ns: int) -> Directory:
        """An empty one, not yet in any directory."""
        made = Directory(*self._number(), self._shared(mode), uid, gid, now_ns)
        made.entries, made.changes, made.nlink = {}, 0, 2
        made.folded = None if self.case_sensitive else {}
        self.used_bytes += DIRECTORY_BYTES
        return self._added(made)

    def make_symlink(self, target: bytes, mode: int, uid: int, gid: int, now_ns: int) -> Symlink:
        """Not yet in any directory."""
        made = Symlink(*self._number(), self._shared(mode), uid, gid, now_ns)
        made.target = target
        return self._added(made)

    def make_node(self, kind: FileType, device: tuple[int, int], mode: int, uid: int, gid: int, now_ns: int) -> Node:
        """Not yet in any directory."""
        made = Node(*self._number(), self._shared(mode), uid, gid, now_ns)
        made.kind, made._device = kind, device
        return self._added(made)

    def release(self, inode: Inode) -> None:
        """Its last name is gone: its handle is stale, its number and space are free."""
        self.used_bytes -= inode.used_bytes
        self._inodes[inode.fileid] = inode.generation + 1
        heapq.heappush(self._free, inode.fileid)

    def set_mode(self, inode: Inode, mode: int) -> None:
        """Permission bits."""
        inode.mode = self._shared(mode)

    def _number(self) -> tuple[int, int]:
        if self._free:
            fileid = heapq.heappop(self._free)
            generation = self._inodes[fileid]
            assert isinstance(generation, int)
            return fileid, generation
        self._inodes.append(0)
        return len(self._inodes) - 1, 0

    def _added(self, inode: InodeT) -> InodeT:
        self._inodes[inode.fileid] = inode
        return inode

    def _shared(self, mode: int) -> int:
        """The same number object for the same mode: there are few modes and many files."""
        return self._modes.setdefault(mode & 0o7777, mode & 0o7777)


def fold(name: bytes) -> bytes:
    """What a server that does not tell case compares names as."""
    try:
        return name.decode().casefold().encode()
    except UnicodeDecodeError:
        return name.lower()


def readable(name: bytes) -> str:
    """A name as text for logs and the census; bytes that are no UTF-8 as escapes."""
    return name.decode("utf-8", "backslashreplace")
