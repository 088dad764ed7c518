"""What the server remembers of requests it has answered, so that a repeated one is answered and not done again.

Best effort, as everywhere: only of procedures that may not be repeated, only the last ones of each connection, lost at a
restart. A request counts as repeated when connection, XID and arguments are the same; the same XID with another body is a
new request, and so is any request on a new connection. [RFC 1813 4.5; measured on nfs-ganesha 4.3]
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any
from zlib import crc32

from storcert.simulators.nfs.protocol import Procedure, Reply, WriteArguments

REMEMBERED: frozenset[Procedure] = frozenset(
    (
        Procedure.SETATTR, Procedure.WRITE, Procedure.CREATE, Procedure.MKDIR, Procedure.SYMLINK, Procedure.MKNOD,
        Procedure.REMOVE, Procedure.RMDIR, Procedure.RENAME, Procedure.LINK,
    )
)  # fmt: skip
ANSWERS_MAX = 1024
CONNECTIONS_MAX = 64
_SEEN_BYTES = 256


class DuplicateRequests:
    """Answers by connection and XID, the oldest forgotten first."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, dict[int, tuple[Procedure, Any, Reply]]] = {}

    def find(self, connection: Hashable, xid: int, procedure: Procedure, arguments: Any) -> Reply | None:
        """The answer this very request got before."""
        answers = self._answers.get(connection)
        found = answers.get(xid) if answers is not None else None
        if found is None or found[0] is not procedure or found[1] != _body(arguments):
            return None
        return found[2]

    def remember(self, connection: Hashable, xid: int, procedure: Procedure, arguments: Any, reply: Reply) -> None:
        """This request was answered so."""
        answers = self._answers.get(connection)
        if answers is None:
            if len(self._answers) >= CONNECTIONS_MAX:
                del self._answers[next(iter(self._answers))]
            answers = self._answers[connection] = {}
        answers.pop(xid, None)
        if len(answers) >= ANSWERS_MAX:
            del answers[next(iter(answers))]
        answers[xid] = (procedure, _body(arguments), reply)

    def forget(self) -> None:
        """The server restarted."""
        self._answers.clear()


def _body(arguments: Any) -> Any:
    """What is compared: the arguments, of a long WRITE its beginning, so that no data are kept."""
    if isinstance(arguments, WriteArguments):
        return (arguments.file, arguments.offset, len(arguments.data), crc32(arguments.data[:_SEEN_BYTES]))
    return arguments
