"""The last messages before something failed, as a Mermaid sequence diagram. Text from values; nothing else lives here.

A picture for one screen: what came long before is left out, what came again and again stands once with its number, and the
catalogue's heartbeats and polls, which belong to no job, are not shown at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from storcert.harness.record.history import Status
from storcert.harness.record.trace import DISTURBANCES, PlaceKind, Sort, Span, Trace
from storcert.reports.text import one_line

LAST = 40
_NOTED = DISTURBANCES | {"restart", "resume", "lost"}
_RANKS = {kind: rank for rank, kind in enumerate(PlaceKind)}
_PLAIN = re.compile(r"[^A-Za-z0-9 _.,/()+*-]")


def first_failure_ns(trace: Trace) -> int | None:
    """When the first job failed, virtual Unix time; ``None`` where none did."""
    return min(
        (span.end_ns for span in trace.spans
         if span.sort is Sort.JOB and span.status is Status.FAILED and span.end_ns is not None),
        default=None,
    )


def _first_disturbance_ns(trace: Trace) -> int | None:
    struck = next((span.start_ns for span in trace.spans if span.faults), None)
    crashed = next((mark.time_ns for mark in trace.marks if mark.sort in DISTURBANCES and mark.sort != "fault"), None)
    return min((moment for moment in (struck, crashed) if moment is not None), default=None)


def sequence_diagram(trace: Trace, until_ns: int | None = None, last: int = LAST) -> str:
    """The ``last`` rows up to ``until_ns`` (when a rule broke, say). By default that is when the first job failed; where none
    did, the first crash or struck request; where there was none either, the end of the run. Equal traces give equal text."""
    if until_ns is None:
        until_ns = first_failure_ns(trace) or _first_disturbance_ns(trace) or trace.end_ns
    rows = _merged(sorted(_rows(trace, until_ns), key=lambda row: row.time_ns))[-last:]
    shown = {place for row in rows for place in (row.start, row.end) if place}
    order = sorted(shown, key=lambda place: (_RANKS[trace.places[place]], place))
    names = {place: f"p{number}" for number, place in enumerate(order, 1)}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {names[place]} as {_escaped(place)}" for place in order]
    lines += [f"    {_line(row, names, trace.start_ns)}" for row in rows]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Row:
    """A message, or a note over ``start`` where ``arrow`` is empty. ``times``: how often in a row."""

    time_ns: int
    start: str
    end: str
    arrow: str
    text: str
    times: int = 1


def _rows(trace: Trace, until_ns: int) -> Iterator[_Row]:
    for span in trace.spans:
        if span.start_ns > until_ns:
            break
        ended = span.end_ns is not None and span.end_ns <= until_ns
        if span.sort is Sort.JOB:
            yield from _job(span, ended)
        elif span.sort is Sort.COMMAND:
            yield from _command(span, ended)
        elif span.parent or trace.places[span.place] is not PlaceKind.CATALOGUE:
            yield from _request(span, ended)
    for mark in trace.marks:
        if mark.sort in _NOTED and mark.time_ns <= until_ns:
            yield _Row(mark.time_ns, mark.place, "", "", f"{mark.sort.upper()} {mark.text}".rstrip())


def _job(span: Span, ended: bool) -> Iterator[_Row]:
    name = span.key.replace("/", " ", 1)
    yield _Row(span.start_ns, span.place, "", "", f"{name}: {span.name} {span.subject}")
    if ended and span.end_ns is not None:
        how = {Status.OK: "done", Status.FAILED: f"FAILED: {span.answer}", Status.UNKNOWN: span.answer}[span.status]
        yield _Row(span.end_ns, span.place, "", "", f"{name}: {how}")


def _command(span: Span, ended: bool) -> Iterator[_Row]:
    yield _Row(span.start_ns, span.caller, span.place, "->>", f"{span.name} {span.subject}")
    if ended and span.end_ns is not None:
        arrow = "--x" if span.status is Status.UNKNOWN else "-->>"
        yield _Row(span.end_ns, span.place, span.caller, arrow, f"{span.name}: {span.answer}")


def _request(span: Span, ended: bool) -> Iterator[_Row]:
    """One arrow where all went well; there and back where not."""
    for fault in span.faults:
        yield _Row(span.start_ns, span.place, "", "", f"FAULT {fault}")
    if span.status is Status.OK:
        yield _Row(span.start_ns, span.caller, span.place, "->>", f"{span.name} {span.subject}")
    elif span.answer in ("lost", "cut", "refused", "no-connection") or not ended:
        yield _Row(span.start_ns, span.caller, span.place, "-x", f"{span.name} {span.subject}: {span.answer}")
    else:
        yield _Row(span.start_ns, span.caller, span.place, "->>", f"{span.name} {span.subject}")
        if span.end_ns is not None:
            arrow = "--x" if span.status is Status.UNKNOWN else "-->>"
            yield _Row(span.end_ns, span.place, span.caller, arrow, span.answer)


def _merged(rows: list[_Row]) -> list[_Row]:
    """Equal messages in a row as one."""
    merged: list[_Row] = []
    for row in rows:
        before = merged[-1] if merged else None
        if before is not None and row.arrow == "->>" and _alike(before, row):
            merged[-1] = replace(before, times=before.times + 1)
        else:
            merged.append(row)
    return merged


def _alike(one: _Row, other: _Row) -> bool:
    return (one.start, one.end, one.arrow, one.text) == (other.start, other.end, other.arrow, other.text)


def _line(row: _Row, names: dict[str, str], start_ns: int) -> str:
    times = f" ({row.times} times)" if row.times > 1 else ""
    text = _escaped(f"{(row.time_ns - start_ns) / 10**9:.6f} s {one_line(row.text, 80)}{times}")
    if not row.arrow:
        return f"Note over {names[row.start]}: {text}"
    return f"{names[row.start]}{row.arrow}{names[row.end]}: {text}"


def _escaped(text: str) -> str:
    """Text in which nothing means anything to Mermaid: all but the plainest characters as its entities."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", one_line(text)) or "#32;"
