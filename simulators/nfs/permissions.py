"""Who may do what: owner, group, others, root, and the owner's right to his open file. Nothing else is asked about here.

The owner of a file may always read and write it, because a client checks rights at open only and the mode may have been
changed since. [RFC 1813 4.4]
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from storcert.simulators.nfs.arguments import SetattrArguments
from storcert.simulators.nfs.attributes import SetAttributes
from storcert.simulators.nfs.filesystem import NOBODY, Caller
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import Access, FileType, NfsStatus
from storcert.simulators.nfs.tree import Directory, Inode

READ, WRITE, EXECUTE = 4, 2, 1
CHANGING = Access.MODIFY | Access.EXTEND | Access.DELETE
_STICKY = 0o1000


def allowed(inode: Inode, caller: Caller, wanted: int) -> bool:
    """Whether the mode grants ``caller`` all bits of ``wanted``."""
    if caller.uid == 0:
        return not wanted & EXECUTE or inode.type is FileType.DIR or bool(inode.mode & 0o111)
    shift = 6 if caller.uid == inode.uid else 3 if caller.gid == inode.gid else 0
    return not wanted & ~(inode.mode >> shift)


def require(inode: Inode, caller: Caller, wanted: int) -> None:
    """ACCES unless the mode grants it."""
    if not allowed(inode, caller, wanted):
        raise Refusal(NfsStatus.NFS3ERR_ACCES)


def require_owner_or(inode: Inode, caller: Caller, wanted: int) -> None:
    """ACCES unless the mode grants it or the caller owns it."""
    if caller.uid != inode.uid:
        require(inode, caller, wanted)


def require_removable(directory: Directory, victim: Inode, caller: Caller) -> None:
    """Whether an entry may go: write permission on the directory, and in a sticky one ownership."""
    require(directory, caller, WRITE | EXECUTE)
    if directory.mode & _STICKY and caller.uid not in (0, directory.uid, victim.uid):
        raise Refusal(NfsStatus.NFS3ERR_PERM)


def squashed(arguments: Any) -> Any:
    """What a squashed root asks for: where it would make itself the owner, nobody becomes it."""
    name = "new" if isinstance(arguments, SetattrArguments) else "attributes"
    new: SetAttributes | None = getattr(arguments, name, None)
    if new is None or (new.uid != 0 and new.gid != 0):
        return arguments
    uid, gid = (NOBODY if value == 0 else value for value in (new.uid, new.gid))
    return replace(arguments, **{name: replace(new, uid=uid, gid=gid)})


def access_bits(inode: Inode, caller: Caller, asked: int) -> Access:
    """What ACCESS answers: those of the bits ``asked`` about that are allowed."""
    granted = Access(0)
    directory = isinstance(inode, Directory)
    if allowed(inode, caller, READ):
        granted |= Access.READ
    if allowed(inode, caller, WRITE):
        granted |= Access.MODIFY | Access.EXTEND | (Access.DELETE if directory else Access(0))
    if allowed(inode, caller, EXECUTE):
        granted |= Access.LOOKUP if directory else Access.EXECUTE
    return granted & Access(asked & 0x3F)
