"""The body of a GET as it comes over the wire: botocore's own StreamingBody on urllib3's own response on a simulated socket.

So a short body, a reset or a timeout turns into exactly the exception botocore makes of it.
"""

from __future__ import annotations

import errno
import http.client
from collections.abc import Mapping
from typing import Any

from storcert.simulators.network.errors import ConnectionReset, ReadTimeout
from storcert.simulators.network.wire import Delivery
from storcert.simulators.object_store.content import Content


class SocketFile:
    """What urllib3 reads from: behaves as ``http.client.HTTPResponse`` with a Content-Length does."""

    def __init__(self, content: Content, delivery: Delivery) -> None:
        self._content = content
        self._delivery = delivery
        self._at = 0
        self.closed = False

    def read(self, amt: int | None = None) -> bytes:
        """Up to ``amt`` bytes, fewer only at the end; everything if ``None``, which must then be complete."""
        if self.closed:
            return b""
        size = self._content.size_bytes
        wanted = size - self._at if amt is None else min(amt, size - self._at)
        if wanted <= 0:
            if amt != 0:
                self.closed = True
            return b""
        try:
            here = self._delivery.receive(self._at + wanted)
        except ConnectionReset:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer") from None
        except ReadTimeout:
            raise TimeoutError("timed out") from None
        data = self._content.read(self._at, min(wanted, here - self._at)) if here > self._at else b""
        self._at += len(data)
        if len(data) < wanted and amt is None:
            self.closed = True
            raise http.client.IncompleteRead(data, wanted - len(data))
        if self._at == size or not data:
            self.closed = True
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """As :meth:`read`, into ``buffer``."""
        view = memoryview(buffer)
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def isclosed(self) -> bool:
        """For http.client's callers."""
        return self.closed

    def readable(self) -> bool:
        """It can be read."""
        return True

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """No more of it is wanted; what was under way is dropped."""
        self.closed = True


def streaming_body(content: Content, delivery: Delivery, headers: Mapping[str, str]) -> Any:
    """The ``Body`` of GetObject."""
    from botocore.response import StreamingBody
    from urllib3 import HTTPResponse

    source: Any = SocketFile(content, delivery)
    raw = HTTPResponse(
        body=source, headers={"content-length": headers["content-length"]}, status=200, preload_content=False,
        decode_content=False, enforce_content_length=False, request_method="GET",
    )
    return StreamingBody(raw, headers["content-length"])  # type: ignore[arg-type]
