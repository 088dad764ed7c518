"""One call of NFS over a connection that may break: made anew, and the same request sent again, as a kernel's client does.

The request keeps its XID [nfs(5), net/sunrpc/clnt.c]: a server that remembers it answers and does nothing, one that does not
does it once more. That is what users of a mount get, so ``EEXIST`` and ``ENOENT`` may tell of an effect of one's own. It is a
soft mount with little patience: connections that break again and again, a server that refuses them or is silent for long,
are ``EIO``, whatever was done meanwhile.
"""

from __future__ import annotations

import errno
import os
import time
from typing import Any

from storcert.conformance.live_targets.onc_rpc import Connection, RpcError
from storcert.simulators.nfs.protocol import Procedure, Reply

SILENCE_S = 30.0
REFUSED_S, REFUSED_PAUSE_S = 15.0, 0.02
BROKEN_PAUSES_S = (0.0, 0.05, 0.1, 0.2)
"""Before each time that a request is sent again; the kernel waits 0, 3, 6... seconds. A call is given up after these."""


class NfsRpc:
    """One mount's connection to the server at this port of loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: Connection | None = None

    def ask(self, procedure: Procedure, arguments: Any) -> Reply:
        """One call: the answer, whatever its status. ``OSError`` (``EIO``) where none comes."""
        xid, broken = Connection.new_xid(), 0
        ends_s = time.monotonic() + REFUSED_S
        while True:
            try:
                return self._connected().call(procedure, arguments, uid=os.geteuid(), gid=os.getegid(), xid=xid)
            except ConnectionRefusedError as error:
                if time.monotonic() >= ends_s:
                    raise _failed() from error
                time.sleep(REFUSED_PAUSE_S)
            except OSError as error:
                self._drop()
                if isinstance(error, TimeoutError) or broken >= len(BROKEN_PAUSES_S):
                    raise _failed() from error
                time.sleep(BROKEN_PAUSES_S[broken])
                broken += 1
            except RpcError as error:
                raise _failed() from error

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self._port, timeout_s=SILENCE_S)
        return self._connection

    def _drop(self) -> None:
        lost, self._connection = self._connection, None
        if lost is not None:
            lost.close()


def _failed() -> OSError:
    return OSError(errno.EIO, os.strerror(errno.EIO))
