"""The bytes of an object to an HTTP destination, with PUT: sent as they are read, never kept. No device is known here.

PUT may be repeated, so whatever breaks on the way is tried again by whoever asked; a destination that wants the body elsewhere
(307, 308) is followed, and the object is read once more for it. A success is believed only as far as it can be: where the
destination shows what it stored, it must have the size that was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from storcert.harness.agent.http_answers import failure, is_coded
from storcert.harness.agent.http_input import REDIRECTS_MAX, TIMEOUT
from storcert.harness.agent.transfer import CHUNK_BYTES, Ticket
from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    DeviceUnavailable,
    InputStream,
    InvalidRequest,
    ObjectExists,
    Outcome,
    PermissionDenied,
    StorageError,
)
from storcert.harness.record.address import shown

_AGAIN = frozenset((408, 423, 425, 429))
_MOVED = frozenset((307, 308))


def send(
    url: str, open_source: Callable[[], InputStream], size_bytes: int, ticket: Ticket, uri: object = None
) -> Mapping[str, Any]:
    """All of an object to ``url``: ``size_bytes``.

    Errors: what the source raises; ``InvalidRequest`` for a URL of no web server or one that takes no bodies;
    ``PermissionDenied``; ``ObjectExists`` where the destination keeps what it has (409, 412); ``CapacityExceeded`` (413, 507);
    ``DataCorrupted``, to be tried again, where less was stored than was sent; ``DeviceUnavailable`` otherwise, with outcome
    unknown unless the destination refused. Messages hold no user, password or query.
    """
    name = shown(url)
    with httpx.Client(timeout=TIMEOUT) as client:
        target = url
        for _ in range(REDIRECTS_MAX + 1):
            answer = _put(client, target, open_source, size_bytes, ticket, uri)
            if answer.status_code not in _MOVED or "location" not in answer.headers:
                break
            target = _follow(target, answer.headers["location"], name, uri)
        else:
            raise DeviceUnavailable(f"{name}: redirected without end", uri, Outcome.NOT_DONE, False)
        error = refusal(answer.status_code, name, uri)
        if error is not None:
            raise error
        _check(client, target, size_bytes, name, uri)
    return {"size_bytes": size_bytes}


def _put(
    client: httpx.Client, url: str, open_source: Callable[[], InputStream], size_bytes: int, ticket: Ticket, uri: object
) -> httpx.Response:
    def body(source: InputStream) -> Iterator[bytes]:
        moved = ticket.moved_bytes = 0
        while chunk := source.read(CHUNK_BYTES):
            ticket.refuse_late()
            moved += len(chunk)
            if moved > size_bytes:
                break
            yield chunk
            ticket.moved_bytes = moved
        if moved != size_bytes:
            raise DataCorrupted(f"{shown(url)}: the object has not the {size_bytes} bytes that its device says", uri)

    headers = {"content-length": str(size_bytes), "content-type": "application/octet-stream"}
    try:
        with open_source() as source:
            return client.put(url, content=body(source), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        broken = failure(error)
        if broken is None:
            raise _hopeless(error, shown(url), uri) from None
        unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        raise DeviceUnavailable(f"{shown(url)}: {broken}", uri, Outcome.NOT_DONE if unsent else Outcome.UNKNOWN) from None


def _hopeless(error: Exception, name: str, uri: object) -> StorageError:
    if isinstance(error, httpx.ConnectError):
        return DeviceUnavailable(f"{name}: the server's certificate cannot be trusted", uri, Outcome.NOT_DONE, False)
    return InvalidRequest(f"{name}: no URL that can be sent to", uri)


def refusal(status: int, name: str, uri: object) -> StorageError | None:
    """What the answer to a body means; ``None`` for a success."""
    told = f"{name}: the server answered {status}"
    if 200 <= status < 300:
        return None
    if status in (401, 403, 407, 451):
        return PermissionDenied(told, uri)
    if status in (409, 412):
        return ObjectExists(told, uri)
    if status in (413, 507):
        return CapacityExceeded(told, uri)
    if status in _AGAIN:
        return DeviceUnavailable(told, uri, Outcome.NOT_DONE)
    if 500 <= status < 600 and status not in (501, 505):
        return DeviceUnavailable(told, uri, Outcome.UNKNOWN)
    return InvalidRequest(told, uri)


def _follow(url: str, location: str, name: str, uri: object) -> str:
    target = httpx.URL(url).join(location)
    if target.scheme not in ("http", "https"):
        raise DeviceUnavailable(f"{name}: redirected to no web server", uri, Outcome.NOT_DONE, False)
    if urlsplit(url).scheme == "https" and target.scheme == "http":
        raise DeviceUnavailable(f"{name}: redirected from https to http", uri, Outcome.NOT_DONE, False)
    return str(target)


def _check(client: httpx.Client, url: str, size_bytes: int, name: str, uri: object) -> None:
    """See how much is there now. A destination that does not say, as one signed for writing alone, is believed."""
    try:
        seen = client.head(url, headers={"accept-encoding": "identity"})
    except (httpx.HTTPError, OSError):
        return
    length = seen.headers.get("content-length", "")
    if seen.status_code == 200 and not is_coded(seen.headers) and length.isdigit() and int(length) != size_bytes:
        raise DataCorrupted(f"{name}: {length} bytes are there, {size_bytes} were sent", uri, Outcome.UNKNOWN, True)
