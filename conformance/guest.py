"""A virtual machine as a volume sees it: whole blocks of unique content, written one after the other, flushed now and then.

Every write can be told from every other by its bytes, so that what a reader, a copy or a snapshot found says which writes it
holds. Whether these are the writes of one moment is decided in :mod:`storcert.conformance.moments`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from storcert.conformance.bench import Attempt, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.handle import opened, pwrite_all
from storcert.harness.contract import DataObjectUri, ObjectInUse, StorageError
from storcert.harness.record.history import Status

BLOCK_BYTES = 4096
READ_BYTES = 10_000
POLL_NS = 200_000
POLLS_MAX = 100_000


@dataclass(slots=True)
class Written:
    """One block written. ``return_ns``: when ``pwrite`` returned; ``flushed_ns``: when the first flush after it did;
    ``None`` while not, and for ever where it did not."""

    block: int
    key: str
    invoke_ns: int
    return_ns: int | None = None
    flushed_ns: int | None = None

    @property
    def data(self) -> bytes:
        """The bytes of the block."""
        return content(self.key, BLOCK_BYTES)


@dataclass(slots=True)
class Guest:
    """``blocks``: those of the volume it writes to, nobody else does. ``flush_every``: so many writes; 0: never.
    ``begun``: writes it has begun; ``error``: the typed error that ended it. ``in_turn``: the blocks come one after the other,
    where otherwise the seed draws them."""

    bench: Bench
    client: Client
    uri: DataObjectUri
    name: str
    blocks: Sequence[int]
    writes: int = 24
    flush_every: int = 3
    pause_ns: int = 300_000
    in_turn: bool = False
    written: list[Written] = field(default_factory=list)
    ended: bool = False
    error: StorageError | None = None

    def start(self) -> Attempt:
        """Begin; :meth:`Bench.join` runs it to its end."""
        label = f"a guest writes {self.writes} blocks of {self.uri}, a flush after every {self.flush_every}"
        return self.bench.begin(self.client.location, label, self._work)

    def _work(self) -> None:
        try:
            handle = opened(self.client.driver, self.uri)
            try:
                self._write_all(handle)
            finally:
                handle.close()
        except StorageError as error:
            self.error = error
        finally:
            self.ended = True

    def _write_all(self, handle: Any) -> None:
        kernel, dice = self.bench.world.kernel, random.Random(f"{self.bench.seed}/{self.name}")
        for number in range(1, self.writes + 1):
            place = number % len(self.blocks) if self.in_turn else dice.randrange(len(self.blocks))
            one = Written(self.blocks[place], f"{self.name}-{number}", kernel.now_ns)
            self.written.append(one)
            pwrite_all(handle, one.block * BLOCK_BYTES, one.data)
            one.return_ns = kernel.now_ns
            if self.flush_every and number % self.flush_every == 0:
                handle.flush()
                for earlier in self.written:
                    if earlier.flushed_ns is None:
                        earlier.flushed_ns = kernel.now_ns
            kernel.sleep_ns(self.pause_ns)


@dataclass(slots=True)
class Span:
    """From when to when a call ran; ``end_ns`` stays ``None`` where it did not return."""

    begin_ns: int = 0
    end_ns: int | None = None
    value: Any = None


def beside(
    b: Bench, guests: Sequence[Guest], client: Client, after: int, verb: str, *arguments: Any
) -> tuple[Span, Attempt]:
    """Run the guests, and the driver's ``verb`` beside them once they have begun ``after`` writes in all; wait for all of it.

    ``verb`` is a method of the driver's, or ``read``: a whole input stream.

    Gives when the call ran, and how it ended. Where the world is live the guests are done before.
    """
    span, kernel = Span(), b.world.kernel

    def wait_and_call() -> Any:
        for _ in range(POLLS_MAX):
            if sum(len(guest.written) for guest in guests) >= after or all(guest.ended for guest in guests):
                break
            kernel.sleep_ns(POLL_NS)
        span.begin_ns = kernel.now_ns
        span.value = _read(client.driver, *arguments) if verb == "read" else getattr(client.driver, verb)(*arguments)
        span.end_ns = kernel.now_ns
        return span.value

    at_work = [guest.start() for guest in guests]
    label = f"{verb} {' '.join(map(str, arguments))} beside the guest, after {after} of its writes"
    call = b.begin(client.location, label, wait_and_call)
    b.join(*at_work, call)
    return span, call


def _read(driver: Any, uri: DataObjectUri) -> bytes:
    with driver.open_input(uri) as stream:
        return b"".join(iter(lambda: stream.read(READ_BYTES), b""))


def refused(attempt: Attempt) -> bool:
    """Whether the call was refused because the volume is in use, which is true while a guest is at work on it."""
    return isinstance(attempt.error, ObjectInUse) and attempt.status is Status.FAILED
