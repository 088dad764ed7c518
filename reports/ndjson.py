"""The event stream: one JSON object per line, for whoever follows a long run or loads it into a database.

``run_started`` comes first, ``run_ended`` last and has the counts. Between them ``scenario_ended`` for each run of a scenario,
and one ``case_ended`` for each check of the record, so that counting those by verdict gives the counts. While a run goes, lines
come in the order in which cases end, which workers decide, and have the ``time``; of a stored record they come in its order.
What is not known before the end (checks that were not asked for, a check over the whole run) comes just before ``run_ended``.

``python -m storcert.reports.ndjson`` prints the JSON Schema of a line; ``reports/schemas/event-1.json`` is that text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storcert.harness.record.codec import to_json
from storcert.harness.record.run_record import (
    CheckFailure,
    CheckResult,
    Counts,
    DeviceIdentity,
    DriverIdentity,
    KitIdentity,
    RunRecord,
)
from storcert.harness.record.scenario_run import ScenarioRun
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports import schema, summary
from storcert.reports.failure_text import failures_by_check

EVENT_VERSION = 1
SCHEMA_PATH = Path(__file__).parent / "schemas" / f"event-{EVENT_VERSION}.json"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """What begins. ``time``: RFC 3339, UTC; empty in a stream made of a stored record."""

    kind: str
    kit: KitIdentity
    driver: DriverIdentity
    device: DeviceIdentity
    profile: str
    seed: int
    time: str = ""


@dataclass(frozen=True, slots=True)
class CaseEnded:
    """One check and what it came to. ``failures``: empty while the run goes, where they are not put together yet."""

    id: str
    rule: str
    verdict: Verdict
    reason: str = ""
    examples: int = 0
    steps: tuple[str, ...] = ()
    failures: tuple[CheckFailure, ...] = ()
    time: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioEnded:
    """One run of one scenario. ``variant``: the substitution of devices, or empty."""

    scenario: str
    variant: str
    seed: int
    verdict: Verdict
    time: str = ""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """What it came to."""

    verdict: RunVerdict
    reason: str
    counts: Counts
    digest: str
    exit_code: int
    time: str = ""


Event = RunStarted | CaseEnded | ScenarioEnded | RunEnded
NAMES: dict[type, str] = {
    RunStarted: "run_started", CaseEnded: "case_ended", ScenarioEnded: "scenario_ended", RunEnded: "run_ended",
}


def line(event: Event) -> str:
    """The event as its line, with the line's end."""
    value = {"event": NAMES[type(event)], "event_version": EVENT_VERSION, **to_json(event)}
    if not value["time"]:
        del value["time"]
    return json.dumps(value, ensure_ascii=True) + "\n"


def started(record: RunRecord, time: str = "") -> RunStarted:
    """The event that a run of this record begins with."""
    return RunStarted(record.kind, record.kit, record.driver, record.device, record.profile, record.seed, time)


def case_ended(check: CheckResult, failures: tuple[CheckFailure, ...] = (), time: str = "") -> CaseEnded:
    """The event of a check."""
    return CaseEnded(check.id, check.rule, check.verdict, check.reason, check.examples, check.steps, failures, time)


def scenario_ended(run: ScenarioRun, time: str = "") -> ScenarioEnded:
    """The event of a run of a scenario."""
    return ScenarioEnded(run.scenario, run.variant, run.seed, run.verdict, time)


def ended(record: RunRecord, time: str = "") -> RunEnded:
    """The event that a run of this record ends with."""
    return RunEnded(record.verdict, summary.reason(record), record.counts, record.digest, record.exit_code(), time)


def events(record: RunRecord) -> Iterator[Event]:
    """The stream of a stored record."""
    failures = failures_by_check(record)
    yield started(record)
    for run in record.scenarios:
        yield scenario_ended(run)
    for check in record.checks:
        yield case_ended(check, tuple(failures.get(check.id, ())))
    yield ended(record)


def render(record: RunRecord) -> str:
    """The stream of a stored record as text."""
    return "".join(line(event) for event in events(record))


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one line."""
    return schema.document(
        f"urn:storcert:event:{EVENT_VERSION}",
        "storcert event",
        {cls: {"event": {"const": name}, "event_version": {"const": EVENT_VERSION}} for cls, name in NAMES.items()},
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
