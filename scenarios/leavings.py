"""What nobody owns on devices when a run is over: found by taking everything away that somebody owns.

No listing shows an upload that was never ended, a part of a file, a snapshot in a trash, and no record speaks of them. So when
a run has been judged and looked at, its world is used up: whoever is at work dies, every object on a device is deleted through
its driver, and a census is taken. What is left then, and would not be there on a new device after the same kinds of objects had
come and gone, belongs to nobody.

Whose fault that is decides what is deleted next. What goes with an object whose making failed was left there by a control plane
that never deleted it (L-CLEAN); what a dead process left is legal only until then (C-ABORT). What goes with any other name
came late, after the delete: nobody is accused. What goes with no name at all, no call will ever take away (L-RECORD).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storcert.harness.checkers.facts import MAKING, Broken, Finding, touched_by
from storcert.harness.contract import DataObjectUri, ObjectKind, StorageDevice
from storcert.harness.kernel import Kernel
from storcert.harness.kernel.journal import Journal
from storcert.scenarios.survey import told_by_driver
from storcert.simulators.device import CensusEntry, SimulatedDevice

BROOM = "broom"
LAPSE_NS = 900 * 10**9
"""Locks and watches of the dead are gone after so long."""
NAMES_MAX = 10_000
"""So many names are remembered of a device; where there were more, what is left may be some other name's."""
_OF_THE_DEAD = frozenset(("silly", "dead-watch", "lock"))
"""What a client keeps on a device while it lives, and nothing but the client itself takes away."""
_PASSES_MAX = 8
_LIMIT_NS = 24 * 3600 * 10**9
_TOLD_MAX = 3
Entry = tuple[str, str]
Place = tuple[str, str]


class Makings:
    """Listens to a journal: which names were used on which device, and of which of them a making failed and no delete and no
    other making was done since."""

    def __init__(self, journal: Journal) -> None:
        self.failed: dict[Place, None] = {}
        self.names: dict[str, dict[str, None]] = {}
        self._under_way: dict[str, tuple[str, Place]] = {}
        journal.listen(["command"], self._hear)

    def _hear(self, time_ns: int, location: str, kind: str, text: str, value: Mapping[str, Any] | None) -> None:
        if value is None:
            return
        if value["event"] == "sent":
            for device, name, changes in touched_by(value):
                if changes and value["verb"] != "revert":
                    self._under_way[value["id"]] = value["verb"], (device, name)
                    names = self.names.setdefault(device, {})
                    if len(names) <= NAMES_MAX:
                        names[name] = None
            return
        verb, place = self._under_way.pop(value["id"], ("", ("", "")))
        if verb in MAKING and value["ending"] != "done":
            self.failed[place] = None
        elif verb and value["ending"] == "done" and not any(other == place for _, other in self._under_way.values()):
            self.failed.pop(place, None)

    def failed_on(self, device: str) -> list[str]:
        """Names of which something may be left there that the control plane should have deleted."""
        late = [place for verb, place in self._under_way.values() if verb in MAKING]
        return sorted({name for at, name in (*self.failed, *late) if at == device})


@dataclass(frozen=True, slots=True)
class Attached:
    """A device of a region, its simulator, and how another one of the kind is made."""

    device: StorageDevice
    simulated: SimulatedDevice
    make_new: Any


def leavings(kernel: Kernel, attached: Iterable[Attached], makings: Makings) -> Iterator[Broken | str]:
    """Use up the world: for each device what broke there, or its name where nothing is left. A device that cannot be emptied
    is passed over: what is wrong there the survey tells."""
    for location in kernel.locations.values():
        if location.alive and location.name != BROOM:
            location.crash()
    kernel.run_for(LAPSE_NS)
    for one in attached:
        yield from _of_device(kernel, one, makings)


def with_leavings(findings: Iterable[Finding], found: Iterable[Broken | str]) -> list[Finding]:
    """The findings, with what was found: each clean device is one more thing that L-RECORD looked at."""
    told = list(found)
    clean = sum(isinstance(one, str) for one in told)
    broken = [one for one in told if isinstance(one, Broken)]
    result = []
    for finding in findings:
        own = tuple(one for one in broken if one.rule == finding.rule)
        looked_at = finding.looked_at + len(own) + (clean if finding.rule == "L-RECORD" else 0)
        result.append(Finding(finding.rule, looked_at, (*finding.broken, *own), finding.more))
    return result


def _of_device(kernel: Kernel, one: Attached, makings: Makings) -> Iterator[Broken | str]:
    name = one.device.name
    names = makings.names.get(name, {})
    if not _emptied(kernel, one):
        return
    fixed = _fixed(one, names)
    left = _left(one, fixed)
    if not left:
        yield name
        return
    failed = makings.failed_on(name)
    _delete(kernel, one, failed)
    still = _left(one, fixed)
    gone = left - still
    if gone:
        whose = ", ".join(failed[:_TOLD_MAX])
        yield Broken("L-CLEAN", f"on {name} {_told(gone)} is left of a making that failed ({whose}) and was never deleted",
                     kernel.now_ns)
    if still and len(names) <= NAMES_MAX:
        _delete(kernel, one, sorted(names))
        still = _left(one, fixed)
        if still:
            yield Broken("L-RECORD", f"on {name} {_told(still)} belongs to nobody, and no delete takes it away", kernel.now_ns)


def _left(one: Attached, fixed: Collection[Entry]) -> set[Entry]:
    return {_entry(entry) for entry in one.simulated.census() if entry.kind not in _OF_THE_DEAD} - set(fixed)


def _entry(entry: CensusEntry) -> Entry:
    return entry.kind, entry.name


def _told(entries: Collection[Entry]) -> str:
    shown = [f"{kind} {name}" for kind, name in sorted(entries)]
    more = f" and {len(shown) - _TOLD_MAX} more" if len(shown) > _TOLD_MAX else ""
    return ", ".join(shown[:_TOLD_MAX]) + more


def _emptied(kernel: Kernel, one: Attached) -> bool:
    """Delete all it lists, dependants first in whatever order they turn out to be; whether nothing is listed any more."""

    def sweep() -> bool:
        driver = one.device.make_driver()
        for _ in range(_PASSES_MAX):
            listed = sorted(driver.list_objects(), key=lambda uri: (uri.kind != ObjectKind.SNAPSHOT, str(uri)))
            if not listed:
                return True
            for uri in listed:
                _quietly(driver, uri)
        return False

    return bool(_at_the_broom(kernel, one.device, one.simulated, sweep))


def _delete(kernel: Kernel, one: Attached, names: Iterable[str]) -> None:
    def act() -> None:
        driver = one.device.make_driver()
        for name in names:
            _quietly(driver, DataObjectUri.parse(name))

    _at_the_broom(kernel, one.device, one.simulated, act)


def _fixed(one: Attached, names: Iterable[str]) -> frozenset[Entry]:
    """What the driver keeps for itself once such objects have come and gone: seen on a new device of the kind."""
    uris = [DataObjectUri.parse(name) for name in names]
    kinds = sorted({(str(uri.kind), uri.account) for uri in uris})
    with Kernel(1) as kernel:
        simulated = one.make_new(kernel)

        def act() -> None:
            driver = one.device.make_driver()
            granularity = driver.capabilities().size_granularity_bytes or 1
            for kind, account in kinds:
                uri = DataObjectUri(ObjectKind(kind), account, "come-and-gone")
                try:
                    driver.create(uri, granularity)
                    driver.delete(uri)
                except Exception as error:  # noqa: BLE001  (as in _quietly)
                    told_by_driver(error)

        _at_the_broom(kernel, one.device, simulated, act)
        return frozenset(_entry(entry) for entry in simulated.census())


def _quietly(driver: Any, uri: DataObjectUri) -> None:
    try:
        driver.delete(uri)
    except Exception as error:  # noqa: BLE001  (a driver may raise anything: it has not deleted then)
        told_by_driver(error)


def _at_the_broom(kernel: Kernel, device: StorageDevice, simulated: SimulatedDevice, act: Any) -> Any:
    """What comes of it, ``None`` where the driver cannot or does not end. Raises what a device model lacks."""
    location = kernel.location(BROOM)
    simulated.attach(location)
    task = kernel.spawn(act, location=location, name=f"broom at {device.name}")
    kernel.run_until_done(task, limit_ns=_LIMIT_NS)
    if task.error is None:
        return task.result
    if not isinstance(task.error, Exception):
        raise task.error
    told_by_driver(task.error)
    return None
