"""A raw client of NFS version 3: one TCP connection, one call at a time, no cache, no retry.

It takes and gives the values of ``storcert.simulators.nfs.protocol``, so that a server and the simulator are asked alike.
"""

from __future__ import annotations

import itertools
import os
import socket
from typing import Any

from storcert.conformance.live_targets.rpc_records import NFS_PROGRAM, marked, receive_record
from storcert.conformance.live_targets.xdr import Packer, Unpacker
from storcert.simulators.nfs.protocol import (
    PROCEDURES,
    RESULTS,
    SERVER_TIME,
    VERIFIER_BYTES,
    AccessArguments,
    AccessResult,
    Attributes,
    AttributesResult,
    CommitArguments,
    CommitResult,
    CreateArguments,
    CreateMode,
    DirectoryEntry,
    FileType,
    FsinfoResult,
    FsstatResult,
    Handle,
    LinkArguments,
    LinkResult,
    LookupResult,
    MadeResult,
    MkdirArguments,
    MknodArguments,
    NameArguments,
    NfsStatus,
    ObjectArguments,
    PathconfResult,
    Procedure,
    ReadArguments,
    ReaddirArguments,
    ReaddirResult,
    ReadlinkResult,
    ReadResult,
    RenameArguments,
    RenameResult,
    Reply,
    SetattrArguments,
    SetAttributes,
    Stable,
    SymlinkArguments,
    WccAttributes,
    WccData,
    WccResult,
    WriteArguments,
    WriteResult,
)

MOUNT_PROGRAM = 100005
_AUTH_NONE, _AUTH_SYS = 0, 1
_SECOND_NS = 10**9
# A server may remember the calls of an earlier process from the same address.
_xids = itertools.count(int.from_bytes(os.urandom(3), "big") << 4)


class RpcError(Exception):
    """The server answered that it would not even look at the call."""


class Connection:
    """One TCP connection to one program."""

    def __init__(self, port: int, program: int = NFS_PROGRAM, timeout_s: float = 3.0) -> None:
        self._program = program
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """End it."""
        self._socket.close()

    @staticmethod
    def new_xid() -> int:
        """One that no call of this process had."""
        return next(_xids)

    def send(self, number: int, body: bytes, *, uid: int = 0, gid: int = 0, xid: int | None = None) -> int:
        """Send one call and do not wait; gives its XID."""
        xid = next(_xids) if xid is None else xid
        credentials = Packer().u32(0).opaque(b"storcert").u32(uid, gid, 0).done()
        call = Packer().u32(xid, 0, 2, self._program, 3, number, _AUTH_SYS).opaque(credentials).u32(_AUTH_NONE, 0).done() + body
        self._socket.sendall(marked(call))
        return xid

    def receive(self, xid: int) -> Unpacker:
        """The answer to ``xid``, after its RPC header; answers to other calls are dropped."""
        while True:
            answer = Unpacker(receive_record(self._socket))
            found, _, refused = answer.u32(), answer.u32(), answer.u32()
            if found != xid:
                continue
            if refused:
                raise RpcError(f"the call was denied: {answer.u32()}")
            answer.u32()
            answer.opaque()
            accepted = answer.u32()
            if accepted:
                raise RpcError(f"accept_stat {accepted}")
            return answer

    def call(self, procedure: Procedure, arguments: Any = None, *, uid: int = 0, gid: int = 0, xid: int | None = None) -> Reply:
        """One NFS call and its answer."""
        number = PROCEDURES.index(procedure)
        answer = self.receive(self.send(number, encode(procedure, arguments), uid=uid, gid=gid, xid=xid))
        return decode(procedure, answer)


def mount(port: int, path: str) -> Handle:
    """The root handle of an export, from the mount program. ``OSError`` with its status where it refuses."""
    connection = Connection(port, MOUNT_PROGRAM)
    try:
        answer = connection.receive(connection.send(1, Packer().opaque(path.encode()).done()))
        status = answer.u32()
        if status:
            raise OSError(status, "the mount was refused")
        return answer.opaque()
    finally:
        connection.close()


# -- calls


def encode(procedure: Procedure, a: Any) -> bytes:
    """The arguments of one call."""
    put = Packer()
    if isinstance(a, ObjectArguments):
        put.opaque(a.object)
    elif isinstance(a, NameArguments):
        put.opaque(a.directory).opaque(a.name)
    elif isinstance(a, AccessArguments):
        put.opaque(a.object).u32(a.access)
    elif isinstance(a, SetattrArguments):
        _settings(put.opaque(a.object), a.new).maybe(a.guard_ctime_ns, lambda time_ns: put.u32(*divmod(time_ns, _SECOND_NS)))
    elif isinstance(a, ReadArguments):
        put.opaque(a.file).u64(a.offset).u32(a.count)
    elif isinstance(a, WriteArguments):
        put.opaque(a.file).u64(a.offset).u32(len(a.data), a.stable).opaque(a.data)
    elif isinstance(a, CommitArguments):
        put.opaque(a.file).u64(a.offset).u32(a.count)
    elif isinstance(a, CreateArguments):
        put.opaque(a.directory).opaque(a.name).u32(a.how)
        _ = put.fixed(a.verifier) if a.how is CreateMode.EXCLUSIVE else _settings(put, a.attributes)
    elif isinstance(a, MkdirArguments):
        _settings(put.opaque(a.directory).opaque(a.name), a.attributes)
    elif isinstance(a, SymlinkArguments):
        _settings(put.opaque(a.directory).opaque(a.name), a.attributes).opaque(a.target)
    elif isinstance(a, MknodArguments):
        put.opaque(a.directory).opaque(a.name).u32(a.type)
        if a.type in (FileType.BLK, FileType.CHR):
            _settings(put, a.attributes).u32(*a.device)
        elif a.type in (FileType.SOCK, FileType.FIFO):
            _settings(put, a.attributes)
    elif isinstance(a, RenameArguments):
        put.opaque(a.from_directory).opaque(a.from_name).opaque(a.to_directory).opaque(a.to_name)
    elif isinstance(a, LinkArguments):
        put.opaque(a.file).opaque(a.directory).opaque(a.name)
    elif isinstance(a, ReaddirArguments):
        put.opaque(a.directory).u64(a.cookie).fixed(a.cookie_verifier).u32(a.count)
        if procedure is Procedure.READDIRPLUS:
            put.u32(a.count)
    return put.done()


def _settings(put: Packer, new: SetAttributes) -> Packer:
    for value in (new.mode, new.uid, new.gid):
        put.maybe(value, put.u32)
    put.maybe(new.size_bytes, put.u64)
    for time_ns in (new.atime_ns, new.mtime_ns):
        put.u32(0 if time_ns is None else 1 if time_ns == SERVER_TIME else 2)
        if time_ns is not None and time_ns != SERVER_TIME:
            put.u32(*divmod(time_ns, _SECOND_NS))
    return put


# -- answers


def decode(procedure: Procedure, take: Unpacker) -> Reply:
    """One answer."""
    if procedure is Procedure.NULL:
        return Reply(NfsStatus.NFS3_OK)
    status = NfsStatus(take.u32())
    good = status is NfsStatus.NFS3_OK
    made = RESULTS[procedure]
    assert made is not None
    return Reply(status, _DECODERS[made](take, good, procedure))


def _attributes(take: Unpacker) -> Attributes:
    kind, mode, nlink, uid, gid = (take.u32() for _ in range(5))
    size, used = take.u64(), take.u64()
    device = (take.u32(), take.u32())
    fsid, fileid = take.u64(), take.u64()
    return Attributes(
        FileType(kind), mode, nlink, uid, gid, size, used, device, fsid, fileid, _time(take), _time(take), _time(take))


def _time(take: Unpacker) -> int:
    seconds = take.u32()
    return seconds * _SECOND_NS + take.u32()


def _after(take: Unpacker) -> Attributes | None:
    return take.maybe(lambda: _attributes(take))


def _wcc(take: Unpacker) -> WccData:
    before = take.maybe(lambda: WccAttributes(take.u64(), _time(take), _time(take)))
    return WccData(before, _after(take))


def _made(take: Unpacker, good: bool) -> MadeResult:
    if not good:
        return MadeResult(directory=_wcc(take))
    return MadeResult(take.maybe(take.opaque), _after(take), _wcc(take))


def _lookup(take: Unpacker, good: bool) -> LookupResult:
    return LookupResult(take.opaque(), _after(take), _after(take)) if good else LookupResult(directory_attributes=_after(take))


def _read(take: Unpacker, good: bool) -> ReadResult:
    attributes = _after(take)
    if not good:
        return ReadResult(attributes)
    take.u32()
    eof = bool(take.u32())
    return ReadResult(attributes, take.opaque(), eof)


def _write(take: Unpacker, good: bool) -> WriteResult:
    wcc = _wcc(take)
    return WriteResult(wcc, take.u32(), Stable(take.u32()), take.fixed(VERIFIER_BYTES)) if good else WriteResult(wcc)


def _listed(take: Unpacker, good: bool, plus: bool) -> ReaddirResult:
    attributes = _after(take)
    if not good:
        return ReaddirResult(attributes)
    verifier = take.fixed(VERIFIER_BYTES)
    entries: list[DirectoryEntry] = []
    while take.u32():
        fileid, name, cookie = take.u64(), take.opaque(), take.u64()
        more = (_after(take), take.maybe(take.opaque)) if plus else (None, None)
        entries.append(DirectoryEntry(fileid, name, cookie, *more))
    return ReaddirResult(attributes, verifier, tuple(entries), bool(take.u32()))


def _fsinfo(take: Unpacker, good: bool) -> FsinfoResult:
    attributes = _after(take)
    if not good:
        return FsinfoResult(attributes)
    read_max, read_best, _, write_max, write_best, _, readdir_best = (take.u32() for _ in range(7))
    return FsinfoResult(attributes, read_max, read_best, write_max, write_best, readdir_best, take.u64(), _time(take))


_DECODERS: dict[type, Any] = {
    AttributesResult: lambda take, good, _: AttributesResult(_attributes(take) if good else None),
    WccResult: lambda take, good, _: WccResult(_wcc(take)),
    LookupResult: lambda take, good, _: _lookup(take, good),
    AccessResult: lambda take, good, _: AccessResult(_after(take), take.u32() if good else 0),
    ReadlinkResult: lambda take, good, _: ReadlinkResult(_after(take), take.opaque() if good else None),
    ReadResult: lambda take, good, _: _read(take, good),
    WriteResult: lambda take, good, _: _write(take, good),
    CommitResult: lambda take, good, _: CommitResult(_wcc(take), take.fixed(VERIFIER_BYTES) if good else b""),
    MadeResult: lambda take, good, _: _made(take, good),
    RenameResult: lambda take, good, _: RenameResult(_wcc(take), _wcc(take)),
    LinkResult: lambda take, good, _: LinkResult(_after(take), _wcc(take)),
    ReaddirResult: lambda take, good, procedure: _listed(take, good, procedure is Procedure.READDIRPLUS),
    FsstatResult: lambda take, good, _: FsstatResult(_after(take), *((take.u64() for _ in range(6)) if good else ())),
    FsinfoResult: lambda take, good, _: _fsinfo(take, good),
    PathconfResult: lambda take, good, _: PathconfResult(
        _after(take), *((take.u32(), take.u32(), *(bool(take.u32()) for _ in range(4))) if good else ())),
}
