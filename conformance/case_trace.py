"""The trace of a world in which a driver was certified: its calls, their requests, faults and crashes, for reports to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from storcert.conformance.world import Called, World
from storcert.harness.record.history import Status
from storcert.harness.record.trace import PlaceKind, ShownTrace, Sort, Span, Trace, last_of
from storcert.harness.record.trace_of_run import trace_of_run

SPANS_MAX = 300
"""Of one failure. A failure is minimal; more than that is a case that makes many requests on purpose."""


def trace_of_case(about: str, world: World) -> ShownTrace:
    """What happened in ``world``, which is not closed yet; ``about`` is the id of the case."""
    wire = world.device.name
    found = trace_of_run(world.kernel.journal.events, {wire: world.device.requests}, run=about)
    tasks = {f"request/{wire}/{request.index}": request.task for request in world.device.requests}
    calls = [_span(number, called) for number, called in enumerate(world.calls)]
    spans = sorted((*calls, *found.spans), key=lambda span: span.start_ns)  # stable: a call stands before what it asked for
    callers = {*(call.place for call in calls), *(mark.place for mark in found.marks if mark.place not in (wire, ""))}
    places = {**found.places, **dict.fromkeys(callers, PlaceKind.HOST)}
    start_ns = min([span.start_ns for span in spans], default=found.start_ns)
    end_ns = max([span.end_ns or span.start_ns for span in spans], default=found.end_ns)
    whole = Trace(about, start_ns, max(end_ns, *(mark.time_ns for mark in found.marks), 0), dict(sorted(places.items())),
                  tuple(spans), tuple(mark for mark in found.marks if mark.time_ns >= start_ns))
    shown = last_of(about, whole, SPANS_MAX)
    # Only what is shown is looked up: a case may make thousands of calls and requests.
    placed = tuple(_placed(span, calls, tasks[span.key]) if span.key in tasks else span for span in shown.trace.spans)
    return replace(shown, trace=replace(shown.trace, spans=placed))


def _span(number: int, called: Called) -> Span:
    verb, _, subject = called.label.partition(" ")
    if called.answer == "ok":
        status, answer = Status.OK, "ok"
    elif called.return_ns is None:
        status, answer = Status.UNKNOWN, "never returned"
    else:
        status = Status.UNKNOWN if called.outcome == "unknown" else Status.FAILED
        answer = f"{called.answer} ({called.outcome})" if called.outcome else called.answer
    return Span(Sort.CALL, f"call/{number}", "", verb, subject, called.place, "", called.invoke_ns, called.return_ns, status,
                answer)


def _placed(span: Span, calls: Sequence[Span], task: str) -> Span:
    """With the call on whose behalf it was, where one of that name was under way there."""
    for call in calls:
        under_way = call.start_ns <= span.start_ns and (call.end_ns is None or span.start_ns <= call.end_ns)
        if under_way and call.place == span.caller and f"{call.name} {call.subject}".rstrip() == task.rstrip():
            return replace(span, parent=call.key)
    return span


def kept(traces: Sequence[tuple[str, ShownTrace | None]], per_rule: int, at_most: int) -> tuple[ShownTrace, ...]:
    """The first ``per_rule`` of each rule, and at most so many in all: a record with a thousand failures stays readable."""
    seen: dict[str, int] = {}
    shown: list[ShownTrace] = []
    for rule, trace in traces:
        seen[rule] = seen.get(rule, 0) + 1
        if seen[rule] <= per_rule and len(shown) < at_most and trace is not None:
            shown.append(trace)
    return tuple(shown)
