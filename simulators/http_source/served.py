"""Web servers that run at a location of the world, as an agent's: a request comes in pieces, and so does the answer.

Between two locations HTTP goes in messages of the network: they share its ports, wait at its partitions, and stand in its
ledger on both sides. One piece is on its way in each direction at a time; whoever reads it says so, so nobody is overrun.
What answers is ordinary code of the location. It dies with it, and a client learns that as TCP tells it: by a reset once the
machine is up again, by silence before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from storcert.harness.record.web_request import Asked, ClientGone, Reply
from storcert.simulators.network.topology import network_of

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.simulators.network.messages import Mailbox, Sending

PORT = "http"
PIECE_BYTES = 256 * 1024
HEAD_BYTES = 300
PATIENCE_NS = 60 * 10**9
"""How long a server waits for the next piece of a body, or for a client to read one."""
LOOK_NS = 100_000_000
NAME = "transfer"
"""What the ledger calls the object: URLs hold secrets."""

Answer = Callable[[Asked], Reply]


def listen(location: Location, answer: Answer) -> None:
    """Serve at that location, until it dies: ``answer`` is called in a task of its own for each request."""
    messages = network_of(location.kernel).messages

    def hear(letter: Sending) -> None:
        if letter.payload["sort"] == "open":
            client = location.kernel.locations[letter.source]
            served = _Served(location, client, letter.payload)
            location.kernel.spawn(lambda: served.run(answer), location=location, name=f"http {served.port}")

    messages.listen(location, PORT, hear)


class _Served:
    """One request at the server's side."""

    def __init__(self, here: Location, client: Location, opened: dict[str, Any]) -> None:
        self.port = opened["port"]
        self._here, self._client, self._epoch = here, client, client.epoch
        self._asked = opened
        self._messages = network_of(here.kernel).messages
        self._mailbox: Mailbox = self._messages.mailbox(here, self.port)
        self._left = b""
        self._ended = not opened["body"]

    def run(self, answer: Answer) -> None:
        asked = self._asked
        reply = answer(Asked(asked["method"], asked["path"], asked["headers"], self))
        headers = dict(reply.headers)
        if reply.status != 204:
            headers["content-length"] = str(reply.size_bytes)
        self._send({"sort": "head", "status": reply.status, "headers": list(headers.items())}, HEAD_BYTES)
        try:
            if asked["method"] != "HEAD":
                for piece in _pieces(reply.body):
                    self._send({"sort": "data", "data": piece}, len(piece))
                    self._hear("ack")
            self._send({"sort": "end"}, 0)
        except ClientGone:
            pass
        except Exception:  # noqa: BLE001  (whatever it was, the client must see a broken connection, not an end)
            self._send({"sort": "closed"}, 0)
        finally:
            self._messages.drop_mailbox(self._here, self.port)

    def read(self, n: int) -> bytes:
        """As a body is read."""
        if not self._left and not self._ended:
            letter = self._hear("data")
            self._left, self._ended = letter["data"], letter["last"]
            self._send({"sort": "ack"}, 0)
        found, self._left = self._left[:n], self._left[n:]
        return found

    def _hear(self, sort: str) -> dict[str, Any]:
        kernel = self._here.kernel
        deadline_ns = kernel.now_ns + PATIENCE_NS
        while kernel.now_ns < deadline_ns and self._client.epoch == self._epoch:
            letter = self._mailbox.receive(LOOK_NS)
            if letter is None:
                continue
            if letter.payload["sort"] == sort:
                found: dict[str, Any] = letter.payload
                return found
            if letter.payload["sort"] == "gone":
                break
            # A piece of a body that was answered before its end: nobody reads it any more.
        raise ClientGone("the client went away")

    def _send(self, payload: dict[str, Any], size_bytes: int) -> None:
        objects = ((NAME, size_bytes),) if payload["sort"] == "data" else ()
        self._messages.send(self._here, self._client, payload, size_bytes, objects=objects, port=self.port)


def _pieces(body: Any) -> Iterator[bytes]:
    for chunk in body:
        for start in range(0, len(chunk), PIECE_BYTES):
            yield chunk[start : start + PIECE_BYTES]
