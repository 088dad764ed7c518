"""Downloads and uploads over HTTP, at the agent's location: a stream of the web on one side, of a device on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

from storcert.harness.agent.expected import Expected
from storcert.harness.agent.http_input import open_url
from storcert.harness.agent.transfer import CHUNK_BYTES, Ticket, pump
from storcert.harness.contract import DeviceUnavailable, InputStream, Outcome, OutputStream, PermissionDenied


def download(
    url: str, open_output: Callable[[int | None], OutputStream], ticket: Ticket, size_bytes: int | None, digest: str | None
) -> Mapping[str, Any]:
    """What a URL gives, onto a device: ``size_bytes`` and the digest, if one was asked for. Raises the contract's errors."""
    named = digest if digest and not digest.endswith(":") else None
    expected = Expected(size_bytes=size_bytes, digest=named)
    return pump(lambda: open_url(url, expected), lambda: open_output(size_bytes), ticket, digest)


def upload(url: str, source: InputStream, size_bytes: int, ticket: Ticket) -> Mapping[str, Any]:
    """An object to a URL, with PUT. Raises the contract's errors; PUT may be repeated."""

    def body() -> Iterator[bytes]:
        while chunk := source.read(CHUNK_BYTES):
            ticket.refuse_late()
            ticket.moved_bytes += len(chunk)
            yield chunk

    with source, httpx.Client() as client:
        try:
            answer = client.put(url, content=body(), headers={"Content-Length": str(size_bytes)})
        except httpx.HTTPError as error:
            raise DeviceUnavailable(f"upload: {type(error).__name__}", None, Outcome.UNKNOWN) from error
    if answer.status_code in (401, 403):
        raise PermissionDenied(f"upload: the server answered {answer.status_code}")
    if not answer.is_success:
        retryable = answer.status_code >= 500 or answer.status_code in (408, 429)
        raise DeviceUnavailable(f"upload: the server answered {answer.status_code}", None, Outcome.UNKNOWN, retryable)
    return {"size_bytes": size_bytes}
