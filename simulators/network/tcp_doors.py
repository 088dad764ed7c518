"""How code at a simulated location comes by a connection: the function with which urllib3 makes one, replaced there.

Registered with the fence as the group ``tcp``; outside a location every name keeps its meaning. Everything above it is the
real library: pools, retries, redirects and timeouts of urllib3, and with it of requests. What listens stands in the location's
service ``tcp.listeners``: by ``host:port``, a function that opens a connection and gives what behaves as its socket. Where
nobody of that name listens, the real function is called, and the fence meets what it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from storcert.harness.kernel.context import current_location
from storcert.harness.kernel.interpose.install import Interposition, register

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

LISTENERS_SERVICE = "tcp.listeners"


class Connected(Protocol):
    """What a listener gives: as much of a socket as ``http.client`` and urllib3 use."""

    def has_something_to_read(self) -> bool:
        """Whether a read would not block: bytes are here, or the other side has closed."""
        ...


Listener = Callable[[float | None], Connected]
"""Opens a connection from the running task, waiting so many seconds at most; raises ``OSError`` as ``connect`` does."""


def listen(location: Location, host: str, port: int, listener: Listener) -> None:
    """From now on a connection that code at ``location`` opens to ``host`` and ``port`` is made by ``listener``."""
    location.services.setdefault(LISTENERS_SERVICE, {})[f"{host.lower()}:{port}"] = listener


def _listener_of(address: Any) -> Any:
    location = current_location()
    if location is None or not isinstance(address, tuple) or len(address) < 2:
        return None
    host, port = str(address[0]).strip("[]").lower().rstrip("."), address[1]
    listeners = location.services.get(LISTENERS_SERVICE, {})
    while host:
        if f"{host}:{port}" in listeners:
            return listeners[f"{host}:{port}"]
        host = host.partition(".")[2]  # whoever serves a name serves those below it: buckets in front of a host
    return None


def _dispatching_create_connection(original: Any) -> Any:
    def create_connection(address: Any, timeout: Any = None, *args: Any, **kwargs: Any) -> Any:
        listener = _listener_of(address)
        if listener is None:
            return original(address, timeout, *args, **kwargs)
        # urllib3's own mark for "not said" is no number: nothing is said of the socket either, so it waits for ever.
        return listener(float(timeout) if isinstance(timeout, (int, float)) else None)

    return create_connection


def _dispatching_wait_for_read(original: Any) -> Any:
    def wait_for_read(sock: Any, timeout: float | None = None) -> bool:
        ready = getattr(sock, "has_something_to_read", None)
        return bool(original(sock, timeout) if ready is None else ready())

    return wait_for_read


def install(interposition: Interposition) -> None:
    """The group: applied by the fence."""
    import urllib3.connection
    import urllib3.util.connection

    interposition.replace(urllib3.util.connection, "create_connection", _dispatching_create_connection)
    interposition.replace(urllib3.connection, "wait_for_read", _dispatching_wait_for_read)


register("tcp", install)
