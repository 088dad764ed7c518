"""What it costs to write a trace, per span, beside what ``json.dumps`` costs on the same content. Prints a table and JSON.

    python benchmarks/traces.py [--spans N] [--rounds N] [--json FILE]

The spans are those of a run: requests with a parent and a subject, jobs and commands among them, some of them failed. Times are
CPU time; the median of the rounds is given. ``json.dumps`` is given the objects that the written text is read back as: it is
what a writer costs that builds them first, without the building. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storcert.harness.record.history import Status
from storcert.harness.record.trace import PlaceKind, Sort, Span, Trace
from storcert.harness.record.trace_of_run import trace_of_run
from storcert.reports.chrome_trace import chrome_trace
from storcert.reports.otlp_trace import otlp_trace
from storcert.reports.sequence_diagram import sequence_diagram

AIM_US = 1.5
REQUESTS_PER_COMMAND = 20


@dataclass(slots=True)
class _Asked:
    index: int
    time_ns: int
    ended_ns: int | None
    location: str
    task: str
    operation: str
    target: str
    sent_bytes: int
    received_bytes: int
    answer: str
    faults: tuple[object, ...]


def made(count: int) -> tuple[Trace, list[_Asked]]:
    """A trace of so many spans, four things going on at once, and the requests in it as a device logs them."""
    spans: list[Span] = []
    logged: list[_Asked] = []
    places = {"ms-1": PlaceKind.MANAGEMENT, "images": PlaceKind.DEVICE}
    places |= {f"z1-h{number}": PlaceKind.HOST for number in range(4)}
    start_ns = 1_700_000_000_000_000_000
    for number in range(count // (REQUESTS_PER_COMMAND + 2)):
        begun_ns, host = start_ns + number * 1_000_003, f"z1-h{number % 4}"
        job, command = f"job/{number}", f"command/{number}.0.1"
        failed = number % 50 == 7
        status, answer = (Status.FAILED, "DataCorrupted") if failed else (Status.OK, "ok")
        about = f"/template/2/{number} -> /volume/7/{number} on images"
        spans.append(Span(Sort.JOB, job, "", "copy", about, "ms-1", "", begun_ns, begun_ns + 4_000_000, status, answer))
        spans.append(Span(
            Sort.COMMAND, command, job, "stream", about, host, "ms-1", begun_ns + 9, begun_ns + 3_900_000, status, answer))
        for part in range(REQUESTS_PER_COMMAND):
            index, at_ns = len(logged), begun_ns + 10 + part * 47_123
            spans.append(Span(
                Sort.REQUEST, f"request/images/{index}", command, "UploadPart", f"storcert/volume/7/{number}", "images", host,
                at_ns, at_ns + 41_234, Status.OK, "ok", 5_242_880))
            logged.append(_Asked(
                index, at_ns, at_ns + 41_234, host, f"stream {number}.0.1", "UploadPart", f"storcert/volume/7/{number}",
                5_242_880, 0, "ok", ()))
    spans.sort(key=lambda span: span.start_ns)
    end_ns = max(span.end_ns or 0 for span in spans)
    return Trace("00" * 32, start_ns, end_ns, places, tuple(spans), ()), logged


def median_us(body: Callable[[], object], per: int, rounds: int) -> float:
    """CPU microseconds per item."""
    taken = []
    for _ in range(rounds + 1):
        gc.collect()
        start_ns = time.process_time_ns()
        body()
        taken.append((time.process_time_ns() - start_ns) / per / 1000)
    return statistics.median(taken[1:])  # the first round warms up


def measure(count: int, rounds: int) -> list[dict[str, Any]]:
    """One dictionary per format."""
    trace, logged = made(count)
    spans = len(trace.spans)
    rows = []
    for name, write in (("Chrome JSON", chrome_trace), ("OTLP JSON lines", otlp_trace)):
        text = "".join(write(trace))
        objects = [json.loads(text)] if name == "Chrome JSON" else [json.loads(line) for line in text.splitlines()]

        def dump(objects: list[Any] = objects) -> None:
            for one in objects:
                json.dumps(one)

        ours_us = median_us(lambda write=write: "".join(write(trace)), spans, rounds)
        theirs_us = median_us(dump, spans, rounds)
        rows.append({
            "name": name, "us_per_span": round(ours_us, 3), "aim_us": AIM_US, "json_dumps_us": round(theirs_us, 3),
            "ratio": round(ours_us / theirs_us, 3), "bytes_per_span": round(len(text) / spans),
        })
    reading_us = median_us(lambda: trace_of_run([], {"images": logged}), len(logged), rounds)
    rows.append({"name": "spans from logs of requests", "us_per_span": round(reading_us, 3)})
    diagram_us = median_us(lambda: sequence_diagram(trace), spans, rounds)
    rows.append({"name": "sequence diagram, of all spans", "us_per_span": round(diagram_us, 3)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Writers of traces, in CPU time per span.")
    parser.add_argument("--spans", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="write the results to this file as well")
    options = parser.parse_args()
    rows = measure(options.spans, options.rounds)
    print(f"{'':32}{'us/span':>9}{'aim':>7}{'json.dumps':>12}{'ratio':>7}{'B/span':>8}")
    for row in rows:
        told = "".join(
            f"{row.get(key, ''):>{width}}"
            for key, width in (("us_per_span", 9), ("aim_us", 7), ("json_dumps_us", 12), ("ratio", 7), ("bytes_per_span", 8))
        )
        print(f"{row['name']:32}{told}")
    result = {"rows": rows, "spans": options.spans, "rounds": options.rounds, "python": platform.python_version()}
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
