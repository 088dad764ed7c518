"""Moments and things of a run by the words a person uses for them: ``--at 31.5s``, ``--show device:vols``. Values only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from storcert.conformance.usage import InvalidUsage
from storcert.harness.checkers.facts import Broken
from storcert.harness.record.event import Event
from storcert.reports.timeline import Line, lines_of
from storcert.scenarios.format.base import object_text, parse_object
from storcert.scenarios.format.units import parse_duration
from storcert.scenarios.result import ScenarioResult

END, BROKEN = "end", "broken"
MOMENTS = f'a number of an event, a time since the beginning as "31.5s", "{BROKEN}" (when the first rule broke) or "{END}"'
THINGS = "an object as /volume/1/a, device:NAME, location:NAME, job:NUMBER, waits, jobs or objects"
Sort = Literal["object", "device", "location", "job", "waits", "jobs", "objects"]


@dataclass(frozen=True, slots=True)
class Thing:
    """What is to be shown."""

    sort: Sort
    name: str = ""


class Course:
    """One run from its first event to its last, all of them at hand. ``events`` are counted from 1; ``lines``: those that a
    timeline shows; ``broken``: what broke a rule, in the order of time."""

    def __init__(self, result: ScenarioResult) -> None:
        self.result = result
        self.events: Sequence[Event] = result.shown.events
        self.start_ns = self.events[0].time_ns if self.events else 0
        self.lines: Sequence[Line] = tuple(lines_of(self.events))
        found = [one for finding in result.shown.findings for one in finding.broken]
        self.broken: Sequence[Broken] = sorted(found, key=lambda one: (one.time_ns, one.rule))
        self._times = [event.time_ns for event in self.events]

    @property
    def last(self) -> int:
        """The number of the last event."""
        return len(self.events)

    def number_at(self, time_ns: int) -> int:
        """The last event at or before a moment in virtual Unix time."""
        return max(1, bisect_right(self._times, time_ns))

    def moment(self, said: str) -> int:
        """The event that somebody means. Raises :class:`InvalidUsage`."""
        text = said.strip()
        if text == END:
            return self.last
        if text == BROKEN:
            if not self.broken:
                raise InvalidUsage(f"{said}: no rule broke in this run")
            return self.number_at(self.broken[0].time_ns)
        if text.isdecimal():
            number = int(text)
            if not 1 <= number <= self.last:
                raise InvalidUsage(f"{said}: the run has the events 1 to {self.last}; a time has a unit, as in {text}s")
            return number
        try:
            return self.number_at(self.start_ns + parse_duration(text))
        except ValueError:
            raise InvalidUsage(f"{said!r} is no moment: {MOMENTS}") from None

    def since(self, time_ns: int) -> int:
        """Virtual time since the beginning."""
        return time_ns - self.start_ns


def thing(said: str) -> Thing:
    """What somebody wants to see. Raises :class:`InvalidUsage`."""
    text = said.strip()
    if text in ("waits", "jobs", "objects"):
        return Thing(text)  # type: ignore[arg-type]
    sort, colon, name = text.partition(":")
    if colon and sort in ("device", "location", "job") and name:
        if sort == "job" and not name.isdecimal():
            raise InvalidUsage(f"{said}: a job has a number, as in job:7")
        return Thing(sort, name)  # type: ignore[arg-type]
    if "/" in text:
        try:
            return Thing("object", parse_object(text))
        except ValueError as error:
            raise InvalidUsage(str(error)) from None
    raise InvalidUsage(f"{said!r} is nothing to show: {THINGS}")


def short(uri: str) -> str:
    """An object's name as a scenario file writes it."""
    return object_text(uri)
