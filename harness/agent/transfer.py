"""Moving bytes from an input stream to an output stream, at the location where both were opened. No device is known here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from storcert.harness.contract import (
    DataCorrupted,
    DeviceUnavailable,
    InputStream,
    InvalidRequest,
    Outcome,
    OutputStream,
)

CHUNK_BYTES = 1 << 20


class TooLate(Exception):
    """The command's deadline has passed: nothing is begun or published for it any more."""


class Ticket:
    """A command under way: its deadline by the clock it is given, how far it came, and whether somebody wants it to end."""

    __slots__ = ("_clock_ns", "cancelled", "deadline_ns", "moved_bytes")

    def __init__(self, deadline_ns: int, clock_ns: Callable[[], int]) -> None:
        self.deadline_ns = deadline_ns
        self.moved_bytes = 0
        self.cancelled = False
        self._clock_ns = clock_ns

    def refuse_late(self) -> None:
        """Raise :class:`TooLate` after the deadline, ``DeviceUnavailable`` (not done) once cancelled."""
        if self._clock_ns() >= self.deadline_ns:
            raise TooLate("the deadline of the command has passed")
        if self.cancelled:
            raise DeviceUnavailable("the command was cancelled", None, Outcome.NOT_DONE, False)


def pump(
    open_input: Callable[[], InputStream], open_output: Callable[[], OutputStream], ticket: Ticket, digest: str | None = None
) -> Mapping[str, Any]:
    """Every byte from one stream to the other, then commit: ``size_bytes`` and, where a digest was asked for, ``digest``.

    ``digest``: ``"<algorithm>:<hex>"`` that must come of it, or ``"<algorithm>:"`` to have it computed. Raises what the streams
    raise, ``DataCorrupted`` for another digest; nothing is published then.
    """
    hasher = new_hash(digest)
    with open_input() as source, open_output() as target:
        moved = 0
        while chunk := source.read(CHUNK_BYTES):
            ticket.refuse_late()
            if hasher is not None:
                hasher.update(chunk)
            write_all(target, chunk)
            moved += len(chunk)
            ticket.moved_bytes = moved
        found = check_digest(digest, hasher)
        ticket.refuse_late()
        target.commit()
    return {"size_bytes": moved, "digest": found}


def write_all(target: OutputStream, data: bytes) -> None:
    """All of ``data``, however few a call takes."""
    taken = target.write(data)
    if taken < len(data):
        view = memoryview(data)[taken:]
        while view:
            view = view[target.write(view) :]


def new_hash(digest: str | None) -> Any:
    """A hash for ``"<algorithm>:..."``, or ``None``. Raises ``InvalidRequest`` for an algorithm that is not known here."""
    if not digest:
        return None
    try:
        return hashlib.new(digest.partition(":")[0])
    except ValueError:
        raise InvalidRequest(f"digest {digest.partition(':')[0]!r} is no algorithm known here") from None


def check_digest(digest: str | None, hasher: Any) -> str | None:
    """The digest of what passed. Raises ``DataCorrupted`` where another one was due."""
    if digest is None or hasher is None:
        return None
    algorithm, _, wanted = digest.partition(":")
    found = hasher.hexdigest()
    if wanted and wanted.lower() != found:
        raise DataCorrupted(f"{algorithm} {found} came of it, {wanted} was due")
    return f"{algorithm}:{found}"


def digest_of(stream: InputStream, algorithm: str, ticket: Ticket) -> str:
    """The digest of everything a stream gives."""
    hasher = new_hash(f"{algorithm}:")
    with stream:
        while chunk := stream.read(CHUNK_BYTES):
            ticket.refuse_late()
            hasher.update(chunk)
            ticket.moved_bytes += len(chunk)
    return f"{algorithm}:{hasher.hexdigest()}"
