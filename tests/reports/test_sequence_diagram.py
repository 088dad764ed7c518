"""The sequence diagram: which rows it shows, and that every line is one Mermaid reads; ``tests/live`` has Mermaid draw it."""

from __future__ import annotations

import re

import pytest

from storcert.harness.record.history import Status
from storcert.harness.record.trace import Mark, PlaceKind, Sort, Span, Trace
from storcert.reports.sequence_diagram import first_failure_ns, sequence_diagram
from tests.reports.odd_names import odd_trace
from tests.reports.traced_run import traced

_TEXT = r"(?:[A-Za-z0-9 _.,/()+*-]|#\d+;)+"
_LINE = re.compile(
    rf"    (?:participant p\d+ as {_TEXT}|p\d+(?:->>|-->>|-x|--x)p\d+: {_TEXT}|Note over p\d+: {_TEXT})")


def read(diagram: str) -> list[str]:
    """Its rows without times, after each line was found to be of the grammar and each participant declared first."""
    head, *lines = diagram.splitlines()
    assert head == "sequenceDiagram"
    names: dict[str, str] = {}
    rows = []
    for line in lines:
        assert _LINE.fullmatch(line), line
        if line.startswith("    participant"):
            assert not rows
            _, name, _, text = line.split(maxsplit=3)
            names[name] = text
            continue
        assert set(re.findall(r"p\d+", line.partition(":")[0])) <= names.keys(), line
        plain = re.sub(r"p\d+", lambda found: names[found[0]], line.partition(": ")[0].strip())
        rows.append(f"{plain}: {re.sub('#([0-9]+);', lambda found: chr(int(found[1])), line.partition(' s ')[2])}")
    return rows


@pytest.mark.parametrize("kind", ["nfs", "sheepdog"])
def test_a_run_up_to_its_first_failed_job(kind: str) -> None:
    rows = read(sequence_diagram(traced(kind)))
    assert len(rows) == 40
    assert re.fullmatch(r"Note over ms-1: job \d+: FAILED: ObjectNotFound", rows[-1])
    assert "ms-1->>z1-ssvm1: download /template/1/absent on images" in rows
    assert not any("beat" in row for row in rows)


def test_a_run_up_to_its_crash() -> None:
    trace = traced("nfs")
    [crash] = [mark for mark in trace.marks if mark.sort == "crash"]
    rows = read(sequence_diagram(trace, crash.time_ns, last=500))
    assert read(sequence_diagram(trace, crash.time_ns, last=5)) == rows[-5:]
    assert rows[-1] == "Note over ms-1: CRASH"
    assert any(row.startswith("Note over volumes: FAULT slow before") for row in rows)


def test_what_comes_again_and_again_stands_once() -> None:
    spans = [request(number, "pread", 10 * number) for number in range(7)] + [request(7, "pwrite", 70)]
    assert read(sequence_diagram(made(*spans))) == ["h->>d: pread a (7 times)", "h->>d: pwrite a"]


@pytest.mark.parametrize(
    ("status", "answer", "rows"),
    [
        (Status.FAILED, "SlowDown", ["h->>d: Put a", "d-->>h: SlowDown"]),
        (Status.UNKNOWN, "lost", ["h-xd: Put a: lost"]),
        (Status.UNKNOWN, "answer-lost", ["h->>d: Put a", "d--xh: answer-lost"]),
        (Status.FAILED, "refused", ["h-xd: Put a: refused"]),
    ],
)
def test_how_a_request_ended_is_drawn(status: Status, answer: str, rows: list[str]) -> None:
    assert read(sequence_diagram(made(request(0, "Put", 5, status, answer)))) == rows


def test_where_nothing_failed_it_ends_with_the_first_disturbance() -> None:
    marks = Mark(5, "d", "fault", "slow"), Mark(50, "h", "crash", "")
    trace = made(request(0, "Get", 10), request(1, "Put", 60), marks=marks)
    assert read(sequence_diagram(trace)) == ["Note over d: FAULT slow", "h->>d: Get a", "Note over h: CRASH"]


def test_what_comes_after_the_failure_is_not_shown() -> None:
    job = Span(Sort.JOB, "job/1", "", "copy", "a", "ms", "", 0, 50, Status.FAILED, "DataCorrupted")
    trace = made(job, request(0, "Get", 10), request(1, "Put", 60), marks=(Mark(70, "h", "crash", ""),))
    assert first_failure_ns(trace) == 50
    assert read(sequence_diagram(trace)) == [
        "Note over ms: job 1: copy a", "h->>d: Get a", "Note over ms: job 1: FAILED: DataCorrupted"]


def test_no_name_means_anything_to_mermaid() -> None:
    assert len(read(sequence_diagram(odd_trace(), last=1000))) > 20


def request(number: int, name: str, start_ns: int, status: Status = Status.OK, answer: str = "ok") -> Span:
    return Span(Sort.REQUEST, f"request/d/{number}", "", name, "a", "d", "h", start_ns, start_ns + 5, status, answer)


def made(*spans: Span, marks: tuple[Mark, ...] = ()) -> Trace:
    places = {"ms": PlaceKind.MANAGEMENT, "h": PlaceKind.HOST, "d": PlaceKind.DEVICE}
    return Trace("run", 0, 100, places, spans, marks)
