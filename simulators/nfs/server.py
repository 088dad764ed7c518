"""The NFS server: one call in, one reply out, at one instant. Dispatch, refusals, the duplicate request cache.

Nothing of the wire and nothing of a client is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from random import Random
from typing import Any, TypeAlias

from storcert.simulators.device import NotModelled
from storcert.simulators.nfs import listing, naming, reading, writing
from storcert.simulators.nfs.attributes import Attributes, Handle, WccData
from storcert.simulators.nfs.duplicate_requests import REMEMBERED, DuplicateRequests
from storcert.simulators.nfs.filesystem import Caller, FileSystem
from storcert.simulators.nfs.options import NfsOptions
from storcert.simulators.nfs.permissions import squashed
from storcert.simulators.nfs.protocol import (
    ARGUMENTS,
    AccessResult,
    AttributesResult,
    CommitResult,
    FsinfoResult,
    FsstatResult,
    LinkResult,
    LookupResult,
    MadeResult,
    NfsStatus,
    PathconfResult,
    Procedure,
    ReaddirResult,
    ReadlinkResult,
    ReadResult,
    RenameResult,
    Reply,
    WccResult,
    WriteResult,
)
from storcert.simulators.nfs.refusal import Refusal

Operation: TypeAlias = Callable[[FileSystem, Caller, Any], Any]

OPERATIONS: Mapping[Procedure, Operation] = {
    Procedure.GETATTR: reading.getattr_, Procedure.SETATTR: writing.setattr_, Procedure.LOOKUP: reading.lookup,
    Procedure.ACCESS: reading.access, Procedure.READLINK: reading.readlink, Procedure.READ: reading.read_,
    Procedure.WRITE: writing.write, Procedure.CREATE: naming.create, Procedure.MKDIR: naming.mkdir,
    Procedure.SYMLINK: naming.symlink, Procedure.MKNOD: naming.mknod, Procedure.REMOVE: naming.remove,
    Procedure.RMDIR: naming.rmdir, Procedure.RENAME: naming.rename, Procedure.LINK: naming.link,
    Procedure.READDIR: listing.readdir, Procedure.READDIRPLUS: listing.readdirplus, Procedure.FSSTAT: reading.fsstat,
    Procedure.FSINFO: reading.fsinfo, Procedure.PATHCONF: reading.pathconf, Procedure.COMMIT: writing.commit,
}  # fmt: skip


class Server:
    """The export behind its front door."""

    def __init__(self, options: NfsOptions, stream: Random, now_ns: int) -> None:
        self.fs = FileSystem(options, stream, now_ns)
        self._remembered = DuplicateRequests() if options.duplicate_request_cache else None

    @property
    def root(self) -> Handle:
        """The handle that MOUNT gives."""
        return self.fs.tree.root.handle

    def handle(
        self, procedure: Procedure, arguments: Any, *, uid: int, gid: int, now_ns: int, xid: int = 0,
        connection: Hashable = None,
    ) -> Reply:
        """Do it, now. Without a connection nothing is remembered."""
        if procedure is Procedure.NULL:
            return Reply(NfsStatus.NFS3_OK)
        if type(arguments) is not ARGUMENTS[procedure]:
            raise NotModelled(f"{procedure} with {type(arguments).__name__}")
        remembered = self._remembered if connection is not None and procedure in REMEMBERED else None
        if remembered is not None:
            reply = remembered.find(connection, xid, procedure, arguments)
            if reply is not None:
                return reply
        fs = self.fs
        try:
            asked = squashed(arguments) if fs.root_squash and uid == 0 else arguments
            reply = Reply(NfsStatus.NFS3_OK, OPERATIONS[procedure](fs, fs.caller(uid, gid, now_ns), asked))
        except Refusal as refusal:
            reply = self.refuse(procedure, arguments, refusal.status)
        if remembered is not None:
            remembered.remember(connection, xid, procedure, arguments, reply)
        return reply

    def refuse(self, procedure: Procedure, arguments: Any, status: NfsStatus) -> Reply:
        """A status that is an error, with the attributes that such an answer carries. Never remembered."""
        return Reply(status, _FAILED[procedure](self, arguments))

    def restart(self, now_ns: int) -> None:
        """The server dies and comes back without its memory."""
        self.fs.restart(now_ns)
        if self._remembered is not None:
            self._remembered.forget()

    def attributes_of(self, handle: Handle) -> Attributes | None:
        """For an answer that failed: ``None`` where the handle itself is the trouble."""
        try:
            return self.fs.tree.resolve(handle).attributes()
        except Refusal:
            return None

    def wcc_of(self, handle: Handle) -> WccData:
        """For an answer that failed and changed nothing."""
        try:
            return self.fs.tree.resolve(handle).unchanged()
        except Refusal:
            return WccData()


_FAILED: Mapping[Procedure, Callable[[Server, Any], Any]] = {
    Procedure.GETATTR: lambda server, call: AttributesResult(),
    Procedure.SETATTR: lambda server, call: WccResult(server.wcc_of(call.object)),
    Procedure.LOOKUP: lambda server, call: LookupResult(directory_attributes=server.attributes_of(call.directory)),
    Procedure.ACCESS: lambda server, call: AccessResult(server.attributes_of(call.object)),
    Procedure.READLINK: lambda server, call: ReadlinkResult(server.attributes_of(call.object)),
    Procedure.READ: lambda server, call: ReadResult(server.attributes_of(call.file)),
    Procedure.WRITE: lambda server, call: WriteResult(server.wcc_of(call.file)),
    Procedure.CREATE: lambda server, call: MadeResult(directory=server.wcc_of(call.directory)),
    Procedure.MKDIR: lambda server, call: MadeResult(directory=server.wcc_of(call.directory)),
    Procedure.SYMLINK: lambda server, call: MadeResult(directory=server.wcc_of(call.directory)),
    Procedure.MKNOD: lambda server, call: MadeResult(directory=server.wcc_of(call.directory)),
    Procedure.REMOVE: lambda server, call: WccResult(server.wcc_of(call.directory)),
    Procedure.RMDIR: lambda server, call: WccResult(server.wcc_of(call.directory)),
    Procedure.RENAME: lambda server, call: RenameResult(server.wcc_of(call.from_directory), server.wcc_of(call.to_directory)),
    Procedure.LINK: lambda server, call: LinkResult(server.attributes_of(call.file), server.wcc_of(call.directory)),
    Procedure.READDIR: lambda server, call: ReaddirResult(server.attributes_of(call.directory)),
    Procedure.READDIRPLUS: lambda server, call: ReaddirResult(server.attributes_of(call.directory)),
    Procedure.FSSTAT: lambda server, call: FsstatResult(server.attributes_of(call.object)),
    Procedure.FSINFO: lambda server, call: FsinfoResult(server.attributes_of(call.object)),
    Procedure.PATHCONF: lambda server, call: PathconfResult(server.attributes_of(call.object)),
    Procedure.COMMIT: lambda server, call: CommitResult(server.wcc_of(call.file)),
}
