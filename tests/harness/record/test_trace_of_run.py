"""Traces read out of a journal and the devices' logs: what becomes a span, whose part it is, and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from storcert.harness.record.event import Event
from storcert.harness.record.history import Status
from storcert.harness.record.trace import Mark, PlaceKind, Sort, Span
from storcert.harness.record.trace_of_run import trace_of_run
from tests.reports.traced_run import traced

TOPOLOGY = {"places": [["ms-1", "management", "", ""], ["h", "host", "z", "c"]]}


@dataclass(frozen=True)
class Logged:
    """A request as a device logs it."""

    index: int
    time_ns: int
    ended_ns: int | None
    answer: str = "ok"
    task: str = ""
    location: str = "h"
    operation: str = "Put"
    target: str = "a b"
    sent_bytes: int = 3
    received_bytes: int = 4
    faults: tuple[object, ...] = ()


def fact(time_ns: int, kind: str, at: str = "", /, **value: Any) -> Event:
    return Event(time_ns, at, kind, json.dumps(value))


def begun(time_ns: int, number: int = 1, kind: str = "copy") -> Event:
    return fact(time_ns, "job", event="begun", id=number, kind=kind, owner="ms-1/0",
                arguments={"source": "/template/1/t", "target": "/volume/1/v", "device": "d"})


def sent(time_ns: int, identity: str = "1.0.1", job: int = 1) -> Event:
    more = {"verb": "create", "uri": "/volume/1/v", "device": "d"}
    return fact(time_ns, "command", "ms-1", event="sent", id=identity, job=job, at="h", **more)


def test_a_job_its_command_and_its_request() -> None:
    events = [
        fact(10, "topology", **TOPOLOGY), fact(11, "device", name="d"), begun(20), sent(30),
        fact(50, "command", "ms-1", event="ended", id="1.0.1", job=1, ending="done"),
        fact(60, "job", event="succeeded", id=1, result={}),
    ]
    trace = trace_of_run(events, {"d": [Logged(0, 35, 45, task="create 1.0.1", faults=("slow",))]}, run="r")
    assert trace.spans == (
        Span(Sort.JOB, "job/1", "", "copy", "/template/1/t -> /volume/1/v on d", "ms-1", "", 20, 60, Status.OK, "ok"),
        Span(Sort.COMMAND, "command/1.0.1", "job/1", "create", "/volume/1/v on d", "h", "ms-1", 30, 50, Status.OK, "ok"),
        Span(Sort.REQUEST, "request/d/0", "command/1.0.1", "Put", "a b", "d", "h", 35, 45, Status.OK, "ok", 3, 4, ("slow",)),
    )
    assert trace.places == {"d": PlaceKind.DEVICE, "h": PlaceKind.HOST, "ms-1": PlaceKind.MANAGEMENT}
    assert (trace.run, trace.start_ns, trace.end_ns) == ("r", 10, 60)


@pytest.mark.parametrize(
    ("ending", "status", "answer"),
    [("done", Status.OK, "ok"), ("failed", Status.FAILED, "failed"), ("unheard", Status.UNKNOWN, "unheard")],
)
def test_how_a_command_ended(ending: str, status: Status, answer: str) -> None:
    over = fact(50, "command", "ms-1", event="ended", id="1.0.1", job=1, ending=ending)
    [command] = trace_of_run([sent(30), over]).spans
    assert (command.status, command.answer, command.parent) == (status, answer, "")


def test_a_job_that_is_taken_over_goes_on_as_another_span() -> None:
    events = [
        begun(20), sent(30), fact(90, "job", event="taken-over", id=1, owner="ms-2/0"), sent(91, "1.1.1"),
        fact(99, "job", event="failed", id=1, result={"error": "DataCorrupted", "message": "m"}),
    ]
    first, lost, second, again = trace_of_run(events).spans
    assert (first.end_ns, first.status, first.answer) == (90, Status.UNKNOWN, "taken over by ms-2/0")
    assert (lost.end_ns, lost.status, lost.answer) == (90, Status.UNKNOWN, "nobody heard")
    assert (second.key, second.parent, second.place, second.answer) == ("job/1/2", "job/1", "ms-2", "DataCorrupted")
    assert again.parent == "job/1/2"
    assert again.end_ns is None, "nobody heard of it again"


def test_a_transaction_belongs_to_the_one_job_it_can_belong_to() -> None:
    def transaction(time_ns: int, number: int, label: str) -> Event:
        return Event(time_ns, "ms-1", "request", f"catalogue {number} {label}  0 ok")

    events = [
        begun(20), transaction(21, 0, "copy: look"), begun(22, 2), transaction(23, 1, "copy: look"), transaction(24, 2, "beat"),
        fact(25, "job", event="succeeded", id=2, result={}), transaction(26, 3, "copy: ready"),
        fact(27, "job", event="succeeded", id=1, result={}), transaction(27, 4, "finish"), transaction(27, 5, "copy: finish"),
        transaction(28, 6, "copy: look"),
    ]
    found = {span.key: span.parent for span in trace_of_run(events).spans if span.sort is Sort.REQUEST}
    assert list(found.values()) == ["job/1", "", "", "job/1", "", "job/1", ""]
    assert found["request/catalogue/0"] == "job/1"


def test_the_journal_alone_tells_only_when_a_request_took_effect() -> None:
    [span] = trace_of_run([Event(7, "h", "request", "d 3 Put a b/c d 12 SlowDown")]).spans
    assert span == Span(Sort.REQUEST, "request/d/3", "", "Put", "a b/c d", "d", "h", 7, 7, Status.FAILED, "SlowDown", 12)


@pytest.mark.parametrize("answer", ["pending", "lost", "answer-lost", "cut", "crashed"])
def test_what_nobody_was_told_is_unknown(answer: str) -> None:
    [span] = trace_of_run([], {"d": [Logged(0, 1, None, answer)]}).spans
    assert (span.status, span.end_ns) == (Status.UNKNOWN, None)


def test_marks_and_places() -> None:
    events = [
        Event(1, "h", "crash", ""), fact(2, "fault", device="d", kind="slow"), fact(3, "attached", "h", volume="/volume/1/v"),
        fact(4, "lost", "ms-1", uri="/volume/1/v", device="d"), Event(5, "h", "restart", ""), fact(6, "reconciled", lost=1),
    ]
    trace = trace_of_run(events)
    assert trace.marks == (
        Mark(1, "h", "crash", ""), Mark(2, "d", "fault", "slow"), Mark(3, "h", "attached", "/volume/1/v"),
        Mark(4, "ms-1", "lost", "/volume/1/v on d"), Mark(5, "h", "restart", ""),
    )
    assert set(trace.places.values()) == {PlaceKind.OTHER}


def test_a_fact_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="the fact 'job' is no JSON object"):
        trace_of_run([Event(1, "", "job", "[1]")])


@pytest.mark.parametrize("kind", ["nfs", "rbd", "object-store", "sheepdog"])
def test_requests_of_agents_are_parts_of_their_commands(kind: str) -> None:
    trace = traced(kind)
    keys = {span.key: span for span in trace.spans}
    of_devices = [span for span in trace.spans if trace.places[span.place] is PlaceKind.DEVICE and span.place == "volumes"]
    known = [span for span in of_devices if span.parent]
    assert len(known) >= 0.9 * len(of_devices) > 0, "a client's own threads are on nobody's behalf"
    for span in known:
        command = keys[span.parent]
        assert command.place == span.caller
        assert "volumes" in command.subject


def test_with_and_without_the_logs_the_same_things_were_asked() -> None:
    whole, short = traced("nfs"), traced("nfs", logs=False)
    assert {span.key for span in whole.spans} == {span.key for span in short.spans}
    assert [span for span in whole.spans if span.sort is not Sort.REQUEST] == [
        span for span in short.spans if span.sort is not Sort.REQUEST]
    parents = {span.key: span.parent for span in whole.spans}
    assert all(span.parent in ("", parents[span.key]) for span in short.spans)


def test_the_same_run_gives_the_same_trace() -> None:
    first = traced("nfs")
    traced.cache_clear()
    assert traced("nfs") == first
