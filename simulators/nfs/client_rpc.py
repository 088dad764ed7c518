"""Remote procedure calls of one mount: transmission, retransmission, giving up, and what a status means as an ``errno``.

As the Linux client does over TCP [net/sunrpc/clnt.c, xprt.c; nfs(5)]: a request that is not answered within ``timeo`` is sent
again with the same XID over the same connection; each wait is longer by ``timeo``. A connection that breaks is made anew, at
once the first time and then after 3, 6, 12 seconds, and the request is sent again over it: with the same XID, but to a
server whose duplicate request cache may be keyed by connection. A refused connection is tried again every 3 seconds. After
``timeo * (retrans + 1)`` a ``soft`` mount fails the call with ``EIO``, a ``softerr`` mount with ``ETIMEDOUT``; what was sent
may still be done later. A ``hard`` mount goes on for ever.

JUKEBOX is waited out, five seconds at a time, each time as a new request. One liberty is taken: Linux does so for ever, on a
soft mount too; here a soft mount gives up as after a timeout, because no driver could be judged under a server that never
says anything else.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from storcert.simulators.network.errors import ConnectRefused, ReadTimeout, WireError
from storcert.simulators.nfs.protocol import NfsStatus, Procedure, Reply

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.simulators.nfs.export import NfsExport

SECOND_NS = 10**9
RECONNECT_NS = 3 * SECOND_NS
JUKEBOX_NS = 5 * SECOND_NS

# Linux lets its internal numbers through where there is no errno for a status [fs/nfs_common/nfs_common.c].
_EBADHANDLE, _ENOTSYNC, _EBADCOOKIE, _ENOTSUPP, _ETOOSMALL, _EBADTYPE = 521, 522, 523, 524, 525, 527
_ERRNO: dict[NfsStatus, int] = {
    NfsStatus.NFS3ERR_PERM: errno.EPERM,
    NfsStatus.NFS3ERR_NOENT: errno.ENOENT,
    NfsStatus.NFS3ERR_IO: errno.EIO,
    NfsStatus.NFS3ERR_NXIO: errno.ENXIO,
    NfsStatus.NFS3ERR_ACCES: errno.EACCES,
    NfsStatus.NFS3ERR_EXIST: errno.EEXIST,
    NfsStatus.NFS3ERR_XDEV: errno.EXDEV,
    NfsStatus.NFS3ERR_NODEV: errno.ENODEV,
    NfsStatus.NFS3ERR_NOTDIR: errno.ENOTDIR,
    NfsStatus.NFS3ERR_ISDIR: errno.EISDIR,
    NfsStatus.NFS3ERR_INVAL: errno.EINVAL,
    NfsStatus.NFS3ERR_FBIG: errno.EFBIG,
    NfsStatus.NFS3ERR_NOSPC: errno.ENOSPC,
    NfsStatus.NFS3ERR_ROFS: errno.EROFS,
    NfsStatus.NFS3ERR_MLINK: errno.EMLINK,
    NfsStatus.NFS3ERR_NAMETOOLONG: errno.ENAMETOOLONG,
    NfsStatus.NFS3ERR_NOTEMPTY: errno.ENOTEMPTY,
    NfsStatus.NFS3ERR_DQUOT: errno.EDQUOT,
    NfsStatus.NFS3ERR_STALE: errno.ESTALE,
    NfsStatus.NFS3ERR_REMOTE: errno.EREMOTE,
    NfsStatus.NFS3ERR_BADHANDLE: _EBADHANDLE,
    NfsStatus.NFS3ERR_NOT_SYNC: _ENOTSYNC,
    NfsStatus.NFS3ERR_BAD_COOKIE: _EBADCOOKIE,
    NfsStatus.NFS3ERR_NOTSUPP: _ENOTSUPP,
    NfsStatus.NFS3ERR_TOOSMALL: _ETOOSMALL,
    NfsStatus.NFS3ERR_SERVERFAULT: errno.EREMOTEIO,
    NfsStatus.NFS3ERR_BADTYPE: _EBADTYPE,
}


def failure(code: int) -> OSError:
    """``OSError`` without a path: the caller knows it."""
    return OSError(code, os.strerror(code))


def errno_of(status: NfsStatus) -> int:
    """The error number of a status that is not OK."""
    return _ERRNO.get(status, errno.EIO)


class Rpc:
    """The connection of one mount in one life of its location."""

    __slots__ = (
        "_connection", "_export", "_gid", "_kernel", "_location", "_major_ns", "_patience_ns", "_timeo_ns", "_uid", "_xid",
        "life", "owners",
    )  # fmt: skip

    def __init__(self, export: NfsExport, location: Location) -> None:
        options = export.options
        self._export = export
        self.owners = export.silly_owners
        self.life = (location, location.epoch)
        self._location = location
        self._kernel = location.kernel
        self._timeo_ns = options.timeo_ns
        self._major_ns = options.timeo_ns * (options.retrans + 1)
        self._patience_ns = None if options.flavour == "hard" else self._major_ns
        self._uid = options.clients_uid
        self._gid = options.clients_gid
        self._connection = 0
        self._xid = location.stream("nfs/xid").getrandbits(31)

    def do(self, procedure: Procedure, arguments: Any) -> Any:
        """One call: its result, or ``OSError`` for a status that is not OK."""
        reply = self.ask(procedure, arguments)
        if reply.status is not NfsStatus.NFS3_OK:
            raise failure(errno_of(reply.status))
        return reply.result

    def ask(self, procedure: Procedure, arguments: Any) -> Reply:
        """One call: the answer, whatever its status. ``OSError`` where none comes and the mount is a soft one."""
        now_ns = self._kernel.now_ns
        deadline_ns = None if self._patience_ns is None else now_ns + self._patience_ns
        while True:
            reply = self._transmit(procedure, arguments, deadline_ns)
            if reply.status is not NfsStatus.NFS3ERR_JUKEBOX:
                return reply
            self._pause(JUKEBOX_NS, deadline_ns)

    def _transmit(self, procedure: Procedure, arguments: Any, deadline_ns: int | None) -> Reply:
        """The same request, with one XID, until it is answered."""
        self._xid = xid = (self._xid + 1) & 0xFFFFFFFF
        wait_ns, pause_ns = self._timeo_ns, 0
        while True:
            connection = self._connection
            if deadline_ns is not None:
                wait_ns = max(1, min(wait_ns, deadline_ns - self._kernel.now_ns))
            try:
                return self._export.call(
                    self._location, procedure, arguments, xid=xid, uid=self._uid, gid=self._gid, connection=connection,
                    read_timeout_ns=wait_ns,
                )
            except ReadTimeout:
                wait_ns = min(wait_ns + self._timeo_ns, self._major_ns)
                self._pause(0, deadline_ns)
            except ConnectRefused:
                self._pause(RECONNECT_NS, deadline_ns)
                pause_ns = max(pause_ns, RECONNECT_NS)
            except WireError:
                if connection == self._connection:
                    self._connection += 1
                self._pause(pause_ns, deadline_ns)
                pause_ns = max(RECONNECT_NS, 2 * pause_ns)

    def _pause(self, duration_ns: int, deadline_ns: int | None) -> None:
        """Wait, or give up where the patience of a soft mount ends before."""
        kernel = self._kernel
        if deadline_ns is not None and kernel.now_ns + duration_ns >= deadline_ns:
            if kernel.now_ns < deadline_ns:
                kernel.sleep_ns(deadline_ns - kernel.now_ns)
            raise failure(errno.ETIMEDOUT if self._export.options.flavour == "softerr" else errno.EIO)
        if duration_ns:
            kernel.sleep_ns(duration_ns)
