"""Parts of L- rules about transfers with the outside (links given to clients, doors at agents, exports that arrived) and about
copies for many zones.
"""

from __future__ import annotations

from dataclasses import dataclass

from storcert.harness.checkers.facts import Fact
from storcert.harness.checkers.known import Known, Place
from storcert.harness.checkers.rule import Rule
from storcert.harness.contract import Role, Scope

EXPORTS_MAX = 1024
"""Of so many URLs it is remembered what should be there."""


@dataclass(slots=True)
class _Link:
    """A URL that is out."""

    kind: str
    place: Place
    at: str
    expires_ns: int
    job: int | None
    wanted: bool
    time_ns: int


def _learn(links: dict[int, _Link], fact: Fact) -> None:
    value = fact.value
    if value["event"] == "released":
        links.pop(value["id"], None)
        return
    wanted = value["event"] != "unwanted" and (value["id"] not in links or links[value["id"]].wanted)
    place = value["uri"], value["device"]
    links[value["id"]] = _Link(
        value["kind"], place, value["at"], value["expires_ns"], value["job"], wanted, fact.time_ns)


class LinksBalance(Rule):
    """At the end the link of every ended upload is released, every other one leads to an open door and its time is not over,
    and every open door has its link."""

    identity = "L-BALANCE"
    sorts = ("link", "door", "crash", "restart")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._links: dict[int, _Link] = {}
        self._doors: dict[tuple[str, int], tuple[int, int]] = {}  # by location and link: since when, until when

    def see(self, fact: Fact) -> None:
        if fact.sort == "link":
            _learn(self._links, fact)
        elif fact.sort == "door":
            key = fact.at, fact.value["link"]
            if fact.value["event"] == "opened":
                self._doors[key] = fact.time_ns, fact.time_ns + fact.value["lasts_ns"]
            elif fact.value["event"] == "closed":
                self._doors.pop(key, None)
        else:  # a door ends with its agent
            self._doors = {key: one for key, one in self._doors.items() if key[0] != fact.at}

    def end(self, fact: Fact) -> None:
        for number, link in sorted(self._links.items()):
            told = self._wrong(number, link, fact.time_ns)
            if told:
                self.broke(link.time_ns, told)
            else:
                self.sound()
        for (at, number), (since_ns, until_ns) in sorted(self._doors.items()):
            if number in self._links or until_ns <= fact.time_ns:
                self.sound()
            else:
                self.broke(since_ns, f"a door is open at {at} for link {number}, which is not out")

    def _wrong(self, number: int, link: _Link, now_ns: int) -> str:
        name = f"link {number} to {link.place[0]}"
        if link.kind == "upload":
            ended = link.job is None or self.known.ending(link.job)
            return f"{name} is out and its upload has ended" if ended else ""
        if link.expires_ns <= now_ns:
            return f"{name} is still on record when its time is over"
        if not link.wanted:
            return f"{name} is still on record when nobody wants it"
        return "" if (link.at, number) in self._doors else f"{name} leads to no open door at {link.at}"


class LinksHold(Rule):
    """No delete or revert is sent while a link to the object there is out and wanted."""

    identity = "L-DEPEND"
    sorts = ("link", "command")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._links: dict[int, _Link] = {}

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "link":
            if value["kind"] == "download":
                _learn(self._links, fact)
        elif value["event"] == "sent" and value["verb"] in ("delete", "revert") and self._links:
            place = value.get("uri") or value["volume"], value["device"]
            held = [number for number, link in self._links.items() if link.place == place and link.wanted]
            if held:
                self.broke(fact.time_ns, f"{value['verb']} {place[0]} on {place[1]} while link {min(held)} to it is out")
            else:
                self.sound()


class LinksAway(Rule):
    """No link leads to a management server: its clients' bytes would pass there."""

    identity = "L-NOBYTES"
    sorts = ("link",)

    def see(self, fact: Fact) -> None:
        at = fact.value["at"]
        if at and self.known.places.get(at, ("",))[0] == "management":
            self.broke(fact.time_ns, f"link {fact.value['id']} leads to {at}")
        else:
            self.sound()


class Exported(Rule):
    """What an export that succeeded last sent to a URL is there at the end: as many bytes as it said, and of an object that
    never changes, the object's."""

    identity = "L-ONCE"
    sorts = ("job", "survey", "delivered")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._due: dict[str, tuple[str, int, int]] = {}  # by URL: object, size, since when
        self._contents: dict[str, set[str]] = {}
        self._there: dict[str, tuple[int, str]] = {}

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "delivered":
            self._there[value["url"]] = value["size_bytes"], value["digest"]
        elif fact.sort == "survey":
            if not value["uri"].startswith("/volume/") and any(uri == value["uri"] for uri, _, _ in self._due.values()):
                self._contents.setdefault(value["uri"], set()).add(value["digest"])
        elif value["event"] == "begun" and value["kind"] == "export":
            self._due.pop(value["arguments"]["url"], None)
        elif value["event"] == "succeeded":
            job = self.known.job(value["id"])
            if job is not None and job.kind == "export":
                self._due[job.arguments["url"]] = job.name, value["result"]["size_bytes"], fact.time_ns
                if len(self._due) > EXPORTS_MAX:
                    del self._due[next(iter(self._due))]

    def end(self, fact: Fact) -> None:
        for url, (name, size_bytes, since_ns) in sorted(self._due.items()):
            found = self._there.get(url)
            if found is None:
                self.broke(since_ns, f"{name} was exported to {url}, and nothing is there")
            elif found[0] != size_bytes:
                self.broke(since_ns, f"{name} was exported to {url}: {size_bytes} bytes were due, {found[0]} are there")
            elif name in self._contents and found[1] not in self._contents[name]:
                self.broke(since_ns, f"{name} was exported to {url}, and its bytes are others there")
            else:
                self.sound()
        self._contents, self._there = {}, {}


class Uploaded(Rule):
    """An upload whose client was told that the object is there does not fail, unless what is there turned out to be corrupt or
    somebody cancelled it.

    Remembered: the unfinished uploads whose objects came."""

    identity = "L-ONCE"
    sorts = ("link", "door", "job")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._jobs: dict[int, int] = {}  # by link
        self._came: set[int] = set()

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "link":
            if value["kind"] == "upload" and value["event"] != "released":
                self._jobs[value["id"]] = value["job"]
            else:
                self._jobs.pop(value["id"], None)
        elif fact.sort == "door":
            if value["event"] == "came" and value["link"] in self._jobs:
                self._came.add(self._jobs[value["link"]])
        elif value["event"] in ("succeeded", "failed") and value["id"] in self._came:
            self._came.discard(value["id"])
            result = value["result"]
            excused = result.get("error") == "DataCorrupted" or "cancelled" in str(result.get("message"))
            if value["event"] == "failed" and not excused:
                self.broke(fact.time_ns, f"upload {value['id']} failed and its client was told that the object is there")
            else:
                self.sound()


class Seeded(Rule):
    """A zone of which a seeding says that it has its copy has one when it says so: whole, and on a device for images there. A
    copy that was whole while the job ran may have been deleted by others before it ended.

    Remembered: the seedings that run, and the whole copies of what they seed that went meanwhile."""

    identity = "L-ONCE"
    sorts = ("job", "placement")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._running: dict[int, str] = {}
        self._went: dict[int, set[str]] = {}

    def see(self, fact: Fact) -> None:
        value = fact.value
        if fact.sort == "placement":
            if self._running and value["state"] != "ready":
                self._goes(value["uri"], value["device"])
            return
        number = value["id"]
        if value["event"] == "begun" and value["kind"] == "seed":
            self._running[number] = value["arguments"]["uri"]
        elif value["event"] in ("succeeded", "failed") and number in self._running:
            del self._running[number]
            went = self._went.pop(number, set())
            if value["event"] == "succeeded":
                self._judge(fact, went)

    def _goes(self, uri: str, device: str) -> None:
        before = self.known.placements.get((uri, device))
        if before is not None and before.state == "ready":
            for number, name in self._running.items():
                if name == uri:
                    self._went.setdefault(number, set()).add(device)

    def _judge(self, fact: Fact, went: set[str]) -> None:
        value = fact.value
        job = self.known.job(value["id"])
        if job is None:
            return
        for zone, one in sorted(value["result"]["zones"].items()):
            if "result" not in one:
                continue
            device = one["result"]["device"]
            told = "" if device in went else self._wrong(job.name, zone, device)
            if told:
                self.broke(fact.time_ns, f"job {value['id']} (seed {job.name}) gave {zone} {device}, {told}")
            else:
                self.sound()

    def _wrong(self, name: str, zone: str, device: str) -> str:
        placed, found = self.known.placements.get((name, device)), self.known.devices.get(device)
        if placed is None or placed.state != "ready":
            return "where it is not"
        if found is None or found[0].role is not Role.IMAGE:
            return "which is not for images"
        where = found[0]
        if where.scope is Scope.REGION or (where.scope is Scope.ZONE and where.scope_id == zone):
            return ""
        inside = [one for one in self.known.places.values() if one[1] == zone and where.scope_id in one]
        return "" if inside or where.scope is Scope.HOST else "which is elsewhere"


TRANSFERS: tuple[type[Rule], ...] = (LinksBalance, LinksHold, LinksAway, Exported, Uploaded, Seeded)
