"""A simulated export with one client that speaks the protocol: what every test here stands on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from storcert.harness.kernel.loop import Kernel
from storcert.simulators.nfs import NfsExport
from storcert.simulators.nfs.protocol import (
    ARGUMENTS,
    CreateArguments,
    Handle,
    MkdirArguments,
    NameArguments,
    NfsStatus,
    Procedure,
    ReadArguments,
    Reply,
    Stable,
    WriteArguments,
)


class NfsWorld:
    """``fs`` answers at once, without wire and time; :meth:`run` lets code at a location call over the wire."""

    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.kernel = Kernel(seed)
        self.export = NfsExport(self.kernel, options)
        self.server = self.export.server
        self.root = self.export.root
        self.now_ns = self.kernel.now_ns
        self._xids = itertools.count(1)

    def do(self, name: str, *arguments: Any, uid: int = 0, gid: int = 0, xid: int = 0, connection: object = None) -> Reply:
        """One call, now; every call is a nanosecond later than the one before."""
        self.now_ns += 1
        procedure = Procedure(name)
        made = ARGUMENTS[procedure]
        return self.server.handle(
            procedure, None if made is None else made(*arguments), uid=uid, gid=gid, now_ns=self.now_ns, xid=xid,
            connection=connection,
        )

    def status(self, name: str, *arguments: Any, **who: Any) -> str:
        """The status of one call without its prefix."""
        return self.do(name, *arguments, **who).status.name.removeprefix("NFS3ERR_").removeprefix("NFS3_")

    def file(
        self, name: bytes, data: bytes = b"", directory: Handle | None = None, *, stable: Stable = Stable.FILE_SYNC,
    ) -> Handle:
        """A new file with contents."""
        handle: Handle = self.ok(CreateArguments(directory or self.root, name), Procedure.CREATE).result.handle
        if data:
            self.ok(WriteArguments(handle, 0, data, stable), Procedure.WRITE)
        return handle

    def folder(self, name: bytes, directory: Handle | None = None) -> Handle:
        """A new directory."""
        handle: Handle = self.ok(MkdirArguments(directory or self.root, name), Procedure.MKDIR).result.handle
        return handle

    def contents(self, handle: Handle) -> bytes:
        """All bytes of a file."""
        data: bytes = self.ok(ReadArguments(handle, 0, 1 << 20), Procedure.READ).result.data
        return data

    def there(self, name: bytes, directory: Handle | None = None) -> bool:
        """Whether the name is an entry."""
        reply = self.server.handle(
            Procedure.LOOKUP, NameArguments(directory or self.root, name), uid=0, gid=0, now_ns=self.now_ns)
        return reply.status is NfsStatus.NFS3_OK

    def ok(self, arguments: Any, procedure: Procedure) -> Reply:
        """A call that must succeed."""
        self.now_ns += 1
        reply = self.server.handle(procedure, arguments, uid=0, gid=0, now_ns=self.now_ns)
        assert reply.status is NfsStatus.NFS3_OK, (procedure, arguments, reply.status)
        return reply

    def run(self, body: Callable[[Callable[..., Reply]], Any], location: str = "host") -> Any:
        """``body`` at a location, given a function that calls over the wire; its value, or its exception raised."""
        place = self.kernel.location(location)

        def call(name: str, *arguments: Any, xid: int | None = None, **more: Any) -> Reply:
            procedure = Procedure(name)
            made = ARGUMENTS[procedure]
            number = next(self._xids) if xid is None else xid
            return self.export.call(place, procedure, None if made is None else made(*arguments), xid=number, **more)

        task = self.kernel.spawn(lambda: body(call), location=place, name="body")
        self.kernel.run_until_done(task, limit_ns=10**15)
        assert task.done or task.crashed
        if task.done and task.error is not None:
            raise task.error
        return task.result if task.done else None
