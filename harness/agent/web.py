"""Downloads over HTTP, at the agent's location: a stream of the web on one side, of a device on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from storcert.harness.agent.expected import Expected
from storcert.harness.agent.http_input import open_url
from storcert.harness.agent.transfer import Ticket, pump
from storcert.harness.contract import OutputStream


def download(
    url: str, open_output: Callable[[int | None], OutputStream], ticket: Ticket, size_bytes: int | None, digest: str | None,
    limit_bytes: int,
) -> Mapping[str, Any]:
    """What a URL gives, onto a device, if it is no more than ``limit_bytes``: ``size_bytes`` and the digest, if one was asked
    for. Raises the contract's errors."""
    named = digest if digest and not digest.endswith(":") else None
    expected = Expected(size_bytes=size_bytes, digest=named, size_max_bytes=limit_bytes)
    return pump(lambda: open_url(url, expected), lambda: open_output(size_bytes), ticket, digest)
