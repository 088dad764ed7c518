"""A file behind a URL as an ``InputStream``: exactly its bytes, in order, or a typed error.

A connection that breaks is opened again where it broke, bound to the same version of the file (Range and If-Range).
Where the server gives nothing to bind to, or sends the whole file again, its beginning is read once more and compared
by digest with what was delivered already; only then its rest follows. Two versions are never mixed.

Nothing is kept but one piece: the last one is handed out only when it is known to be the last and the file is the
expected one. What cannot be known is refused: a body without length and chunks, ended by the end of the connection,
needs an expected size or digest; so does one in a content coding that nobody asked for.

Every call is bounded: in its tries, in the time it waits and in what it reads again; the whole stream in how often it
is resumed.
"""

from __future__ import annotations

import hashlib
import operator
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from storcert.harness.agent.expected import Expected, Inspection
from storcert.harness.agent.http_answers import (
    PAUSE_MAX_S,
    TryAgain,
    content_length,
    content_range,
    failure,
    hopeless,
    is_coded,
    refusal,
    tells_its_end,
    validator,
)
from storcert.harness.contract import DataCorrupted, DeviceUnavailable, InvalidRequest, Outcome, StorageError
from storcert.harness.record.address import shown

TRIES_MAX = 5
RESUMES_MAX = 100
REDIRECTS_MAX = 5
CALL_MAX_S = 480.0
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)


class Effort:
    """The tries of one call, with pauses between them that double from one second."""

    def __init__(self) -> None:
        self._tries = 0
        self._began_s = time.monotonic()

    @property
    def spent(self) -> bool:
        """Whether the call took as long as it may."""
        return time.monotonic() - self._began_s >= CALL_MAX_S

    def again(self, pause_s: float | None) -> bool:
        """Wait as the server asked, or a little; ``False`` where enough was tried."""
        self._tries += 1
        if self._tries >= TRIES_MAX or self.spent:
            return False
        wanted_s = 2.0 ** (self._tries - 1) if pause_s is None else pause_s
        time.sleep(min(wanted_s, PAUSE_MAX_S))
        return True


class HttpInputStream:
    """Made by :func:`open_url`."""

    def __init__(self, url: str, expected: Expected, uri: object, client: httpx.Client | None) -> None:
        self._url = url
        self._name = shown(url)
        self._uri = uri
        self._expected = expected
        self._inspection = Inspection(expected, self._name, uri)
        self._owns_client = client is None
        self._client = httpx.Client(timeout=TIMEOUT) if client is None else client
        self._response: httpx.Response | None = None
        self._pieces: Iterator[bytes] | None = None
        self._validator: str | None = None
        self._size: int | None = None
        self._resumes = 0
        self._error: StorageError | None = None
        self._closed = False
        self._ready = b""
        try:
            self._next = self._pull()
        except BaseException:
            self.close()
            raise

    def read(self, n: int = -1) -> bytes:
        """1..``n`` bytes, or ``b""`` at the end; ``-1``: as many as have come. Errors: ``DeviceUnavailable``,
        ``DataCorrupted``, ``CapacityExceeded``, ``ObjectNotFound``, ``PermissionDenied``; ``InvalidRequest`` after
        ``close``."""
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        wanted = self._count(n)
        if wanted == 0:
            return b""
        if self._error is not None:
            raise self._error
        if not self._ready:
            self._ready = self._next
            if self._ready:
                try:
                    self._next = self._pull()
                except StorageError as error:
                    self._error = error
                    raise
        if wanted is None or wanted >= len(self._ready):
            found, self._ready = self._ready, b""
        else:
            found, self._ready = self._ready[:wanted], self._ready[wanted:]
        return found

    def _count(self, n: Any) -> int | None:
        try:
            number = operator.index(n)
        except TypeError:
            raise InvalidRequest(f"n is a whole number of bytes, not {type(n).__name__}", self._uri) from None
        if number < -1:
            raise InvalidRequest("n must not be negative", self._uri)
        return None if number == -1 else number

    # -- one piece more, whatever it takes

    def _pull(self) -> bytes:
        """The next bytes of the file, inspected; ``b""`` when it is over and was found to be what it should be."""
        effort = Effort()
        while True:
            try:
                if self._pieces is None and not self._connect(effort):
                    piece = b""
                else:
                    piece = self._receive()
                if not piece and self._size is not None and self._inspection.seen_bytes < self._size:
                    raise TryAgain("the connection ended before the last byte")
            except TryAgain as reason:
                self._release()
                again = reason
            except StorageError:
                self._release()
                raise
            else:
                if piece:
                    self._inspection.take(piece)
                else:
                    self._release()
                    self._inspection.finish()
                return piece
            if not effort.again(again.pause_s):
                raise DeviceUnavailable(f"{self._name}: {again}, again and again", self._uri, Outcome.NOT_DONE)

    def _receive(self) -> bytes:
        assert self._pieces is not None
        try:
            for piece in self._pieces:
                if piece:
                    return piece
        except _FOREIGN as error:
            raise failure(error) or hopeless(error, self._name, self._uri) from None
        return b""

    # -- connections

    def _connect(self, effort: Effort) -> bool:
        """Have the bytes that follow come in; ``False`` where the server says that there are none."""
        seen = self._inspection.seen_bytes
        if seen:
            self._resumes += 1
            if self._resumes > RESUMES_MAX:
                raise DeviceUnavailable(f"{self._name}: the connection breaks all the time", self._uri, Outcome.NOT_DONE)
        resuming = bool(seen) and self._validator is not None
        response = self._ask(seen if resuming else 0)
        if resuming and response.status_code == 206 and self._continues(response, seen):
            return True
        if resuming and response.status_code == 416:
            span = content_range(response.headers)
            if span is not None and span.size_bytes == seen and self._size is None:
                return False  # of unknown size until now, and this was all
        if response.status_code != 200:
            # Not what was asked for, or of another version: from the beginning, then.
            response = self._ask(0)
            if response.status_code != 200:
                raise DeviceUnavailable(
                    f"{self._name}: status {response.status_code} to a plain request", self._uri, Outcome.NOT_DONE,
                    False)
        self._accept(response)
        if seen:
            self._reread(seen, effort)
        return True

    def _ask(self, first: int) -> httpx.Response:
        """One GET, redirects followed; raises for everything that is no 200, 206 or 416."""
        self._release()
        headers = {"accept-encoding": "identity"}
        if first and self._validator is not None:
            headers |= {"range": f"bytes={first}-", "if-range": self._validator}
        try:
            request: httpx.Request | None = self._client.build_request("GET", self._url, headers=headers)
            for _ in range(REDIRECTS_MAX + 1):
                assert request is not None
                response = self._client.send(request, stream=True, follow_redirects=False)
                self._response = response
                if response.next_request is None:
                    break
                request = self._follow(response)
            else:
                raise DeviceUnavailable(f"{self._name}: redirected without end", self._uri, Outcome.NOT_DONE, False)
        except _FOREIGN as error:
            raise failure(error) or hopeless(error, self._name, self._uri) from None
        refused = refusal(response.status_code, response.headers, self._name, self._uri, time.time())
        if refused is not None:
            raise refused
        self._pieces = response.iter_raw()
        return response

    def _follow(self, response: httpx.Response) -> httpx.Request:
        following = response.next_request
        assert following is not None
        response.close()
        if following.url.scheme not in ("http", "https"):
            raise DeviceUnavailable(f"{self._name}: redirected to no web server", self._uri, Outcome.NOT_DONE, False)
        if response.request.url.scheme == "https" and following.url.scheme == "http":
            raise DeviceUnavailable(f"{self._name}: redirected from https to http", self._uri, Outcome.NOT_DONE, False)
        return following

    def _accept(self, response: httpx.Response) -> None:
        """The whole file is about to come: see whether it can be the one wanted, and note what it can be resumed by."""
        headers = response.headers
        if is_coded(headers) and self._expected.digest is None:
            raise DataCorrupted(
                f"{self._name}: sent in coding {headers['content-encoding']!r} that was not asked for; which bytes are "
                "meant only a digest could tell", self._uri)
        if not tells_its_end(headers, response.http_version) and not self._expected.tells_the_end:
            raise DataCorrupted(
                f"{self._name}: the server does not tell where the file ends; a size or a digest is needed", self._uri)
        self._size = content_length(headers)
        self._validator = validator(headers)
        if self._size is not None:
            self._inspection.announce(self._size)

    def _continues(self, response: httpx.Response, seen: int) -> bool:
        """Whether a 206 is the rest of the same file."""
        span = content_range(response.headers)
        if span is None or span.first != seen or is_coded(response.headers):
            return False
        if span.size_bytes is None or span.end != span.size_bytes or self._size not in (None, span.size_bytes):
            return False
        # A server may never have looked at If-Range. A date need not be repeated, a tag must. [RFC 9110 section 15.3.7]
        bound_to = self._validator or ""
        is_tag = bound_to.startswith('"')
        repeated = response.headers.get("etag", "") if is_tag else response.headers.get("last-modified", bound_to)
        if repeated != bound_to:
            return False
        self._size = span.size_bytes
        self._inspection.announce(self._size)
        return True

    def _reread(self, seen: int, effort: Effort) -> None:
        """Read the beginning again and see that it is what was delivered; the rest then belongs to it."""
        again = hashlib.sha256()
        left = seen
        while left:
            if effort.spent:
                raise DeviceUnavailable(
                    f"{self._name}: the server cannot resume, and reading it again takes too long", self._uri,
                    Outcome.NOT_DONE)
            piece = self._receive()
            if not piece:
                if self._size is not None and self._size >= seen:
                    raise TryAgain("the connection ended before the last byte")
                raise self._changed()
            again.update(piece[:left])
            rest = piece[left:]
            left -= min(left, len(piece))
            if rest:
                self._pieces = _first_then(rest, self._pieces)
        if not self._inspection.is_beginning(again.digest()):
            raise self._changed()

    def _changed(self) -> DataCorrupted:
        return DataCorrupted(f"{self._name}: the file changed while it was read", self._uri, Outcome.NOT_DONE, True)

    # -- the end

    def _release(self) -> None:
        response, self._response, self._pieces = self._response, None, None
        if response is not None:
            try:
                response.close()
            except _FOREIGN:
                pass  # the connection is given up either way

    def close(self) -> None:
        """Release the stream. Idempotent and final."""
        if not self._closed:
            self._closed = True
            self._ready = self._next = b""
            self._release()
            if self._owns_client:
                self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


def _first_then(piece: bytes, rest: Iterator[bytes] | None) -> Iterator[bytes]:
    yield piece
    if rest is not None:
        yield from rest


def open_url(
    url: str, expected: Expected | None = None, *, uri: object = None, client: httpx.Client | None = None,
) -> HttpInputStream:
    """The bytes of the file behind ``url`` (http or https) from its beginning to its end.

    ``uri``: the data object it is read for, named in errors. ``client``: used instead of one of its own, and left
    open. Errors, here or at a read: ``InvalidRequest`` for a URL of no web server or one the server does not
    understand; ``ObjectNotFound``; ``PermissionDenied``; ``CapacityExceeded`` over ``size_max_bytes``;
    ``DataCorrupted`` where what comes is not what is expected, or is another version than before;
    ``DeviceUnavailable``, always ``not_done``: reading changes nothing. Messages hold no user, password or query.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InvalidRequest(f"no URL of a web server: {shown(url)}", uri)
    return HttpInputStream(url, expected or Expected(), uri, client)
