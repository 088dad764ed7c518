"""The ``Body`` of a request: what botocore accepts, turned into the bytes that arrive. No other parameter here."""

from __future__ import annotations

from typing import Any

from storcert.simulators.device import NotModelled


def read_body(given: Any, params: dict[str, Any]) -> bytes:
    """The bytes of a body, as they are now. Immutable ones are taken as they are, without a copy.

    A file-like body is read from where it stands to its end; botocore asks it for its position first (it hashes and then
    rewinds), so a stream that cannot seek raises ``io.UnsupportedOperation`` here as there.
    """
    if type(given) is bytes:
        body = given
    elif isinstance(given, str):
        body = given.encode("utf-8")
    elif isinstance(given, (bytes, bytearray)):
        body = bytes(given)
    else:
        _signal(given, "signal_not_transferring")
        start = given.tell()
        body = given.read()
        if isinstance(body, str):
            raise TypeError("Strings must be encoded before hashing")
        given.seek(start)
        _signal(given, "signal_transferring")
        given.read()  # botocore reads it once to hash and once to send
        body = bytes(body)
    length = params.pop("ContentLength", None)
    if length is not None and length != len(body):
        raise NotModelled(f"ContentLength={length} with a body of {len(body)} bytes")
    return body


def _signal(body: Any, name: str) -> None:
    """Tell one of s3transfer's bodies which of the two readings comes: its progress callbacks count the second only."""
    signal = getattr(body, name, None)
    if signal is not None:
        signal()
