"""The L- rules about who may do what, where and when: nothing needed is touched, capacity, policy, reach."""

from __future__ import annotations

from collections.abc import Mapping

from storcert.harness.checkers.facts import Fact
from storcert.harness.checkers.known import Known, Place
from storcert.harness.checkers.rule import Rule
from storcert.harness.contract import Allowance, ObjectKind, Policy, Scope


class Depend(Rule):
    """No delete or revert is sent while another job needs the object there, reads from it, or a host uses it. What was on its
    way out before the host came, which uses it elsewhere, may go on its way.

    Remembered: the commands under way that read. A command of a server that died is never said to have ended: it counts until
    its job has.
    """

    identity = "L-DEPEND"
    sorts = ("command", "crash", "restart")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._reading: dict[Place, dict[str, int]] = {}  # the job of each command, by its number
        self._where: dict[str, Place] = {}

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort != "command":
            for number in [number for number, place in self._where.items() if self._over(number, place)]:
                self._ended(number)
        elif value["event"] == "ended":
            if value["id"] in self._where:
                self._ended(value["id"])
        elif "source" in value:
            place = value["source"], value.get("source_device") or value["device"]
            self._where[value["id"]] = place
            self._reading.setdefault(place, {})[value["id"]] = value["job"]
        elif value["verb"] in ("delete", "revert"):
            self._judge(fact, value.get("uri") or value["volume"])

    def _over(self, number: str, place: Place) -> bool:
        return bool(self.known.ending(self._reading[place][number]))

    def _ended(self, number: str) -> None:
        place = self._where.pop(number)
        readers = self._reading[place]
        del readers[number]
        if not readers:
            del self._reading[place]

    def _judge(self, fact: Fact, name: str) -> None:
        value = fact.value
        place = name, value["device"]
        others = self.known.needers(place, value["job"])
        for job in self._reading.get(place, {}).values():
            if job != value["job"] and not self.known.ending(job):
                others.add(job)
        if others:
            self.broke(fact.time_ns, f"{value['verb']} {name} on {value['device']} while job {min(others)} needs it")
        elif name in self.known.grants and not self._left_before(place, self.known.grants[name]):
            self.broke(fact.time_ns, f"{value['verb']} {name} while host {min(self.known.grants[name])} uses it")
        else:
            self.sound()

    def _left_before(self, place: Place, grants: Mapping[str, int]) -> bool:
        """Whether that copy was on its way out before any host came to use the volume, of which there is another."""
        placed, thing = self.known.placements.get(place), self.known.objects.get(place[0])
        if placed is None or thing is None or placed.state != "destroying" or thing.copies < 2:
            return False
        return placed.time_ns < min(grants.values())


class Capacity(Rule):
    """After every change the capacity counted on a device is the sum of what is placed there."""

    identity = "L-CAPACITY"
    sorts = ("capacity",)

    def see(self, fact: Fact) -> None:
        device, found = fact.value["device"], fact.value["reserved_bytes"]
        due = self.known.reserved_bytes.get(device, 0)
        if found == due:
            self.sound()
        else:
            self.broke(fact.time_ns, f"{found} bytes are counted on {device}, {due} are placed there")


class PolicyLast(Rule):
    """Nothing is ready on a device that is larger than its policy or capability allows, and no more is counted there than its
    quota."""

    identity = "L-POLICY"
    sorts = ("placement", "capacity")

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "capacity":
            self._quota(fact)
            return
        found = self.known.devices.get(value["device"]) if value["state"] == "ready" else None
        if found is None:
            return
        placed = self.known.placements.get((value["uri"], value["device"]))
        size_bytes = value["reserved_bytes"] if placed is None else placed.reserved_bytes
        limit = found[1].max_object_size_bytes
        if limit is not None and size_bytes > limit:
            told = f"{value['uri']} is ready on {value['device']} with {size_bytes} bytes, where at most {limit} are allowed"
            self.broke(fact.time_ns, told)
        else:
            self.sound()

    def _quota(self, fact: Fact) -> None:
        device, counted = fact.value["device"], fact.value["reserved_bytes"]
        found = self.known.devices.get(device)
        quota = None if found is None else found[0].quota_bytes
        if quota is not None and counted > quota:
            self.broke(fact.time_ns, f"{counted} bytes are counted on {device}, whose quota is {quota}")
        elif quota is not None:
            self.sound()


class PolicyFirst(Rule):
    """No command asks a device for what its policy or its capability forbids."""

    identity = "L-POLICY"
    sorts = ("command",)

    def see(self, fact: Fact) -> None:
        if fact.value["event"] != "sent":
            return
        verb = fact.value["verb"]
        for device, name, changes in self.known.touched(fact):
            if not name:
                continue
            found = self.known.devices.get(device)
            if found is None:
                self.broke(fact.time_ns, f"{verb} {name} on {device}, of which no policy is known")
            elif not _allowed(found[1], verb, ObjectKind(name.split("/", 2)[1]), changes):
                self.broke(fact.time_ns, f"{verb} {name} on {device}, where policy forbids it")
            elif verb in _ABLE and not getattr(found[1], _ABLE[verb]):
                self.broke(fact.time_ns, f"{verb} on {device}, which cannot or may not")
            else:
                self.sound()


def _allowed(allowance: Allowance, verb: str, kind: ObjectKind, changes: bool) -> bool:
    return allowance.may_write(kind) if changes and verb != "delete" else allowance.may_read(kind)


_ABLE: Mapping[str, str] = {
    "device-copy": "on_device_copy", "snapshot": "snapshots", "clone": "clone", "revert": "revert", "attach": "random_access",
    "list": "enumerate",
}


class Reach(Rule):
    """Each command goes to a location within the scope of every device it names."""

    identity = "L-REACH"
    sorts = ("command",)

    def see(self, fact: Fact) -> None:
        if fact.value["event"] != "sent":
            return
        at = fact.value["at"]
        place = self.known.places.get(at)
        for device, _, _ in self.known.touched(fact):
            found = self.known.devices.get(device)
            if found is None:
                continue  # nobody knows where it is
            if place is not None and _reaches(at, place, found[0]):
                self.sound()
            else:
                self.broke(fact.time_ns, f"{fact.value['verb']} on {device} was sent to {at}, which does not reach it")


def _reaches(name: str, place: tuple[str, str, str], policy: Policy) -> bool:
    kind, zone, cluster = place
    if kind == "management":
        return False
    if policy.scope is Scope.REGION:
        return True
    wanted = {Scope.ZONE: zone, Scope.CLUSTER: cluster, Scope.HOST: name}[policy.scope]
    return wanted == policy.scope_id and (policy.scope is not Scope.HOST or kind == "host")


class Staging(Rule):
    """A staged copy that a job pins is not taken away."""

    identity = "L-STAGING"
    sorts = ("placement",)

    def see(self, fact: Fact) -> None:
        value = fact.value
        if value["purpose"] != "staged" or value["event"] != "destroy":
            return
        others = self.known.needers((value["uri"], value["device"]), value["job"])
        if others:
            told = f"the staged copy of {value['uri']} on {value['device']} goes while job {min(others)} uses it"
            self.broke(fact.time_ns, told)
        else:
            self.sound()


CONDUCT: tuple[type[Rule], ...] = (Depend, Capacity, PolicyFirst, PolicyLast, Reach, Staging)
