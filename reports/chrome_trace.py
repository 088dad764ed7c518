"""A trace in the JSON format of Chrome's trace viewer, which Perfetto opens too. Text from values; nothing else lives here.

Processes are the kinds of place, threads the places themselves. Where several things go on at one place at once it has
as many threads, because what lies on one thread must not overlap. Times are microseconds since the run began, with three
decimals: every nanosecond is there, and what came later stands later. A flow arrow leads from a job to each of its commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from storcert.harness.record.history import Status
from storcert.harness.record.trace import DISTURBANCES, PlaceKind, Sort, Span, Trace
from storcert.reports.json_strings import Quotes, quote, quoted

_PROCESSES = {
    PlaceKind.MANAGEMENT: "management servers", PlaceKind.CATALOGUE: "catalogue", PlaceKind.STORAGE_VM: "storage VMs",
    PlaceKind.HOST: "hosts", PlaceKind.DEVICE: "devices", PlaceKind.WEB: "web servers", PlaceKind.OTHER: "others",
}
_COLOURS = {Status.OK: "", Status.FAILED: ',"cname":"terrible"', Status.UNKNOWN: ',"cname":"bad"'}
_DECIMALS = tuple(f".{number:03d}" for number in range(1000))
_NEVER_ENDED = ',"cname":"grey"'


def chrome_trace(trace: Trace) -> Iterator[str]:
    """The pieces of one JSON text; ``"".join`` or ``writelines`` makes it. Equal traces give equal text."""
    head = quoted(trace.run)
    yield f'{{"displayTimeUnit":"ns","otherData":{{"run":{head},"start_unix_ns":"{trace.start_ns}"}},"traceEvents":[\n'
    lanes = _Lanes(trace)
    yield ",\n".join(lanes.processes())
    quotes = Quotes()
    start_ns, end_ns = trace.start_ns, trace.end_ns
    threads: dict[str, str] = {}  # of jobs and commands, by key: where an arrow begins
    origins: dict[tuple[str, str], str] = {}
    marks = _marks(trace, lanes)
    mark = next(marks, None)
    request, decimals = Sort.REQUEST, _DECIMALS
    for span in trace.spans:
        begun_ns, over_ns, sort, parent = span.start_ns, span.end_ns, span.sort, span.parent
        while mark is not None and mark[0] <= begun_ns:
            yield mark[1]
            mark = next(marks, None)
        colour = _COLOURS[span.status]
        if over_ns is None:
            over_ns, colour = end_ns, _NEVER_ENDED
        thread, told = lanes.take(span.place, begun_ns, over_ns)
        if told:
            yield told
        if sort is not request:
            threads[span.key] = thread
            if span.caller and parent in threads:
                yield _arrow(span, threads[parent], thread, _us(begun_ns - start_ns))
        asked = span.caller, parent
        origin = origins.get(asked)
        if origin is None:
            origin = origins[asked] = _origin(*asked)
        about, more = span.subject, ""
        if span.sent_bytes or span.received_bytes:
            more = f',"sent_bytes":{span.sent_bytes},"received_bytes":{span.received_bytes}'
        if span.faults:
            more = f'{more},"faults":[{",".join(map(quoted, span.faults))}]'
        at_ns, lasted_ns = begun_ns - start_ns, over_ns - begun_ns
        yield (
            f',\n{{"ph":"X","name":{quotes[span.name]},"cat":{quotes[sort]},"ts":{at_ns // 1000}{decimals[at_ns % 1000]}'
            f',"dur":{lasted_ns // 1000}{decimals[lasted_ns % 1000]},{thread}{colour},"args":{{"key":{quote(span.key)}'
            f',"about":{quote(about) if about.isascii() else quoted(about)},"answer":{quotes[span.answer]}{origin}{more}}}}}'
        )
    while mark is not None:
        yield mark[1]
        mark = next(marks, None)
    yield "\n]}\n"


def _us(duration_ns: int) -> str:
    return f"{duration_ns // 1000}{_DECIMALS[duration_ns % 1000]}"


def _origin(caller: str, parent: str) -> str:
    by = f',"caller":{quoted(caller)}' if caller else ""
    return f'{by},"parent":{quoted(parent)}' if parent else by


def _arrow(span: Span, start: str, end: str, when: str) -> str:
    identity = quoted(span.key)
    return (
        f',\n{{"ph":"s","name":"asks","cat":"asks","id":{identity},"ts":{when},{start}}}'
        f',\n{{"ph":"f","bp":"e","name":"asks","cat":"asks","id":{identity},"ts":{when},{end}}}'
    )


def _marks(trace: Trace, lanes: _Lanes) -> Iterator[tuple[int, str]]:
    """Each with its time; told on the first thread of its place."""
    for mark in trace.marks:
        thread, told = lanes.first(mark.place)
        name = quoted(f"{mark.sort} {mark.text}".rstrip())
        scope = "p" if mark.sort in DISTURBANCES else "t"
        when = _us(mark.time_ns - trace.start_ns)
        yield mark.time_ns, f'{told},\n{{"ph":"i","name":{name},"cat":"{mark.sort}","s":"{scope}","ts":{when},{thread}}}'


class _Lanes:
    """Which thread a span goes to: the lowest of its place that is free by then."""

    def __init__(self, trace: Trace) -> None:
        self._numbers = {kind: number for number, kind in enumerate(PlaceKind, 1)}
        self._kinds = trace.places
        self._ranks = {place: rank for rank, place in enumerate(sorted(trace.places))}
        self._places: dict[str, _Place] = {}
        self._made = 0

    def processes(self) -> Iterator[str]:
        """What is told of the processes."""
        for kind in sorted(set(self._kinds.values()), key=self._numbers.__getitem__):
            number = self._numbers[kind]
            yield f'{{"ph":"M","name":"process_name","pid":{number},"args":{{"name":"{_PROCESSES[kind]}"}}}}'
            yield f'{{"ph":"M","name":"process_sort_index","pid":{number},"args":{{"sort_index":{number}}}}}'

    def first(self, place: str) -> tuple[str, str]:
        """The first thread of a place, and what must be told before it is used."""
        found = self._places.get(place)
        if found is not None:
            return found.threads[0], ""
        found = self._places[place] = _Place()
        return self._make(place, found)

    def take(self, place: str, start_ns: int, end_ns: int) -> tuple[str, str]:
        """A thread of the place that is free from ``start_ns``, and what must be told before it is used. ``start_ns`` never
        goes back."""
        found = self._places.get(place)
        if found is None:
            found = self._places[place] = _Place()
            found.first_ns = end_ns
            return self._make(place, found)
        if found.first_ns <= start_ns:
            found.first_ns = end_ns
            return found.threads[0], ""
        busy, free = found.busy, found.free
        while busy and busy[0][0] <= start_ns:
            heappush(free, heappop(busy)[1])
        if free:
            lane = heappop(free)
            heappush(busy, (end_ns, lane))
            return found.threads[lane], ""
        heappush(busy, (end_ns, len(found.threads)))
        return self._make(place, found)

    def _make(self, place: str, found: _Place) -> tuple[str, str]:
        self._made += 1
        lane = len(found.threads)
        thread = f'"pid":{self._numbers[self._kinds[place]]},"tid":{self._made}'
        found.threads.append(thread)
        name = quoted(f"{place} ({lane + 1})" if lane else place)
        rank = self._ranks[place] * 1000 + lane
        return thread, (
            f',\n{{"ph":"M","name":"thread_name",{thread},"args":{{"name":{name}}}}}'
            f',\n{{"ph":"M","name":"thread_sort_index",{thread},"args":{{"sort_index":{rank}}}}}'
        )


class _Place:
    """The threads of one place: the first, which is nearly always enough, and of the others those that are busy and free."""

    __slots__ = ("busy", "first_ns", "free", "threads")

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.first_ns = 0
        self.busy: list[tuple[int, int]] = []
        self.free: list[int] = []
