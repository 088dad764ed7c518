"""What is visible under a URI, seen from a location: absent, or these very bytes. Used by every check that looks back."""

from __future__ import annotations

from collections.abc import Iterable

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content, first_difference
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri, ObjectInUse, ObjectNotFound


def seen(client: Client, uri: DataObjectUri) -> bytes | None:
    """The bytes under ``uri``, or ``None`` where it is absent; describe and open_input must agree on which."""
    try:
        description = client.describe(uri)
    except ObjectNotFound:
        description = None
    try:
        data: bytes | None = client.read(uri)
    except ObjectNotFound:
        data = None
    if description is None or data is None:
        require(description is None, f"describe {uri} finds the object and open_input does not")
        require(data is None, f"open_input {uri} finds the object and describe does not")
        return None
    require(
        description.size_bytes == len(data),
        f"describe {uri} says {description.size_bytes} bytes, reading gives {len(data)}",
        "C-DESCRIBE",
    )
    return data


def require_bytes(client: Client, uri: DataObjectUri, expected: bytes, when: str = "") -> None:
    """``uri`` holds exactly ``expected``."""
    found = seen(client, uri)
    prefix = f"{when}: " if when else ""
    require(found is not None, f"{prefix}{uri} is absent")
    if found != expected:
        require(False, f"{prefix}{uri}: {first_difference(found or b'', expected)}")


def require_absent(client: Client, uri: DataObjectUri, when: str = "") -> None:
    """Nothing is visible under ``uri``, by any operation."""
    prefix = f"{when}: " if when else ""
    found = seen(client, uri)
    require(found is None, f"{prefix}{uri} is visible with {len(found or b'')} bytes")
    if client.bench.facts.capabilities.enumerate:
        require(uri not in client.list(), f"{prefix}{uri} is listed")


def stored(bench: Bench, uri: DataObjectUri, size: int, key: str = "old", location: str = HOST) -> bytes:
    """Write an object of ``size`` bytes and give them."""
    data = content(key, size)
    bench.client(location).write(uri, data)
    return data


def both(bench: Bench) -> tuple[Client, Client]:
    """Clients at two locations."""
    return bench.client(HOST), bench.client(SSVM)


def clear(client: Client, uris: Iterable[DataObjectUri]) -> None:
    """Delete all of them: what others still need may be refused until those are gone, but one of them must always go."""
    left = list(uris)
    # Where nothing can depend on anything, a refusal is a delete that does not converge: the check's own rule says so.
    rule = "C-DEPEND" if client.bench.facts.capabilities.snapshots else ""
    while left:
        still = [uri for uri in left if not _goes(client, uri)]
        require(len(still) < len(left), f"none of {', '.join(map(str, still[:4]))} can be deleted: all are in use", rule)
        left = still


def _goes(client: Client, uri: DataObjectUri) -> bool:
    try:
        client.delete(uri)
    except ObjectInUse as error:
        require(str(error.outcome) == "not_done", f"delete {uri} is refused and says {error.outcome}", "C-ERRORS")
        return False
    return True
