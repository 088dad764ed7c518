"""Other ways to begin, to end and to be refused that faults and crashes are tried on, beside the plain operations.

Most are small: what a fault at a refusal may do does not depend on how large the object is. Where something must be taken back
that was sent (a stream that is left, a commit that is refused) there is a large one too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.client import READ_BYTES, Client, Writer, read_once, write_all
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.scenario import LATER, SNAPSHOT, SOURCE, TARGET, Scenario, place
from storcert.harness.contract import ObjectKind

PAGE = 2


@dataclass(frozen=True, slots=True)
class _Bytes:
    """What the objects of a variant hold, and a size that is not theirs."""

    data: bytes
    old: bytes
    other_size: int

    @classmethod
    def of(cls, facts: Facts, large: bool) -> _Bytes:
        size = facts.large_size if large else facts.fit(4097)
        grain = facts.capabilities.size_granularity_bytes
        other = facts.fit(size + grain)
        return cls(content("scenario", size), content("old", size), other if other != size else size - grain)


_Maker: TypeAlias = Callable[[str, _Bytes], Scenario]


def _chunks(of: _Bytes) -> tuple[int, ...]:
    return (max(1500, len(of.data) // 7),)


def _ending(end: str) -> _Maker:
    """A stream that is left without a commit."""
    return lambda name, of: Scenario(
        name, "C-ABORT", lambda b, c: c.write(b.uri(TARGET), of.data, _chunks(of), end=end), {}, {}, discards=True
    )


def _written(end: str, announced: bool) -> _Maker:
    """An object that is published in another way."""
    return lambda name, of: Scenario(
        name,
        "C-COMMIT",
        lambda b, c: c.write(b.uri(TARGET), of.data, _chunks(of), len(of.data) if announced else None, end),
        {},
        {TARGET: of.data},
        again=("ObjectExists",),
    )


def _mismatch(name: str, of: _Bytes) -> Scenario:
    return Scenario(
        name, "C-COMMIT", lambda b, c: c.write(b.uri(TARGET), of.data, _chunks(of), of.other_size), {}, {}, "SizeMismatch"
    )


def _beaten(name: str, of: _Bytes) -> Scenario:
    """Everything was written when another location publishes under the same name: the commit loses and leaves nothing."""
    opened: list[Any] = []

    def make(b: Bench, c: Client) -> None:
        writer = b.client(HOST).open_output(b.uri(TARGET))
        writer.write(of.data)
        b.client(SSVM).write(b.uri(TARGET), of.old)
        opened[:] = [writer.stream]

    def call(b: Bench, c: Client) -> Any:
        if c.location == HOST:
            return Writer(c, b.uri(TARGET), opened[0]).commit()
        return c.write(b.uri(TARGET), of.data)

    there = {TARGET: of.old}
    return Scenario(name, "C-ONCE", call, there, there, "ObjectExists", ("ObjectExists",), make=make, ends_stream=True)


def _streamed(name: str, of: _Bytes) -> Scenario:
    """As the data plane copies: one location reads the source and writes the destination, both streams open at once."""

    def call(b: Bench, c: Client) -> Any:
        source, target = b.uri(SOURCE), b.uri(TARGET)

        def body() -> None:
            with c.driver.open_input(source) as reader, c.driver.open_output(target) as writer:
                while data := read_once(reader, READ_BYTES):
                    write_all(writer, data)

        return c.do(f"stream {source} to {target}", body)

    return Scenario(
        name, "C-COMMIT", call, {SOURCE: of.data}, {SOURCE: of.data, TARGET: of.data}, again=("ObjectExists",)
    )


def _refused(rule: str, call: Callable[[Bench, Client, _Bytes], Any], refusal: str, *there: str) -> _Maker:
    """A call that is refused by the objects that are there, and changes nothing."""

    def make(name: str, of: _Bytes) -> Scenario:
        before = {object_name: of.data if object_name == SOURCE else of.old for object_name in there}
        return Scenario(name, rule, lambda b, c: call(b, c, of), before, before, refusal, (refusal,))

    return make


def _range(name: str, of: _Bytes) -> Scenario:
    there = {TARGET: of.data}
    start, length = len(of.data) // 3, len(of.data) // 2
    call = lambda b, c: c.read(b.uri(TARGET), start, length)  # noqa: E731
    return Scenario(name, "C-READ", call, there, there, yields=of.data[start : start + length])


def _pages(name: str, of: _Bytes) -> Scenario:
    """A listing of more than one page of the device."""
    there = {TARGET: of.data, **{f"other{number}": of.old for number in range(PAGE)}}
    return Scenario(name, "C-LIST", lambda b, c: c.list(), there, there, page_size=PAGE)


def _snapshotted(of: _Bytes) -> Callable[[Bench, Client], None]:
    def make(b: Bench, c: Client) -> None:
        c.write(place(b, SOURCE), of.data)
        c.take_snapshot(place(b, SOURCE), place(b, SNAPSHOT))

    return make


def _copied_snapshot(name: str, of: _Bytes) -> Scenario:
    there = {SOURCE: of.data, SNAPSHOT: of.data}
    return Scenario(
        name,
        "C-COPY",
        lambda b, c: c.copy(place(b, SNAPSHOT), place(b, TARGET)),
        there,
        {**there, TARGET: of.data},
        again=("ObjectExists",),
        make=_snapshotted(of),
    )


def _second(name: str, of: _Bytes) -> Scenario:
    """A snapshot of a volume that has one, and was written over since then."""
    new = of.data[::-1]
    there = {SOURCE: new, SNAPSHOT: of.data}

    def make(b: Bench, c: Client) -> None:
        _snapshotted(of)(b, c)
        c.overwrite(place(b, SOURCE), (0, new))

    return Scenario(
        name,
        "C-SNAP",
        lambda b, c: c.take_snapshot(place(b, SOURCE), place(b, LATER)),
        there,
        {**there, LATER: new},
        again=("ObjectExists",),
        make=make,
    )


def _lazy(name: str, of: _Bytes) -> Scenario:
    """Writes that are never flushed: ``close`` makes them visible, and nothing makes them durable."""
    new = of.data[:100] + of.old[100:200] + of.data[200:]
    return Scenario(
        name,
        "C-VOLUME",
        lambda b, c: c.overwrite(b.uri(TARGET), (100, of.old[100:200]), flush=False),
        {TARGET: of.data},
        {TARGET: new},
        mixed=(TARGET,),
        partial=True,
    )


def _taken(rule: str, call: Callable[[Bench, Client], Any]) -> _Maker:
    """A snapshot, or a clone of one, whose name is taken."""

    def made(name: str, of: _Bytes) -> Scenario:
        there = {SOURCE: of.data, SNAPSHOT: of.data}
        taken = "ObjectExists"
        return Scenario(name, rule, call, there, there, taken, (taken,), make=_snapshotted(of))

    return made


_SNAPSHOTS = ("snapshots",)
_ABSENT = "ObjectNotFound"
#: Name of each, the capabilities without which it cannot be tried, and how it is made.
VARIANTS: dict[str, tuple[tuple[str, ...], _Maker]] = {
    "close-small": ((), _ending("close")),
    "close-parts": ((), _ending("close")),
    "raise-small": ((), _ending("raise")),
    "drop-small": ((), _ending("drop")),
    "with-small": ((), _written("with", announced=False)),
    "announced-small": ((), _written("commit", announced=True)),
    "mismatch-small": ((), _mismatch),
    "mismatch-parts": ((), _mismatch),
    "beaten-small": ((), _beaten),
    "beaten-parts": ((), _beaten),
    "streamed-small": ((), _streamed),
    "create-taken": ((), _refused("C-CREATE", lambda b, c, of: c.create(b.uri(TARGET), of.other_size), "ObjectExists", TARGET)),
    "read-range": (("range_read",), _range),
    "read-missing": ((), _refused("C-READ", lambda b, c, of: c.read(b.uri(TARGET)), _ABSENT)),
    "describe-missing": ((), _refused("C-DESCRIBE", lambda b, c, of: c.describe(b.uri(TARGET)), _ABSENT)),
    "list-pages": (("enumerate",), _pages),
    "copy-taken": (
        ("on_device_copy",),
        _refused("C-COPY", lambda b, c, of: c.copy(b.uri(SOURCE), b.uri(TARGET)), "ObjectExists", SOURCE, TARGET),
    ),
    "copy-self": (
        ("on_device_copy",),
        _refused("C-COPY", lambda b, c, of: c.copy(b.uri(SOURCE), b.uri(SOURCE)), "ObjectExists", SOURCE),
    ),
    "copy-missing": (
        ("on_device_copy",), _refused("C-COPY", lambda b, c, of: c.copy(b.uri(SOURCE), b.uri(TARGET)), _ABSENT, TARGET),
    ),
    "copy-snapshot": (("on_device_copy", "snapshots"), _copied_snapshot),
    "snapshot-second": (("snapshots", "random_access"), _second),
    "snapshot-taken": (_SNAPSHOTS, _taken("C-SNAP", lambda b, c: c.take_snapshot(place(b, SOURCE), place(b, SNAPSHOT)))),
    "snapshot-missing": (
        _SNAPSHOTS,
        _refused("C-SNAP", lambda b, c, of: c.take_snapshot(place(b, SOURCE), place(b, SNAPSHOT)), _ABSENT),
    ),
    "clone-taken": (("snapshots", "clone"), _taken("C-CLONE", lambda b, c: c.clone(place(b, SNAPSHOT), place(b, SOURCE)))),
    "clone-missing": (
        ("snapshots", "clone"),
        _refused("C-CLONE", lambda b, c, of: c.clone(place(b, SNAPSHOT), place(b, TARGET)), _ABSENT),
    ),
    "revert-missing": (
        ("snapshots", "revert"),
        _refused("C-REVERT", lambda b, c, of: c.revert(place(b, SOURCE), place(b, SNAPSHOT)), _ABSENT, SOURCE),
    ),
    "pwrite-lazy": (("random_access",), _lazy),
    "pread-missing": (("random_access",), _refused("C-VOLUME", lambda b, c, of: c.pread(b.uri(TARGET), 0, 1), _ABSENT)),
}  # fmt: skip


def possible(facts: Facts, name: str) -> bool:
    """Whether the declared capabilities allow the variant of that name."""
    needs, _ = VARIANTS[name]
    kinds = {ObjectKind.VOLUME, ObjectKind.SNAPSHOT} if "snapshots" in needs else set[ObjectKind]()
    kinds |= {ObjectKind.VOLUME} if "random_access" in needs else set()
    return kinds <= set(facts.capabilities.kinds) and all(getattr(facts.capabilities, need) for need in needs)


def variant(facts: Facts, name: str) -> Scenario | None:
    """The variant of that name, with sizes that fit the device; ``None`` where no variant is called so."""
    found = VARIANTS.get(name)
    return found[1](name, _Bytes.of(facts, name.endswith("-parts"))) if found is not None else None
