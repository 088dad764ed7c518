"""The L- rules about what comes of things: jobs that end, sources that live, what a failure leaves. Records and bytes at the
end: ``end_rules``."""

from __future__ import annotations

from storcert.harness.checkers.facts import Fact
from storcert.harness.checkers.known import Job, Known, Place
from storcert.harness.checkers.rule import Rule

FAILED_MAX = 16_384
_ENDINGS = ("succeeded", "failed")


class NoBytes(Rule):
    """The ledger shows no object byte at a management server, and no command went to one."""

    identity = "L-NOBYTES"
    sorts = ("traffic", "command")

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "traffic":
            if self._is_management(value["location"]):
                moved = value["bytes"]
                if moved:
                    self.broke(fact.time_ns, f"{moved} object bytes passed {value['location']}")
                else:
                    self.sound()
        elif value["event"] == "sent":
            if self._is_management(value["at"]):
                self.broke(fact.time_ns, f"{value['verb']} was sent to {value['at']}")
            else:
                self.sound()

    def _is_management(self, location: str) -> bool:
        return self.known.places.get(location, ("",))[0] == "management"


class Once(Rule):
    """Each job ends exactly once, and what it says of the placement it made is true at that moment.

    Remembered of jobs that ended long ago: that they did, and how.
    """

    identity = "L-ONCE"
    sorts = ("job",)

    def see(self, fact: Fact) -> None:
        value = fact.value
        number, event = value["id"], value["event"]
        if event not in _ENDINGS:
            return
        before = self.known.ending(number)
        if before:
            self.broke(fact.time_ns, f"job {number} ended {before} and then {event}")
        job = self.known.job(number)
        untrue = ""
        if job is not None:
            untrue = _untrue(self.known, number, event, job)
        elif not before:
            untrue = f"job {number} ended and never began"
        if untrue:
            self.broke(fact.time_ns, untrue)
        else:
            self.sound()

    def end(self, fact: Fact) -> None:
        self.sound(self.known.ended())
        for number, job in self.known.unfinished.items():
            self.broke(job.time_ns, f"job {number} ({job.kind}) never ended")


def _untrue(known: Known, number: int, event: str, job: Job) -> str:
    if event == "failed":
        return ""
    name = job.name
    if job.kind in ("create", "download", "upload", "copy", "migrate"):
        placed = known.placements.get((name, job.arguments["device"]))
        if placed is None or placed.state != "ready":
            found = "absent" if placed is None else placed.state
            return f"job {number} ({job.kind} {name}) succeeded and its placement is {found}"
    elif job.kind == "delete":
        thing = known.objects.get(name)
        if thing is not None and thing.copies:
            return f"job {number} (delete {name}) succeeded and the object is still placed"
    return ""


class Source(Rule):
    """A migrated volume is taken from where it was only after it was verified where it went."""

    identity = "L-SOURCE"
    sorts = ("command",)

    def see(self, fact: Fact) -> None:
        value = fact.value
        if value["event"] != "sent" or value["verb"] != "delete":
            return
        job = self.known.job(value["job"])
        if job is None or job.kind != "migrate":
            return
        uri, goal = job.arguments["uri"], job.arguments["device"]
        if value["uri"] == uri and value["device"] != goal:
            if job.verified:
                self.sound()
            else:
                self.broke(fact.time_ns, f"{uri} is deleted from {value['device']} before it was seen on {goal}")


class Clean(Rule):
    """What a failed create or copy was to make has no record when the job ends but one that is being destroyed, and at the end
    neither record nor bytes, unless another job made it; no object is known that is placed nowhere.

    Remembered: where making failed and nothing was made since; of more than ``FAILED_MAX`` such places the oldest are
    forgotten once they have no record. What is left there all the same, L-RECORD sees.
    """

    identity = "L-CLEAN"
    sorts = ("job", "placement", "survey")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._failed: dict[Place, int] = {}
        self._left: set[Place] = set()
        self._forgotten = 0
        self._surveying = False

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "placement":
            if value["state"] == "ready":
                self._failed.pop((value["uri"], value["device"]), None)
        elif fact.sort == "survey":
            self._survey((value["uri"], value["device"]))
        elif value["event"] in _ENDINGS:
            job = self.known.job(value["id"])
            if job is not None and job.kind in ("create", "download", "upload", "copy"):
                self._ended(fact, (job.name, job.arguments["device"]))

    def _ended(self, fact: Fact, place: Place) -> None:
        if fact.value["event"] == "succeeded":
            self._failed.pop(place, None)
            return
        placed = self.known.placements.get(place)
        if placed is not None and placed.state == "ready" and placed.maker != fact.value["id"]:
            return  # another job had made it before, and this one left it alone
        self._failed[place] = fact.time_ns
        if placed is not None and placed.state in ("allocated", "creating", "failed") and placed.job == fact.value["id"]:
            self.broke(fact.time_ns, f"making {place[0]} on {place[1]} failed, and its record is left {placed.state}")
        if len(self._failed) > FAILED_MAX:
            self._forget()

    def _forget(self) -> None:
        gone = [place for place in self._failed if place not in self.known.placements][: FAILED_MAX // 4]
        for place in gone:
            del self._failed[place]
        self._forgotten += len(gone)

    def _survey(self, place: Place) -> None:
        if not self._surveying:
            self._surveying = True
            self._left.clear()
        if place in self._failed and place not in self.known.placements:
            self._left.add(place)

    def end(self, fact: Fact) -> None:
        self._surveying = False
        self.sound(self._forgotten)
        for place in sorted(self._failed):
            uri, device = place
            placed, time_ns = self.known.placements.get(place), self._failed[place]
            if placed is not None:
                self.broke(time_ns, f"making {uri} on {device} failed, and a record of it is left: {placed.state}")
            elif place in self._left:
                self.broke(time_ns, f"making {uri} on {device} failed, and bytes of it are left")
            else:
                self.sound()
        for uri in sorted(uri for uri, thing in self.known.objects.items() if thing.known):
            if self.known.objects[uri].copies:
                self.sound()
            else:
                self.broke(fact.time_ns, f"{uri} is known and is placed nowhere")


class Repeat(Rule):
    """A create or copy does not fail because of what an earlier try left on the device, nor a delete because of nothing."""

    identity = "L-REPEAT"
    sorts = ("job",)

    def see(self, fact: Fact) -> None:
        value = fact.value
        if value["event"] not in _ENDINGS:
            return
        job = self.known.job(value["id"])
        if job is None or job.kind not in ("create", "copy", "download", "upload", "delete", "migrate"):
            return
        error = value["result"].get("error") if value["event"] == "failed" else None
        if error == "ObjectExists" or (job.kind == "delete" and error == "ObjectNotFound"):
            told = f"job {value['id']} ({job.kind}) failed with {error}: {value['result'].get('message')}"
            self.broke(fact.time_ns, told)
        else:
            self.sound()


OUTCOME: tuple[type[Rule], ...] = (NoBytes, Once, Source, Clean, Repeat)
