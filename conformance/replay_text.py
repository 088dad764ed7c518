"""A moment of a run as text for people: what had happened, what stands where, who waits for whom. Nothing runs here; the region
that is looked at stands still."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from storcert.conformance.replay_places import Course, Thing
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.record.event import Event
from storcert.reports.timeline import Line, seconds
from storcert.scenarios.moment import DeviceThere, Waits, device_there, location_there, places_of, waits_of, wires_of
from storcert.scenarios.moment_facts import Facts, Job, facts_until
from storcert.scenarios.region import Region

CENSUS_SHOWN = 40
REQUESTS_SHOWN = 12
JOBS_SHOWN = 20
LINES_SHOWN = 20
WIDTH_MAX = 160


class Moment:
    """The world after event ``number`` of a run, and what is to be said of it. ``asked``: the event that was meant; of several
    that happen in one go the world can be seen after the last only."""

    def __init__(self, course: Course, region: Region, number: int, asked: int) -> None:
        self.course = course
        self.region = region
        self.number = min(number, course.last)
        self.asked = min(asked, self.number)
        self._facts: Facts | None = None

    @property
    def facts(self) -> Facts:
        """What had been told by then; read when it is first asked for."""
        if self._facts is None:
            self._facts = facts_until(self.course.events[: self.number])
        return self._facts

    def show(self, thing: Thing) -> str:
        """Raises :class:`InvalidUsage` where there is no such thing at this moment."""
        match thing.sort:
            case "object":
                lines = self._object(thing.name)
            case "device":
                lines = self._device(thing.name)
            case "location":
                lines = self._location(thing.name)
            case "job":
                lines = self._job(int(thing.name))
            case "waits":
                lines = self._waits()
            case "jobs":
                lines = self._jobs(self.facts.unfinished())
            case "objects":
                lines = self._objects()
        return _text(lines)

    def summary(self) -> str:
        """Where and when this is, and what is out of the ordinary."""
        return _text(self._summary())

    # -- parts

    def _when(self, time_ns: int) -> str:
        return seconds(self.course.since(time_ns)).strip()

    def _summary(self) -> Iterator[str]:
        now_ns = self.region.kernel.now_ns
        phase = f", phase {self.facts.phase}" if self.facts.phase else ""
        go = f" (in one go with all from {self.asked:,} on)" if self.asked < self.number else ""
        yield f"moment     after event {self.number:,} of {self.course.last:,}{go}, {self._when(now_ns)}{phase}"
        if self.number:
            yield f"event      {event_text(self.course.events[self.asked - 1])}"
        broken = [one for one in self.course.broken if one.time_ns <= now_ns]
        for one in broken[:5]:
            yield f"broken     {one.rule} at {self._when(one.time_ns)}: {one.text}"
        for name in places_of(self.region):
            there = location_there(self.region, name)
            if there.state != "up":
                yield f"location   {name} is {there.state}"
        for name in wires_of(self.region):
            yield from self._unusual(name)
        yield from self._jobs(self.facts.unfinished())
        yield from self._waits()

    def _unusual(self, name: str) -> Iterator[str]:
        there = device_there(self.region, name)
        if there.down_ns:
            yield f"down       {name} for another {seconds(there.down_ns).strip()}"
        if there.cut_off:
            yield f"cut off    {name} from {', '.join(there.cut_off)}"
        for fault, counted in there.armed:
            yield f"armed      {name}: {fault}, {counted} such requests so far"

    def _object(self, uri: str) -> Iterator[str]:
        known = self.facts.objects.get(uri)
        if known is None:
            yield f"{uri}: the catalogue has no record of it"
        else:
            size = "of unknown size" if known.size_bytes is None else f"{known.size_bytes:,} bytes"
            made = f", made from {known.origin}" if known.origin else ""
            yield f"{uri}: {size}, known since {self._when(known.since_ns)}{made}"
        for device, placed in self.facts.on(uri).items():
            job = f", of job {placed.job}" if placed.job is not None else ""
            pins = f", needed by job {', '.join(map(str, sorted(placed.pinned_by)))}" if placed.pinned_by else ""
            yield (
                f"  on {device}: {placed.state} since {self._when(placed.since_ns)}, {placed.purpose}, "
                f"{placed.reserved_bytes:,} bytes reserved{job}{pins}")
        for (volume, host), since_ns in sorted(self.facts.grants.items()):
            if volume == uri:
                there = "attached there" if (volume, host) in self.facts.attached else "not attached there"
                yield f"  granted to {host} since {self._when(since_ns)}, {there}"
        yield from self._jobs(self.facts.about(uri)[-JOBS_SHOWN:])
        named = re.compile(rf"{re.escape(uri)}(?![\w.~%-])")
        lines = [line for line in self.course.lines if line.number <= self.number and named.search(line.what)]
        yield from numbered(lines[-LINES_SHOWN:], self.course.last).splitlines()

    def _objects(self) -> Iterator[str]:
        for uri in sorted({*self.facts.objects, *(name for name, _ in self.facts.placements)}):
            placed = ", ".join(f"{device} {one.state}" for device, one in self.facts.on(uri).items())
            yield f"{uri}  {placed or 'nowhere'}"

    def _device(self, name: str) -> Iterator[str]:
        if name not in wires_of(self.region):
            raise InvalidUsage(f"no device is called {name!r}; there are {', '.join(wires_of(self.region))}")
        there = device_there(self.region, name)
        state = f"refuses connections for another {seconds(there.down_ns).strip()}" if there.down_ns else "up"
        yield f"{name}: {state}, {there.requests:,} requests so far"
        if name in self.facts.capacity_bytes:
            reserved, capacity = self.facts.reserved_bytes.get(name, 0), self.facts.capacity_bytes[name]
            yield f"  reserved in the catalogue: {reserved:,} of {capacity:,} bytes"
        if there.cut_off:
            yield f"  cut off from {', '.join(there.cut_off)}"
        for fault, counted in there.armed:
            yield f"  armed: {fault}, {counted} such requests so far"
        for text, times in _counted(str(fault) for fault in there.struck):
            yield f"  struck: {text}{f', {times} times' if times > 1 else ''}"
        for one in there.under_way[:REQUESTS_SHOWN]:
            yield f"  under way: {one.location} {one.task}: {one.operation} {one.target}, since {self._when(one.since_ns)}"
        yield from _census(there)
        for (uri, device), placed in sorted(self.facts.placements.items()):
            if device == name:
                yield f"  in the catalogue: {uri} {placed.state}"

    def _location(self, name: str) -> Iterator[str]:
        if name not in places_of(self.region):
            raise InvalidUsage(f"no location is called {name!r}; there are {', '.join(places_of(self.region))}")
        there = location_there(self.region, name)
        kind = self.facts.kinds.get(name, "")
        life = f", started again {there.life} times" if there.life else ""
        yield f"{name}: {f'{kind}, ' if kind else ''}{there.state}, booted at {self._when(there.booted_ns)}{life}"
        if there.cut_off:
            yield f"  cut off from {', '.join(there.cut_off)}"
        for (volume, host), since_ns in sorted(self.facts.attached.items()):
            if host == name:
                yield f"  attached: {volume} since {self._when(since_ns)}"
        for one in there.tasks:
            yield f"  {one.task}: {self._waiting(one)}"
        for job in self.facts.unfinished():
            for command in job.commands.values():
                if name in (command.at, command.asked_by):
                    word = "to do" if command.at == name else f"asked of {command.at}"
                    yield f"  {word}: {command.verb} {command.about} (job {job.number}), since {self._when(command.since_ns)}"

    def _job(self, number: int) -> Iterator[str]:
        job = self.facts.jobs.get(number)
        if job is None:
            last = max(self.facts.jobs, default=0)
            raise InvalidUsage(f"no job {number} at this moment; {f'there are 1 to {last}' if last else 'there is none yet'}")
        yield from self._jobs([job])
        pinned = sorted(place for place, one in self.facts.placements.items() if number in one.pinned_by)
        for uri, device in pinned:
            yield f"  needs {uri} on {device}"
        for (uri, device), placed in sorted(self.facts.placements.items()):
            if placed.job == number:
                yield f"  owns {uri} on {device}: {placed.state}"

    def _jobs(self, jobs: Sequence[Job]) -> Iterator[str]:
        for job in jobs[:JOBS_SHOWN]:
            yield f"job {job.number:<6} {job.kind} {job.about} ({job.owner}), {self._so_far(job)}"
            for command in job.commands.values():
                since = self._when(command.since_ns)
                yield f"             waits for {command.verb} {command.id} at {command.at}, since {since}"
        if len(jobs) > JOBS_SHOWN:
            yield f"           and {len(jobs) - JOBS_SHOWN} more jobs"

    def _so_far(self, job: Job) -> str:
        begun = f"begun {self._when(job.begun_ns)}"
        if not job.ending:
            return begun
        error = f": {job.result.get('error', '')}: {job.result.get('message', '')}" if job.ending == "failed" else ""
        return f"{begun}, {job.ending} {self._when(job.ended_ns)}{one_line(error, 120)}"

    def _waits(self) -> Iterator[str]:
        waits = waits_of(self.region)
        for one in waits:
            if not one.idle:
                yield f"waits      {_who(one)}: {self._waiting(one)}"
        idle = sum(one.idle for one in waits)
        if idle:
            yield f"idle       {idle} tasks have nothing to do, or sleep"

    def _waiting(self, one: Waits) -> str:
        if one.request is not None:
            faults = f", struck by {', '.join(map(str, one.request.faults))}" if one.request.faults else ""
            return f"for {one.request}, sent {self._when(one.request.since_ns)}{faults}"
        if one.gone:
            return f"for {one.reason}, where no task does that"
        if one.whom:
            return f"for {one.whom}"
        return "sleeps" if one.reason == "sleep" else f"for {one.reason}"


def _who(one: Waits) -> str:
    return f"{one.location} {one.task}" if one.location else one.task


def _counted(texts: Iterable[str]) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for text in texts:
        found[text] = found.get(text, 0) + 1
    return list(found.items())


def _census(there: DeviceThere) -> Iterator[str]:
    if there.census is None:
        return
    held = sum(entry.size_bytes for entry in there.census)
    yield f"  holds {len(there.census):,} things, {held:,} bytes"
    for entry in there.census[:CENSUS_SHOWN]:
        detail = f" ({entry.detail})" if entry.detail else ""
        yield f"    {entry.kind} {entry.name}{detail}, {entry.size_bytes:,} bytes"
    if len(there.census) > CENSUS_SHOWN:
        yield f"    and {len(there.census) - CENSUS_SHOWN:,} more"


def event_text(event: Event) -> str:
    """One event, whole, on one line."""
    return one_line(" ".join(part for part in (event.location, event.kind, event.text) if part), WIDTH_MAX)


def numbered(lines: Sequence[Line], last: int) -> str:
    """Lines of a timeline with the numbers of their events."""
    digits = len(f"{last}")
    width = max((len(line.where) for line in lines), default=0)
    return "".join(
        f"{line.number:>{digits}}  {seconds(line.since_ns)}  {line.where.ljust(width)}  {line.what}\n" for line in lines)


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
