"""What an operation is that faults and crashes are tried on: the state before, the call, the state after. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from storcert.conformance.bench import Bench
from storcert.conformance.client import Client
from storcert.harness.contract import DataObjectUri, ObjectKind

SOURCE, TARGET = "source", "target"
SNAPSHOT, LATER = "snapshot", "snapshot-later"
_STRIDE_BYTES = 4096


def place(b: Bench, name: str) -> DataObjectUri:
    """The URI of an object of a scenario: one whose name says so is a snapshot, any other of the usual kind."""
    return b.uri(name, kind=ObjectKind.SNAPSHOT if name.startswith(SNAPSHOT) else None)


@dataclass(frozen=True, slots=True)
class Scenario:
    """``rule``: whose promise the operation is. ``before`` and ``after``: bytes per object name (absent: not there).
    ``call`` begins or makes the operation. ``refusal``: the typed error it must answer on a healthy device, or ``""``.
    ``again``: errors that are true when it is repeated after it was done. ``may_refuse``: errors that it may answer even
    on a healthy device, with nothing changed. ``make``: brings the state before where writing the bytes does not.
    ``mixed``: names of objects of which each byte may be as before or as after when the outcome is unknown (a revert),
    and with ``partial`` also when it failed (it was several writes, some of them done). ``discards``: it ends without
    a commit, so that nothing is to be published and what it left may wait for the next delete. ``yields``: the bytes that
    reading must give. ``page_size``: names per page of the device's listing, 0 for its own. ``setting``: the one that the
    device's operator changes on the way. ``ends_stream``: a stream was open
    before the call and has ended after it, refused or not, so that what it had sent may be gone."""

    name: str
    rule: str
    call: Callable[[Bench, Client], Any]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    refusal: str = ""
    again: tuple[str, ...] = ()
    may_refuse: tuple[str, ...] = ()
    make: Callable[[Bench, Client], None] | None = None
    mixed: tuple[str, ...] = ()
    partial: bool = False
    discards: bool = False
    yields: bytes | None = None
    page_size: int = 0
    setting: str = ""
    ends_stream: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every object name the scenario touches."""
        return tuple(sorted({*self.before, *self.after} or {TARGET}))

    @property
    def made(self) -> str:
        """The name of the first object that is there only after it."""
        return next(name for name in self.names if name not in self.before)

    @property
    def gone(self) -> str:
        """The name of the first object that is there only before it."""
        return next(name for name in self.names if name not in self.after)


def mixes(found: bytes | None, one: bytes | None, other: bytes | None) -> bool:
    """Whether each byte of ``found`` is that of ``one`` or of ``other``, all three of one length."""
    if found is None or one is None or other is None or not len(found) == len(one) == len(other):
        return False
    for at in range(0, len(found), _STRIDE_BYTES):
        part = slice(at, at + _STRIDE_BYTES)
        if found[part] in (one[part], other[part]):
            continue
        if any(byte not in (first, second) for byte, first, second in zip(found[part], one[part], other[part], strict=True)):
            return False
    return True
