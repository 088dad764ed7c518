"""L-SINGLE: when a command that makes an object is under way, and whether another one is beside it."""

from __future__ import annotations

from dataclasses import dataclass

from storcert.harness.checkers.facts import MAKING, Fact
from storcert.harness.checkers.known import Known, Place
from storcert.harness.checkers.rule import Rule

CALL_NS = 15 * 60 * 10**9
"""Longest that one call of a driver may take (C-BUDGET): so long after its deadline nothing of a command happens any more."""


@dataclass(slots=True, eq=False)
class _Making:
    """A command under way at a location, at the latest until ``over_ns``."""

    job: int
    place: Place
    at: str
    over_ns: int


class Single(Rule):
    """No two jobs make the same object on the same device at once, and nothing is made that is ready already.

    A command is under way until its server says that it ended, its location dies, or its time is over. Nobody says how a
    command of a server ended that has lost the job: it counts until the job has ended.
    """

    identity = "L-SINGLE"
    sorts = ("command", "job", "crash", "restart")

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._under_way: dict[str, _Making] = {}
        self._at: dict[Place, list[str]] = {}
        self._orphans: dict[int, list[str]] = {}

    def see(self, fact: Fact) -> None:
        if fact.sort == "command":
            if fact.value["event"] == "ended":
                self._ended(fact.value["id"])
            # A server that stood still may send a command whose deadline is over: its agent begins nothing for it.
            elif fact.value["verb"] in MAKING and fact.value["allowed_ns"] > 0:
                self._sent(fact)
        elif fact.sort == "job":
            self._job(fact.value["id"], fact.value["event"])
        else:
            self._died(fact)

    def _sent(self, fact: Fact) -> None:
        value = fact.value
        device, name, _ = self.known.touched(fact)[-1]
        place = (name, device)
        others = set()
        for number in self._at.get(place, ()):
            one = self._under_way[number]
            if one.job != value["job"] and one.over_ns > fact.time_ns:
                others.add(one.job)
        self._ended(value["id"])
        self._under_way[value["id"]] = _Making(value["job"], place, value["at"], fact.time_ns + value["allowed_ns"] + CALL_NS)
        self._at.setdefault(place, []).append(value["id"])
        placed = self.known.placements.get(place)
        if others:
            self.broke(fact.time_ns, f"jobs {min(others)} and {value['job']} make {name} on {device} at once")
        elif placed is not None and placed.state == "ready":
            self.broke(fact.time_ns, f"{name} is ready on {device} and is made again")
        else:
            self.sound()

    def _ended(self, number: str) -> None:
        one = self._under_way.pop(number, None)
        if one is not None:
            numbers = self._at[one.place]
            numbers.remove(number)
            if not numbers:
                del self._at[one.place]

    def _job(self, job: int, event: str) -> None:
        if event == "taken-over":
            self._orphans[job] = [number for number, one in self._under_way.items() if one.job == job]
        elif event in ("succeeded", "failed") and job in self._orphans:
            for number in self._orphans.pop(job):
                self._ended(number)

    def _died(self, fact: Fact) -> None:
        for number in [
            number for number, one in self._under_way.items() if one.at == fact.at or one.over_ns <= fact.time_ns
        ]:
            self._ended(number)
