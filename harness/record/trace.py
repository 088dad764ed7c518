"""What happened in a run as spans and marks: what every trace format is written from.

Values only. Which of them a run is made of is read by ``trace_of_run``; how they are written is the affair of ``reports``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from storcert.harness.record.history import Status


class Sort(StrEnum):
    """A job is cut into commands, a command into requests; a call of a driver that is certified into requests too."""

    JOB = "job"
    COMMAND = "command"
    CALL = "call"
    REQUEST = "request"


class PlaceKind(StrEnum):
    """What stands at a place. In the order in which a person reads a trace: from those who ask to those who are asked."""

    MANAGEMENT = "management"
    CATALOGUE = "catalogue"
    STORAGE_VM = "storage-vm"
    HOST = "host"
    DEVICE = "device"
    WEB = "web"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time.

    ``key``: unique in its trace, and the same in every run in which the same is asked: ``job/4``, ``command/4.0.1``,
    ``request/images/17``. ``parent``: the key of what it was a part of, ``""`` where nobody knows. ``name``: kind of the job,
    verb of the command, operation of the request; ``subject``: what about. ``place``: where it was done: a server, an agent's
    location, a device; ``caller``: the place that asked, ``""`` for none. Times are virtual Unix time; ``end_ns`` is ``None``
    where it never ended. ``answer``: ``ok``, an error's name or code, or what became of it. ``faults``: those that struck it.
    """

    sort: Sort
    key: str
    parent: str
    name: str
    subject: str
    place: str
    caller: str
    start_ns: int
    end_ns: int | None
    status: Status
    answer: str
    sent_bytes: int = 0
    received_bytes: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened in one moment at a place: a crash, a restart, a fault. ``sort``: which of them; ``text``: more of it."""

    time_ns: int
    place: str
    sort: str
    text: str


DISTURBANCES = frozenset(("crash", "fault", "kill", "pause"))
"""Marks of these sorts are what was done to a run; all others are what it did."""


@dataclass(frozen=True, slots=True)
class Trace:
    """``run``: what identifies the run, as text: its digest, or its seed. ``places``: what stands at each. ``spans``: in order
    of their beginning, whoever asked before what it asked for. ``marks``: in order. The run began at ``start_ns`` and was over
    at ``end_ns``: no span and no mark is outside."""

    run: str
    start_ns: int
    end_ns: int
    places: Mapping[str, PlaceKind]
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class ShownTrace:
    """A trace that stands in a run record, for reports to draw. ``about``: the id of the check whose last world it shows, or
    the name of a scenario. ``left_out``: how many spans and marks before the first one shown were cut off."""

    about: str
    trace: Trace
    left_out: int = 0


def last_of(about: str, trace: Trace, spans_max: int) -> ShownTrace:
    """At most the last ``spans_max`` spans, and the marks since the first of them."""
    cut = len(trace.spans) - spans_max
    if cut <= 0:
        return ShownTrace(about, trace)
    spans = trace.spans[cut:]
    start_ns = spans[0].start_ns
    marks = tuple(mark for mark in trace.marks if mark.time_ns >= start_ns)
    left_out = cut + len(trace.marks) - len(marks)
    return ShownTrace(about, replace(trace, start_ns=start_ns, spans=spans, marks=marks), left_out)
