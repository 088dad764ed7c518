"""The numbers of NFS version 3 (RFC 1813): statuses, file types, and the words of single calls. Names and numbers only."""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum


class NfsStatus(IntEnum):
    """``nfsstat3`` [RFC 1813 2.6]. ``name`` is what stands in logs."""

    NFS3_OK = 0
    NFS3ERR_PERM = 1
    NFS3ERR_NOENT = 2
    NFS3ERR_IO = 5
    NFS3ERR_NXIO = 6
    NFS3ERR_ACCES = 13
    NFS3ERR_EXIST = 17
    NFS3ERR_XDEV = 18
    NFS3ERR_NODEV = 19
    NFS3ERR_NOTDIR = 20
    NFS3ERR_ISDIR = 21
    NFS3ERR_INVAL = 22
    NFS3ERR_FBIG = 27
    NFS3ERR_NOSPC = 28
    NFS3ERR_ROFS = 30
    NFS3ERR_MLINK = 31
    NFS3ERR_NAMETOOLONG = 63
    NFS3ERR_NOTEMPTY = 66
    NFS3ERR_DQUOT = 69
    NFS3ERR_STALE = 70
    NFS3ERR_REMOTE = 71
    NFS3ERR_BADHANDLE = 10001
    NFS3ERR_NOT_SYNC = 10002
    NFS3ERR_BAD_COOKIE = 10003
    NFS3ERR_NOTSUPP = 10004
    NFS3ERR_TOOSMALL = 10005
    NFS3ERR_SERVERFAULT = 10006
    NFS3ERR_BADTYPE = 10007
    NFS3ERR_JUKEBOX = 10008


class Procedure(StrEnum):
    """The procedures of the protocol; the value is the operation's name in the request log and in faults."""

    NULL = "NULL"
    GETATTR = "GETATTR"
    SETATTR = "SETATTR"
    LOOKUP = "LOOKUP"
    ACCESS = "ACCESS"
    READLINK = "READLINK"
    READ = "READ"
    WRITE = "WRITE"
    CREATE = "CREATE"
    MKDIR = "MKDIR"
    SYMLINK = "SYMLINK"
    MKNOD = "MKNOD"
    REMOVE = "REMOVE"
    RMDIR = "RMDIR"
    RENAME = "RENAME"
    LINK = "LINK"
    READDIR = "READDIR"
    READDIRPLUS = "READDIRPLUS"
    FSSTAT = "FSSTAT"
    FSINFO = "FSINFO"
    PATHCONF = "PATHCONF"
    COMMIT = "COMMIT"


class FileType(IntEnum):
    """``ftype3``."""

    REG = 1
    DIR = 2
    BLK = 3
    CHR = 4
    LNK = 5
    SOCK = 6
    FIFO = 7


class Stable(IntEnum):
    """``stable_how``: how safe a WRITE must be, and in the answer how safe it is (never less than asked)."""

    UNSTABLE = 0
    DATA_SYNC = 1
    FILE_SYNC = 2


class CreateMode(IntEnum):
    """``createmode3``. UNCHECKED: an existing file is fine. GUARDED: it is ``NFS3ERR_EXIST``. EXCLUSIVE: it is, too, unless it
    was made with the same verifier: a repeated request succeeds."""

    UNCHECKED = 0
    GUARDED = 1
    EXCLUSIVE = 2


class Access(IntFlag):
    """The bits of ACCESS."""

    READ = 0x01
    LOOKUP = 0x02
    MODIFY = 0x04
    EXTEND = 0x08
    DELETE = 0x10
    EXECUTE = 0x20


PROCEDURES: tuple[Procedure, ...] = tuple(Procedure)
"""By number: ``PROCEDURES[1]`` is GETATTR."""
