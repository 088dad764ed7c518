"""The L- rules about how things stand when a run has come to rest: records and bytes agree, nothing is in between, nothing is
held that nobody needs, nothing is left to mend."""

from __future__ import annotations

from storcert.harness.checkers.facts import Fact
from storcert.harness.checkers.known import Known, Place
from storcert.harness.checkers.rule import Rule


class Record(Rule):
    """Where only crashes happened, no bytes were ever without a record and no record without bytes. At the end each ready
    record has its bytes, in its size; each object on a device has a record; copies are equal.

    Bytes are compared with records as the survey tells them. Remembered of a survey: what is wrong, and the digests of
    objects that are in several places.
    """

    identity = "L-RECORD"
    sorts = ("fault", "swept", "lost", "survey")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._disturbed = False
        self._survey = 0  # its number, from 1
        self._surveying = False
        self._fresh()

    def _fresh(self) -> None:
        self._sound = 0
        self._wrong: dict[Place, tuple[int, str]] = {}  # keys: device, object
        self._strays: dict[Place, int] = {}
        self._digests: dict[str, set[str]] = {}

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "survey":
            if not self._surveying:
                self._surveying = True
                self._survey += 1
                self._fresh()
            self._compare(fact)
        elif fact.sort == "fault":
            self._disturbed = True
            self.take_back()  # bytes may come late, and go
        elif not self._disturbed:
            told = "bytes without a record" if fact.sort == "swept" else "a record without bytes"
            self.broke(fact.time_ns, f"{value['uri']} on {value['device']} was {told}")

    def _compare(self, fact: Fact) -> None:
        value = fact.value
        uri, device = value["uri"], value["device"]
        placed = self.known.placements.get((uri, device))
        if placed is None:
            self._strays[device, uri] = fact.time_ns
            return
        placed.surveyed = self._survey
        if placed.state != "ready":
            return
        thing = self.known.objects[uri]
        if value["size_bytes"] != thing.size_bytes:
            told = f"{uri} on {device} has {value['size_bytes']} bytes, on record are {thing.size_bytes}"
            self._wrong[device, uri] = fact.time_ns, told
            return
        self._sound += 1
        if thing.copies == 1:
            self._sound += 1  # all its copies are equal
        else:
            self._digests.setdefault(uri, set()).add(value["digest"])

    def end(self, fact: Fact) -> None:
        if not self._surveying:  # nothing is on any device
            self._survey += 1
            self._fresh()
        self._surveying = False
        wrong = dict(self._wrong)
        for (uri, device), placed in self.known.ready():
            if placed.surveyed != self._survey:
                wrong[device, uri] = fact.time_ns, f"{uri} is ready on {device} and has no bytes there"
        self.sound(self._sound)
        for place in sorted(wrong):
            self.broke(*wrong[place])
        for device, uri in sorted(self._strays):
            self.broke(self._strays[device, uri], f"{uri} is on {device} and no record speaks of it")
        for uri in sorted(self._digests):
            if len(self._digests[uri]) == 1:
                self.sound()
            else:
                self.broke(fact.time_ns, f"the copies of {uri} differ")


class Live(Rule):
    """At the end no placement is in a transitional state and none has failed without being cleared. Each placement that went
    is one that came to its end."""

    identity = "L-LIVE"
    sorts = ("placement",)

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._gone = 0

    def see(self, fact: Fact) -> None:
        if fact.value["state"] == "absent":
            self._gone += 1

    def end(self, fact: Fact) -> None:
        self.sound(self._gone)
        stuck = []
        for place, placed in self.known.placements.items():
            if placed.state == "ready":
                self.sound()
            else:
                stuck.append((place, placed))
        for (uri, device), placed in sorted(stuck, key=lambda one: one[0]):
            self.broke(placed.time_ns, f"{uri} on {device} stays {placed.state}")


class Balance(Rule):
    """At the end no ended job holds a pin, every grant belongs to a volume a host has open, and every open one has a grant."""

    identity = "L-BALANCE"
    sorts = ("attached", "detached", "crash", "restart")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._opened: dict[tuple[str, str], int] = {}

    def see(self, fact: Fact) -> None:
        if fact.sort == "attached":
            self._opened[fact.value["volume"], fact.value["host"]] = fact.time_ns
        elif fact.sort == "detached":
            self._opened.pop((fact.value["volume"], fact.value["host"]), None)
        else:  # what was running at a location is gone
            self._opened = {key: one for key, one in self._opened.items() if key[1] != fact.at}

    def end(self, fact: Fact) -> None:
        held = sorted(job for job in self.known.pins if self.known.ending(job))
        self.sound(self.known.ended() - len(held))
        for job in held:
            self.broke(fact.time_ns, f"job {job} has ended and still pins {min(self.known.pins[job])[0]}")
        grants = {(volume, host): since for volume, hosts in self.known.grants.items() for host, since in hosts.items()}
        for volume, host in sorted(grants):
            if (volume, host) in self._opened:
                self.sound()
            else:
                self.broke(grants[volume, host], f"{host} was granted {volume} and does not have it open")
        for volume, host in sorted(self._opened):
            if (volume, host) in grants:
                self.sound()
            else:
                self.broke(self._opened[volume, host], f"{host} has {volume} open without a grant")


class Converge(Rule):
    """Of two rounds of reconciliation at the end, the second found nothing to mend."""

    identity = "L-CONVERGE"
    sorts = ("reconciled",)

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._rounds = 0
        self._last: Fact | None = None

    def see(self, fact: Fact) -> None:
        self._rounds += 1
        self._last = fact

    def end(self, fact: Fact) -> None:
        last = self._last
        if last is None or self._rounds < 2:
            return
        mended = {name: count for name, count in last.value.items() if count}
        if mended:
            self.broke(last.time_ns, f"the last round still mended {mended}")
        else:
            self.sound()


AT_THE_END: tuple[type[Rule], ...] = (Record, Live, Balance, Converge)
