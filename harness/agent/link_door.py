"""A door behind which an object is read: GET and HEAD, a range where the device reads ranges, as often as somebody asks.

The object does not change while the door is open: whoever opened it sees to that. A read that fails in the middle breaks the
connection; it never ends a body early in good form (C-READ).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from storcert.harness.agent.doors import said
from storcert.harness.agent.transfer import CHUNK_BYTES, TooLate
from storcert.harness.contract import InputStream, ObjectNotFound, StorageError
from storcert.harness.record.web_request import Asked, Reply

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class LinkDoor:
    """``open_input``: given an offset and a length (``None``: to the end), a stream; ``ranges``: whether it may be asked for
    less than all; ``tag``: names these bytes, for a client that goes on where it stopped."""

    def __init__(
        self, link: int, expires_ns: int, clock_ns: Callable[[], int], size_bytes: int, tag: str, ranges: bool,
        open_input: Callable[[int, int | None], InputStream],
    ) -> None:
        self._link = link
        self._expires_ns = expires_ns
        self._clock_ns = clock_ns
        self._size_bytes = size_bytes
        self._tag = f'"{tag}"'
        self._ranges = ranges
        self._open_input = open_input

    @property
    def link(self) -> int:
        """Its number in the catalogue."""
        return self._link

    @property
    def expires_ns(self) -> int:
        """From then on nothing passes, by the agent's clock."""
        return self._expires_ns

    def answer(self, asked: Asked) -> Reply:
        """One request of a client."""
        if asked.method not in ("GET", "HEAD"):
            return said(405, "GET the object", ("allow", "GET, HEAD"))
        first, end = self._span(asked)
        headers = [("content-type", "application/octet-stream"), ("etag", self._tag)]
        if self._ranges:
            headers.append(("accept-ranges", "bytes"))
        if first > end or (first == end and self._size_bytes):
            return said(416, "there are no such bytes", ("content-range", f"bytes */{self._size_bytes}"))
        part = (first, end) != (0, self._size_bytes)
        if part:
            headers.append(("content-range", f"bytes {first}-{end - 1}/{self._size_bytes}"))
        status = 206 if part else 200
        if asked.method == "HEAD":
            return Reply(status, tuple(headers), (), end - first)
        try:
            stream = self._open_input(first, end - first) if part else self._open_input(0, None)
        except ObjectNotFound as error:
            return said(404, error.message)
        except StorageError as error:
            return said(503 if error.retryable else 500, error.message)
        return Reply(status, tuple(headers), self._read(stream), end - first)

    def _span(self, asked: Asked) -> tuple[int, int]:
        """First byte and the one after the last."""
        size = self._size_bytes
        found = _RANGE.match(asked.headers.get("range", "")) if self._ranges else None
        if found is None or not (found[1] or found[2]) or asked.headers.get("if-range", self._tag) != self._tag:
            return 0, size
        if not found[1]:
            return max(0, size - int(found[2])), size
        if found[2] and int(found[2]) < int(found[1]):
            return 0, size
        return int(found[1]), min(int(found[2]) + 1, size) if found[2] else size

    def _read(self, stream: InputStream) -> Iterator[bytes]:
        with stream:
            while chunk := stream.read(CHUNK_BYTES):
                if self._clock_ns() >= self._expires_ns:
                    raise TooLate("the time for this transfer is over")
                yield chunk
