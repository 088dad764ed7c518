"""ONC RPC over TCP as a proxy sees it: whole records, which NFS call a record is, and an answer in the server's place.

[RFC 5531, 8 and 11; RFC 1813, 3.3] No sockets are opened here and no faults are known.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from storcert.conformance.live_targets.xdr import Packer, Unpacker
from storcert.simulators.nfs.status import PROCEDURES, NfsStatus, Procedure

NFS_PROGRAM = 100003
_LAST = 0x8000_0000
_NAMED = frozenset((
    Procedure.LOOKUP, Procedure.CREATE, Procedure.MKDIR, Procedure.SYMLINK, Procedure.MKNOD, Procedure.REMOVE, Procedure.RMDIR,
    Procedure.RENAME,
))  # fmt: skip
#: How many optional attributes, all of them absent, follow the status of an answer that is an error; 1 where not said.
_ABSENT: Mapping[Procedure, int] = {
    Procedure.GETATTR: 0, Procedure.SETATTR: 2, Procedure.WRITE: 2, Procedure.CREATE: 2, Procedure.MKDIR: 2,
    Procedure.SYMLINK: 2, Procedure.MKNOD: 2, Procedure.REMOVE: 2, Procedure.RMDIR: 2, Procedure.RENAME: 4, Procedure.LINK: 3,
    Procedure.COMMIT: 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RpcCall:
    """``procedure``: of NFS version 3; ``target``: the name it is about, where it carries one; ``sent_bytes``: of file data."""

    xid: int
    procedure: Procedure
    target: str
    sent_bytes: int


def receive_record(connection: socket.socket) -> bytes:
    """The next record, without its marks. Raises ``ConnectionResetError`` where the peer is gone, and other ``OSError``."""
    whole = b""
    while True:
        (mark,) = struct.unpack(">I", _exactly(connection, 4))
        whole += _exactly(connection, mark & ~_LAST)
        if mark & _LAST:
            return whole


def marked(record: bytes) -> bytes:
    """The record as it goes over a connection."""
    return struct.pack(">I", _LAST | len(record)) + record


def _exactly(connection: socket.socket, size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        data = connection.recv(min(size, 1 << 20))
        if not data:
            raise ConnectionResetError("the peer closed the connection")
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)


def call_of(record: bytes) -> RpcCall | None:
    """Which call of NFS this is; ``None`` for one of another program. Raises ``EOFError`` for what is none at all."""
    take = Unpacker(record)
    xid, _, _, program, _, number = (take.u32() for _ in range(6))
    if program != NFS_PROGRAM or number >= len(PROCEDURES):
        return None
    for _ in ("credentials", "verifier"):
        take.u32()
        take.opaque()
    procedure, name, sent_bytes = PROCEDURES[number], b"", 0
    if procedure is Procedure.LINK:
        take.opaque()
    if procedure in _NAMED or procedure is Procedure.LINK:
        take.opaque()
        name = take.opaque()
    if procedure is Procedure.WRITE:
        take.opaque()
        take.u64()
        sent_bytes = take.u32()
    return RpcCall(xid, procedure, name.decode(errors="backslashreplace"), sent_bytes)


def status_of(answer: bytes) -> NfsStatus | None:
    """The status that an answer carries; ``None`` where the server would not even look at the call."""
    take = Unpacker(answer)
    _, _, denied = take.u32(), take.u32(), take.u32()
    if denied:
        return None
    take.u32()
    take.opaque()
    return None if take.u32() else NfsStatus(take.u32())


def refusal(call: RpcCall, status: NfsStatus) -> bytes:
    """The answer to ``call`` that carries ``status`` and nothing else."""
    accepted = Packer().u32(call.xid, 1, 0, 0).opaque(b"").u32(0)
    return accepted.u32(status, *([0] * _ABSENT.get(call.procedure, 1))).done()
