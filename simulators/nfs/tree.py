"""The file system behind the export: inodes, their numbers and handles, directories. Who may do what stands elsewhere.

A number of a removed file is given to the next new one, lowest first, as ext4 does; the generation in the handle tells
them apart, which is what makes an old handle stale. [Linux fs/ext4/ialloc.c; measured: STALE at once after REMOVE]
"""

from __future__ import annotations

import heapq
from struct import Struct
from typing import ClassVar, Final, TypeAlias, TypeVar

from storcert.simulators.nfs.attributes import Attributes, Handle, WccAttributes, WccData
from storcert.simulators.nfs.content import BLOCK_BYTES, Content, size_of, used_by
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import FileType, NfsStatus

FSID: Final = 0x5C_0001
ROOT_FILEID: Final = 2  # as ext4 has it
_HANDLE = Struct(">4sIQ")
_FILEID_BITS = 40
_FILEID_MASK = (1 << _FILEID_BITS) - 1
_MAGIC = b"SCN3"
DIRECTORY_BYTES = BLOCK_BYTES
InodeT = TypeVar("InodeT", bound="Inode")
Rights: TypeAlias = tuple[int, int, int]


class Inode:
    """One object; its kind is its class. There may be millions: ``_number`` is file number and generation in one, ``_rights``
    mode, owner and group in a tuple that all with the same rights share."""

    __slots__ = ("_number", "_rights", "atime_ns", "ctime_ns", "mtime_ns", "nlink")
    type: ClassVar[FileType]

    def __init__(self, number: int, rights: Rights, now_ns: int) -> None:
        self._number = number
        self._rights = rights
        self.nlink = 1
        self.atime_ns = self.mtime_ns = self.ctime_ns = now_ns

    @property
    def fileid(self) -> int:
        """Its number, which others may have had before."""
        return self._number & _FILEID_MASK

    @property
    def mode(self) -> int:
        """Permission bits."""
        return self._rights[0]

    @property
    def uid(self) -> int:
        """The owner."""
        return self._rights[1]

    @property
    def gid(self) -> int:
        """The group."""
        return self._rights[2]

    @property
    def handle(self) -> Handle:
        """What a client names it by."""
        return _HANDLE.pack(_MAGIC, FSID, self._number)

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
        mode, uid, gid = self._rights
        return Attributes(
            self.type, mode, self.nlink, uid, gid, self.size_bytes, self.used_bytes, self.device, FSID,
            self._number & _FILEID_MASK, self.atime_ns, self.mtime_ns, self.ctime_ns,
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
    """All inodes, by number. A free number keeps what its next bearer will have: itself with the next
    generation."""

    __slots__ = ("_free", "_inodes", "_rights", "case_sensitive", "root", "used_bytes")

    def __init__(self, case_sensitive: bool, now_ns: int) -> None:
        self.case_sensitive = case_sensitive
        self._inodes: list[Inode | int] = [0] * ROOT_FILEID
        self._free: list[int] = []
        self._rights: dict[Rights, Rights] = {}
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
        _, fsid, number = _HANDLE.unpack(handle)
        fileid = number & _FILEID_MASK
        if fsid != FSID or fileid >= len(self._inodes):
            raise Refusal(NfsStatus.NFS3ERR_STALE)
        found: Inode | int = self._inodes[fileid]
        if isinstance(found, int) or found._number != number:
            raise Refusal(NfsStatus.NFS3ERR_STALE)
        return found

    def inode(self, fileid: int) -> Inode:
        """The object of that number, which must exist."""
        found = self._inodes[fileid]
        assert isinstance(found, Inode)
        return found

    def make_file(self, mode: int, uid: int, gid: int, now_ns: int) -> File:
        """An empty one, not yet in any directory."""
        made = File(self._number(), self._shared(mode, uid, gid), now_ns)
        made.content = b""
        return self._added(made)

    def make_directory(self, mode: int, uid: int, gid: int, now_ns: int) -> Directory:
        """An empty one, not yet in any directory."""
        made = Directory(self._number(), self._shared(mode, uid, gid), now_ns)
        made.entries, made.changes, made.nlink = {}, 0, 2
        made.folded = None if self.case_sensitive else {}
        self.used_bytes += DIRECTORY_BYTES
        return self._added(made)

    def make_symlink(self, target: bytes, mode: int, uid: int, gid: int, now_ns: int) -> Symlink:
        """Not yet in any directory."""
        made = Symlink(self._number(), self._shared(mode, uid, gid), now_ns)
        made.target = target
        return self._added(made)

    def make_node(self, kind: FileType, device: tuple[int, int], mode: int, uid: int, gid: int, now_ns: int) -> Node:
        """Not yet in any directory."""
        made = Node(self._number(), self._shared(mode, uid, gid), now_ns)
        made.kind, made._device = kind, device
        return self._added(made)

    def release(self, inode: Inode) -> None:
        """Its last name is gone: its handle is stale, its number and space are free."""
        self.used_bytes -= inode.used_bytes
        self._inodes[inode.fileid] = inode._number + (1 << _FILEID_BITS)
        heapq.heappush(self._free, inode.fileid)

    def set_rights(self, inode: Inode, mode: int | None = None, uid: int | None = None, gid: int | None = None) -> None:
        """Mode, owner and group; ``None`` leaves one alone."""
        inode._rights = self._shared(
            inode.mode if mode is None else mode, inode.uid if uid is None else uid, inode.gid if gid is None else gid)

    def _number(self) -> int:
        if self._free:
            number = self._inodes[heapq.heappop(self._free)]
            assert isinstance(number, int)
            return number
        self._inodes.append(0)
        return len(self._inodes) - 1

    def _added(self, inode: InodeT) -> InodeT:
        self._inodes[inode.fileid] = inode
        return inode

    def _shared(self, mode: int, uid: int, gid: int) -> Rights:
        """The same tuple for the same rights: there are few of them and many files."""
        rights = (mode & 0o7777, uid, gid)
        return self._rights.setdefault(rights, rights)


def fold(name: bytes) -> bytes:
    """What a server that does not tell case compares names as."""
    try:
        return name.decode().casefold().encode()
    except UnicodeDecodeError:
        return name.lower()


def readable(name: bytes) -> str:
    """A name as text for logs and the census; bytes that are no UTF-8 as escapes."""
    return name.decode("utf-8", "backslashreplace")
