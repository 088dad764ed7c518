"""A trace as the compact data that the page draws: columns of numbers and one table of words, sampled where it is too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storcert.harness.record.history import Status
from storcert.harness.record.trace import DISTURBANCES, Mark, PlaceKind, ShownTrace, Sort, Span, Trace
from storcert.reports.text import one_line

SPANS_MAX = 10_000
MARKS_MAX = 2_000
WORD_MAX = 160
_KINDS = list(PlaceKind)
_SORTS = list(Sort)
_STATUSES = [Status.OK, Status.FAILED, Status.UNKNOWN]


def timeline_data(shown: ShownTrace) -> dict[str, Any]:
    """What the page needs of one trace, as a JSON value. Times are nanoseconds since the first of them."""
    trace = shown.trace
    spans, spans_told = _sample(trace.spans, SPANS_MAX)
    marks, marks_told = _sample_marks(trace.marks)
    words = _Words()
    lanes = sorted(trace.places, key=lambda place: (_KINDS.index(trace.places[place]), place))
    lane_of = {place: number for number, place in enumerate(lanes)}
    keys = {span.key: number for number, span in enumerate(spans)}
    return {
        "about": one_line(shown.about),
        "run": one_line(trace.run),
        "told": [told for told in (_cut(shown), spans_told, marks_told) if told],
        "length": trace.end_ns - trace.start_ns,
        "lanes": [[one_line(place), str(trace.places[place])] for place in lanes],
        "sorts": [str(sort) for sort in _SORTS],
        "spans": [_span(span, trace, lane_of, keys, words) for span in spans],
        "marks": [
            [mark.time_ns - trace.start_ns, lane_of[mark.place], words.number(mark.sort), words.number(mark.text),
             int(mark.sort in DISTURBANCES)]
            for mark in marks
        ],
        "words": words.all,
    }


def _span(span: Span, trace: Trace, lane_of: dict[str, int], keys: dict[str, int], words: _Words) -> list[int]:
    """start, length (-1: it never ended), lane, lane of the caller (-1: none), sort, status, parent (-1: none), and numbers of
    words: name, subject, answer, faults; then bytes sent and received."""
    return [
        span.start_ns - trace.start_ns,
        -1 if span.end_ns is None else span.end_ns - span.start_ns,
        lane_of[span.place],
        lane_of.get(span.caller, -1),
        _SORTS.index(span.sort),
        _STATUSES.index(span.status),
        keys.get(span.parent, -1),
        words.number(span.name),
        words.number(span.subject),
        words.number(span.answer),
        words.number(", ".join(span.faults)),
        span.sent_bytes,
        span.received_bytes,
    ]


class _Words:
    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.all)
            self.all.append(one_line(text, WORD_MAX))
        return found


def _cut(shown: ShownTrace) -> str:
    return f"{shown.left_out:,} earlier spans and marks are not in the record" if shown.left_out else ""


def _sample(spans: Sequence[Span], limit: int) -> tuple[Sequence[Span], str]:
    """Jobs, commands, calls and whatever did not end well first; of the rest evenly so many as there is room for."""
    if len(spans) <= limit:
        return spans, ""
    telling = [number for number, span in enumerate(spans) if span.sort is not Sort.REQUEST or span.status is not Status.OK]
    if len(telling) >= limit:
        numbers = _evenly(telling, limit)
        what = f"evenly drawn of {len(telling):,} jobs, commands and requests that did not end well"
    else:
        chosen = set(telling)
        plain = [number for number in range(len(spans)) if number not in chosen]
        numbers = sorted((*telling, *_evenly(plain, limit - len(telling))))
        others = f"{limit - len(telling):,} of {len(plain):,} other requests"
        what = f"every job, command and call, whatever did not end well, and {others}"
    return [spans[number] for number in numbers], f"sampled: {len(numbers):,} of {len(spans):,} spans are drawn: {what}"


def _sample_marks(marks: Sequence[Mark]) -> tuple[Sequence[Mark], str]:
    if len(marks) <= MARKS_MAX:
        return marks, ""
    numbers = _evenly(range(len(marks)), MARKS_MAX)
    return [marks[number] for number in numbers], f"sampled: {MARKS_MAX:,} of {len(marks):,} marks are drawn, evenly"


def _evenly(numbers: Sequence[int], count: int) -> list[int]:
    return [numbers[position * len(numbers) // count] for position in range(count)]
