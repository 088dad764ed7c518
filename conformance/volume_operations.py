"""The operations of the optional abilities that faults and crashes are tried on: snapshot, revert, clone, random access."""

from __future__ import annotations

from collections.abc import Callable

from storcert.conformance.bench import Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.scenario import LATER, SNAPSHOT, SOURCE, TARGET, Scenario, place
from storcert.harness.contract import ObjectKind

#: Name of each, and the capabilities without which it cannot be tried.
NEEDS: dict[str, tuple[str, ...]] = {
    "snapshot": ("snapshots",),
    "revert": ("snapshots", "revert", "random_access"),
    "clone": ("snapshots", "clone"),
    "pwrite": ("random_access",),
    "pread": ("random_access",),
    "unsnapshot": ("snapshots",),
    "unclone": ("snapshots", "clone"),
    "orphan": ("snapshots",),
    "uproot": ("snapshots", "clone"),
}
SMALL = (
    "snapshot-small",
    "revert-small",
    "revert-past",
    "clone-small",
    "pwrite-small",
    "pread-small",
    "unsnapshot-small",
    "unclone-small",
    "orphan-small",
    "uproot-small",
)
CHANGES = ("snapshot-small", "revert-small", "clone-small", "pwrite-small", "unsnapshot-small", "unclone-small")
#: The others with large volumes: crashed at every request in profile standard, struck by every fault in profile deep.
MORE = ("revert-parts", "unsnapshot-parts", "unclone-parts", "pread-parts")
LARGE = ("snapshot-parts", "clone-parts", "pwrite-parts")


def possible(facts: Facts, name: str) -> bool:
    """Whether the declared capabilities allow the scenario of that name; those of other operations are not meant."""
    needs = NEEDS.get(name.partition("-")[0])
    if needs is None:
        return True
    able = facts.capabilities
    held = {ObjectKind.VOLUME, ObjectKind.SNAPSHOT} if "snapshots" in needs else {ObjectKind.VOLUME}
    return held <= set(able.kinds) and all(getattr(able, need) for need in needs)


def _snapshot(name: str, old: bytes, new: bytes) -> Scenario:
    return Scenario(
        name,
        "C-SNAP",
        lambda b, c: c.take_snapshot(place(b, SOURCE), place(b, SNAPSHOT)),
        {SOURCE: old},
        {SOURCE: old, SNAPSHOT: old},
        again=("ObjectExists",),
    )


def _changed(old: bytes, new: bytes, later: bool) -> Callable[[Bench, Client], None]:
    """A volume with a snapshot of what it was, written over since then; with ``later``, once more with another one."""

    def make(b: Bench, c: Client) -> None:
        c.write(place(b, SOURCE), old)
        c.take_snapshot(place(b, SOURCE), place(b, SNAPSHOT))
        if later:
            c.overwrite(place(b, SOURCE), (0, old[::-1]))
            c.take_snapshot(place(b, SOURCE), place(b, LATER))
        c.overwrite(place(b, SOURCE), (0, new))

    return make


def _revert(name: str, old: bytes, new: bytes) -> Scenario:
    past = name.endswith("-past")
    kept = {SNAPSHOT: old, LATER: old[::-1]} if past else {SNAPSHOT: old}
    return Scenario(
        name,
        "C-REVERT",
        lambda b, c: c.revert(place(b, SOURCE), place(b, SNAPSHOT)),
        {SOURCE: new, **kept},
        {SOURCE: old, **kept},
        may_refuse=("ObjectInUse",) if past else (),
        make=_changed(old, new, past),
        mixed=(SOURCE,),
    )


def _with_snapshot(old: bytes, cloned: bool) -> Callable[[Bench, Client], None]:
    def make(b: Bench, c: Client) -> None:
        c.write(place(b, SOURCE), old)
        c.take_snapshot(place(b, SOURCE), place(b, SNAPSHOT))
        if cloned:
            c.clone(place(b, SNAPSHOT), place(b, TARGET))

    return make


def _clone(name: str, old: bytes, new: bytes) -> Scenario:
    there = {SOURCE: old, SNAPSHOT: old}
    return Scenario(
        name,
        "C-CLONE",
        lambda b, c: c.clone(place(b, SNAPSHOT), place(b, TARGET)),
        there,
        {**there, TARGET: old},
        again=("ObjectExists",),
        make=_with_snapshot(old, cloned=False),
    )


def _pwrite(name: str, old: bytes, new: bytes) -> Scenario:
    middle = len(old) // 2
    written = ((0, new[:100]), (middle, new[middle : middle + 1000]), (len(old) - 7, new[-7:]))
    after = bytearray(old)
    for offset, data in written:
        after[offset : offset + len(data)] = data
    return Scenario(
        name,
        "C-VOLUME",
        lambda b, c: c.overwrite(place(b, TARGET), *written),
        {TARGET: old},
        {TARGET: bytes(after)},
        mixed=(TARGET,),
        partial=True,
    )


def _pread(name: str, old: bytes, new: bytes) -> Scenario:
    return Scenario(name, "C-VOLUME", lambda b, c: c.pread(place(b, TARGET), 0, len(old)), {TARGET: old}, {TARGET: old},
                    yields=old)


def _delete(name: str, old: bytes, new: bytes) -> Scenario:
    """Of a snapshot, of a clone, of a volume that has a snapshot (which it orphans), of a snapshot with a clone."""
    verb = name.partition("-")[0]
    gone = {"unsnapshot": SNAPSHOT, "unclone": TARGET, "orphan": SOURCE, "uproot": SNAPSHOT}[verb]
    cloned = verb in ("unclone", "uproot")
    before = {SOURCE: old, SNAPSHOT: old, **({TARGET: old} if cloned else {})}
    return Scenario(
        name,
        "C-DEPEND" if verb in ("orphan", "uproot") else "C-DELETE",
        lambda b, c: c.delete(place(b, gone)),
        before,
        {name: data for name, data in before.items() if name != gone},
        may_refuse=("ObjectInUse",) if verb in ("orphan", "uproot") else (),
        make=_with_snapshot(old, cloned),
    )


_MAKERS: dict[str, Callable[[str, bytes, bytes], Scenario]] = {
    "snapshot": _snapshot, "revert": _revert, "clone": _clone, "pwrite": _pwrite, "pread": _pread,
    "unsnapshot": _delete, "unclone": _delete, "orphan": _delete, "uproot": _delete,
}


def volume_scenario(facts: Facts, name: str) -> Scenario | None:
    """The scenario of that name, if it is one of these."""
    verb, _, amount = name.partition("-")
    if verb not in _MAKERS:
        return None
    size = facts.large_size if amount == "parts" else facts.fit(4097)
    return _MAKERS[verb](name, content("scenario", size), content("written over", size))
