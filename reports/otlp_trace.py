"""A trace as OpenTelemetry's JSON lines: an ``ExportTraceServiceRequest`` a line, as collectors and their files have it.

Text from values; nothing else lives here. Each line holds spans of one place, which is its resource. Jobs are internal to their
server, commands are served by agents, requests are a client's: they stand with whoever asked, and ``server.address`` is the
device. Faults and crashes are events of the spans they fell on. Ids are made of the run's name and the span's key alone, so
they do not depend on what else is in the trace.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from hashlib import blake2b
from operator import attrgetter

from storcert.harness.record.history import Status
from storcert.harness.record.trace import DISTURBANCES, Mark, PlaceKind, Sort, Span, Trace
from storcert.reports.json_strings import Quotes, quote, quoted

SPANS_PER_LINE = 512
_KINDS = {Sort.JOB: 1, Sort.COMMAND: 2, Sort.REQUEST: 3}  # internal, server, client


def otlp_trace(trace: Trace, version: str = "") -> Iterator[str]:
    """The lines, each with its end. Equal traces give equal lines. ``version``: of storcert, for the scope."""
    ids = _Ids(trace.run)
    leaf = ids.leaf
    quotes = Quotes()
    events = _Events(trace)
    heads = _Heads(trace, quotes, version)
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    request, okay, end_ns = Sort.REQUEST, Status.OK, trace.end_ns
    statics: dict[Sort, dict[tuple[str, str], str]] = {sort: {} for sort in Sort}
    for span in trace.spans:
        over_ns, about, more, told = span.end_ns, span.subject, "", ""  # no status: what went well has none in OpenTelemetry
        asked = span.sort is request
        alike = statics[span.sort]
        static = alike.get((span.name, span.place))
        if static is None:
            static = alike[span.name, span.place] = _static(span, quotes)
        if span.sent_bytes:
            more = f',{{"key":"storcert.sent_bytes","value":{{"intValue":"{span.sent_bytes}"}}}}'
        if span.received_bytes:
            more = f'{more},{{"key":"storcert.received_bytes","value":{{"intValue":"{span.received_bytes}"}}}}'
        if span.status is not okay:
            more, told = _failed(span, more, quotes)
        if over_ns is None:
            over_ns = end_ns
            more = f'{more},{{"key":"storcert.never_ended","value":{{"boolValue":true}}}}'
        if span.faults or not asked:
            told = f"{events.of(span, over_ns)}{told}"
        if asked:
            place = span.caller or span.place
            identity = leaf(span.key, span.parent)
        else:
            place = span.place
            identity = ids.of(span.key, span.parent)
        lines = waiting[place]
        lines.append(
            f'{{{identity},{static}{quote(about) if about.isascii() else quoted(about)}}}}}{more}]'
            f',"startTimeUnixNano":"{span.start_ns}","endTimeUnixNano":"{over_ns}"{told}}}'
        )
        if len(lines) == SPANS_PER_LINE:
            yield heads.line(place, lines)
            lines.clear()
    for place, mark in events.left():
        waiting[place].append(_moment(mark, ids, quotes))
    for place in sorted(waiting):
        if waiting[place]:
            yield heads.line(place, waiting[place])


def _static(span: Span, quotes: Quotes) -> str:
    """What all spans of one sort, name and place have alike, up to where they say what they are about."""
    key = "rpc.method" if span.sort is Sort.REQUEST else f"storcert.{span.sort}"
    attributes = f'{{"key":"{key}","value":{{"stringValue":{quotes[span.name]}}}}}'
    if span.sort is Sort.REQUEST:
        attributes += f',{{"key":"server.address","value":{{"stringValue":{quotes[span.place]}}}}}'
    begun = '{"key":"storcert.about","value":{"stringValue":'
    return f'"name":{quotes[span.name]},"kind":{_KINDS[span.sort]},"attributes":[{attributes},{begun}'


def _failed(span: Span, more: str, quotes: Quotes) -> tuple[str, str]:
    """The attributes and the status of what did not end well. What nobody knows counts as an error, and says so."""
    unknown = "outcome unknown: " if span.status is Status.UNKNOWN else ""
    return (
        f'{more},{{"key":"error.type","value":{{"stringValue":{quotes[span.answer]}}}}}',
        f',"status":{{"code":2,"message":{quotes[unknown + span.answer]}}}',
    )


def _moment(mark: Mark, ids: _Ids, quotes: Quotes) -> str:
    """A disturbance that fell on no span is a span of its own, without length."""
    key = f"{mark.sort}/{mark.place}/{mark.time_ns}"
    return (
        f'{{{ids.leaf(key, "")},"name":{quotes[mark.sort]},"kind":1,"attributes":[],"startTimeUnixNano":"{mark.time_ns}"'
        f',"endTimeUnixNano":"{mark.time_ns}","events":[{_event(mark)}]}}'
    )


def _event(mark: Mark) -> str:
    text = quoted(f"{mark.place} {mark.text}".rstrip())
    return (
        f'{{"timeUnixNano":"{mark.time_ns}","name":{quoted(mark.sort)}'
        f',"attributes":[{{"key":"storcert.about","value":{{"stringValue":{text}}}}}]}}'
    )


class _Ids:
    """Ids of spans and traces. A span without parent begins a trace, which is called after it."""

    def __init__(self, run: str) -> None:
        self._run = blake2b(run.encode("utf-8", "surrogatepass"), digest_size=8)
        self._first = self._run.hexdigest()
        self._traces: dict[str, str] = {}  # of jobs and commands, by key
        self._parts: dict[str, str] = {}  # what the ids of their parts begin with, as JSON

    def of(self, key: str, parent: str) -> str:
        """The ids as JSON, of what others may be parts of."""
        own = self._hash(key)
        trace = self._traces[key] = self._traces.get(parent) or f"{self._first}{own}"
        self._parts[key] = f'"traceId":"{trace}","parentSpanId":"{own}","spanId":"'
        return self.leaf(key, parent)

    def leaf(self, key: str, parent: str) -> str:
        """The ids as JSON, of what has no parts."""
        own = self._hash(key)
        above = self._parts.get(parent)
        if above is None:
            return f'"traceId":"{self._first}{own}","spanId":"{own}"'
        return f'{above}{own}"'

    def _hash(self, key: str) -> str:
        hashed = self._run.copy()
        hashed.update(key.encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()


_when = attrgetter("time_ns")


class _Events:
    """Which disturbances fell on a job or a command, by their place; and which fell on none."""

    def __init__(self, trace: Trace) -> None:
        self._marks: defaultdict[str, list[Mark]] = defaultdict(list)
        for mark in trace.marks:
            if mark.sort in DISTURBANCES:
                self._marks[mark.place].append(mark)
        self._used: set[tuple[str, int]] = set()

    def of(self, span: Span, end_ns: int) -> str:
        """The events of a span, as JSON with its comma."""
        found = [_event(Mark(span.start_ns, span.place, "fault", fault)) for fault in span.faults]
        for place in (span.place, span.caller if span.caller != span.place else ""):
            marks = self._marks.get(place)
            if not marks:
                continue
            for number in range(bisect_left(marks, span.start_ns, key=_when), len(marks)):
                if marks[number].time_ns > end_ns:
                    break
                self._used.add((place, number))
                found.append(_event(marks[number]))
        return f',"events":[{",".join(found)}]' if found else ""

    def left(self) -> Iterator[tuple[str, Mark]]:
        """Those that were on no span, by place."""
        for place in sorted(self._marks):
            for number, mark in enumerate(self._marks[place]):
                if (place, number) not in self._used:
                    yield place, mark


class _Heads:
    """What stands around the spans of one place."""

    def __init__(self, trace: Trace, quotes: Quotes, version: str) -> None:
        self._trace = trace
        self._quotes = quotes
        self._scope = f'{{"name":"storcert","version":{quotes[version]}}}'
        self._made: dict[str, str] = {}

    def line(self, place: str, spans: list[str]) -> str:
        """One request of export, with its end of line."""
        head = self._made.get(place)
        if head is None:
            kind = self._trace.places.get(place, PlaceKind.OTHER)
            pairs = (
                ("service.namespace", "storcert"), ("service.name", str(kind)), ("service.instance.id", place),
                ("storcert.run", self._trace.run),
            )
            attributes = ",".join(
                f'{{"key":"{key}","value":{{"stringValue":{self._quotes[value]}}}}}' for key, value in pairs)
            head = self._made[place] = (
                f'{{"resourceSpans":[{{"resource":{{"attributes":[{attributes}]}},"scopeSpans":[{{"scope":{self._scope},"spans":['
            )
        return f'{head}{",".join(spans)}]}}]}}]}}\n'
