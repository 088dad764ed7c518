"""What a client can learn from a broken wire. Faces turn these into the exceptions of the library they wear."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storcert.simulators.device import Request


class WireError(Exception):
    """The exchange did not end with an answer. Whether the request had its effect, a client cannot tell from the class.

    ``request``: which one it was, for the device's own client; ``None`` where it was answered and the body did not come."""

    request: Request | None = None


class ConnectRefused(WireError):
    """No connection: the server is down or nothing listens there. The request had no effect."""


class ConnectTimeout(WireError):
    """No answer to the attempt to connect. The request had no effect."""


class ConnectionReset(WireError):
    """The connection broke before the whole answer arrived."""


class ConnectionCut(WireError):
    """The connection ended in the middle of the answer's body."""


class ReadTimeout(WireError):
    """No answer within the client's patience."""
