"""A door on loopback that can be closed and opened again: where a proxy takes connections. Bytes are no affair of it.

While it is closed clients are refused, as by a machine whose service is down, and nobody else can have its port. A connection
that is taken has a thread of its own.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

_LOOPBACK = "127.0.0.1"


def reset(connection: socket.socket) -> None:
    """End a connection as a crashed machine does: the peer gets a reset, whatever was under way."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass  # it is gone already
    connection.close()


class Door:
    """``serve`` has a connection for itself, in a thread, and ends it."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._lock = threading.Lock()
        self._inside: set[socket.socket] = set()
        self._holder = socket.socket()
        # Bound, never listening: while the listener is away, nobody else can have the port, and clients are refused.
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind((_LOOPBACK, 0))
        self.port: int = self._holder.getsockname()[1]
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Connections are taken. May be repeated."""
        with self._lock:
            if self._listener is not None:
                return
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_LOOPBACK, self.port))
            listener.listen(64)
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self) -> None:
        """Connections are refused, and those that are there are reset. May be repeated."""
        with self._lock:
            listener, self._listener = self._listener, None
            connections, self._inside = self._inside, set()
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
            listener.close()
        for connection in connections:
            reset(connection)

    def close(self) -> None:
        """It is shut for ever, and the port is free. May be repeated."""
        self.shut()
        self._holder.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if self._listener is not listener:
                    reset(connection)
                    return
                self._inside.add(connection)
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):  # it was shut meanwhile: whoever serves it sees that
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(connection)
        finally:
            with self._lock:
                self._inside.discard(connection)
