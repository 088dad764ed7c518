"""The Chrome trace: read back and held to the format's own rules, on a real run and on made-up spans."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from storcert.harness.record.history import Status
from storcert.harness.record.trace import Mark, PlaceKind, Sort, Span, Trace
from storcert.reports.chrome_trace import chrome_trace
from tests.reports.traced_run import traced


def written(trace: Trace) -> dict[str, Any]:
    read: dict[str, Any] = json.loads("".join(chrome_trace(trace)), parse_float=Decimal)
    return read


def complaints(document: dict[str, Any]) -> Iterator[str]:
    """What the format does not allow: fields that are missing, threads nobody named, spans that cross, arrows with one end."""
    events = document["traceEvents"]
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    processes = {event["pid"] for event in events if event["name"] == "process_name"}
    spans: defaultdict[tuple[int, int], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    arrows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    keys, before = set(), Decimal(-1)
    for event in events:
        where = event["pid"], event.get("tid")
        if event["ph"] == "M":
            continue
        if where not in named or event["pid"] not in processes:
            yield f"nobody named the thread of {event}"
        if not event["name"] or not event["cat"] or event["ts"] < 0:
            yield f"a field is missing or wrong in {event}"
        if event["ph"] == "X":
            if event["ts"] < before:
                yield f"goes back in time: {event}"
            before = event["ts"]
            spans[where].append((event["ts"], event["ts"] + event["dur"]))
            if event["args"]["key"] in keys:
                yield f"twice: {event}"
            keys.add(event["args"]["key"])
            if event["args"].get("parent", "") not in keys | {""}:
                yield f"its parent did not come before it: {event}"
        elif event["ph"] in "sf":
            arrows[event["id"]].append(event)
        elif event["ph"] != "i" or event["s"] not in "tpg":
            yield f"not a phase of this writer: {event}"
    for where, intervals in spans.items():
        for (_, end), (start, _) in pairwise(intervals):
            if start < end:
                yield f"two spans overlap on {where} at {start}"
    for identity, ends in arrows.items():
        if [end["ph"] for end in ends] != ["s", "f"]:
            yield f"arrow {identity} has {len(ends)} ends"
        for end in ends:
            if not any(start <= end["ts"] <= over for start, over in spans[end["pid"], end["tid"]]):
                yield f"arrow {identity} binds to no span"


@pytest.mark.parametrize("kind", ["nfs", "sheepdog"])
def test_a_run_keeps_the_rules_of_the_format(kind: str) -> None:
    document = written(traced(kind))
    assert list(complaints(document)) == []
    phases = [event["ph"] for event in document["traceEvents"]]
    assert {"X", "i", "s", "f"} < set(phases)
    assert phases.count("X") == len(traced(kind).spans)


def test_every_nanosecond_is_there() -> None:
    trace = traced("nfs")
    spans = [event for event in written(trace)["traceEvents"] if event["ph"] == "X"]
    for span, event in zip(trace.spans, spans, strict=True):
        assert event["ts"] * 1000 == span.start_ns - trace.start_ns
        assert event["dur"] * 1000 == (trace.end_ns if span.end_ns is None else span.end_ns) - span.start_ns
    assert written(trace)["otherData"] == {"run": trace.run, "start_unix_ns": str(trace.start_ns)}


def test_what_came_later_stands_later_where_a_reader_has_only_floats() -> None:
    year_ns = 90 * 24 * 3600 * 10**9
    trace = made(*(spanned(f"request/d/{number}", year_ns + number, year_ns + number) for number in range(5)))
    events = json.loads("".join(chrome_trace(trace)))["traceEvents"]
    starts = [event["ts"] for event in events if event["ph"] == "X"]
    assert starts == sorted(set(starts))
    assert len(starts) == 5


def test_what_happens_at_once_lies_side_by_side_on_as_few_threads_as_can_be() -> None:
    times = ((0, 100), (10, 20), (15, 30), (20, 25), (40, 50))
    trace = made(*(spanned(f"a/{number}", start_ns, end_ns) for number, (start_ns, end_ns) in enumerate(times)))
    document = written(trace)
    assert list(complaints(document)) == []
    names = {event["tid"]: event["args"]["name"] for event in document["traceEvents"] if event["name"] == "thread_name"}
    assert [names[event["tid"]] for event in document["traceEvents"] if event["ph"] == "X"] == [
        "d", "d (2)", "d (3)", "d (2)", "d (2)"]


def test_a_name_can_hold_anything() -> None:
    odd = 'a"b\\c\n\ud800\u2028é😀'
    trace = made(spanned("a/1", 0, 1, odd), marks=(Mark(0, "d", "crash", odd),))
    text = "".join(chrome_trace(trace))
    assert text.isascii()
    document = json.loads(text)
    assert list(complaints(json.loads(text, parse_float=Decimal))) == []
    assert [event["args"]["about"] for event in document["traceEvents"] if event["ph"] == "X"] == ['a"b\\c\n?\u2028é😀']


def test_the_checker_complains() -> None:
    document = written(traced("nfs"))
    spans = [event for event in document["traceEvents"] if event["ph"] == "X"]
    last = max(spans, key=lambda event: event["dur"])
    last["dur"] *= 1_000_000
    spans[-1]["ts"], spans[-1]["tid"] = Decimal(0), 10**6
    document["traceEvents"] = [event for event in document["traceEvents"] if event["ph"] != "s"]
    said = "\n".join(complaints(document))
    for wanted in ("overlap", "goes back", "nobody named", "has 1 ends"):
        assert wanted in said


def test_no_spans_are_a_trace_too() -> None:
    assert list(complaints(written(made()))) == []


def spanned(key: str, start_ns: int, end_ns: int | None, about: str = "") -> Span:
    return Span(Sort.REQUEST, key, "", "Get", about, "d", "", start_ns, end_ns, Status.OK, "ok")


def made(*spans: Span, marks: tuple[Mark, ...] = ()) -> Trace:
    end_ns = max((span.end_ns or span.start_ns for span in spans), default=0)
    return Trace("run", 0, end_ns, {"d": PlaceKind.DEVICE}, spans, marks)
