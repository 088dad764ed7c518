"""CTRF, the Common Test Report Format 1.0: one test per check.

CTRF has five endings, the record six. ``disabled`` (switched off by the operator) is ``pending``; ``unknown`` and ``error`` are
``other``, so that an undecided check is never green. ``rawStatus`` has the record's own word, ``extra`` the six counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storcert.harness.record.codec import to_json
from storcert.harness.record.run_record import CheckFailure, CheckResult, RunRecord
from storcert.harness.record.verdict import Verdict
from storcert.reports.failure_text import failures_by_check, joined
from storcert.reports.summary import headline, reason
from storcert.reports.text import printable

SPEC_VERSION = "1.0.0"
STATUSES: Mapping[Verdict, str] = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.SKIPPED: "skipped",
    Verdict.DISABLED: "pending",
    Verdict.UNKNOWN: "other",
    Verdict.ERROR: "other",
}


def render(record: RunRecord) -> str:
    """The report as text, ending in a newline. A record without a start time has the times 0."""
    failures = failures_by_check(record)
    start_ms = _start_ms(record.environment.started)
    duration_ms = round(record.environment.wall_time_s * 1000)
    statuses = [STATUSES[check.verdict] for check in record.checks]
    value: dict[str, Any] = {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "generatedBy": "storcert",
        "results": {
            "tool": {"name": "storcert", "version": printable(record.kit.version), "extra": {"storcert": to_json(record.kit)}},
            "summary": {
                "tests": len(statuses),
                **{name: statuses.count(name) for name in ("passed", "failed", "skipped", "pending", "other")},
                "suites": len({check.rule for check in record.checks}),
                "start": start_ms,
                "stop": start_ms + duration_ms,
                "duration": duration_ms,
                "extra": {"storcert": _about(record)},
            },
            "tests": [_test(check, failures.get(check.id, [])) for check in record.checks],
        },
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _about(record: RunRecord) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "verdict": str(record.verdict),
        "headline": headline(record),
        "reason": reason(record),
        "driver": printable(record.driver.name),
        "device": printable(record.device.name),
        "profile": record.profile,
        "seed": record.seed,
        "digest": record.digest,
        "counts": to_json(record.counts),
        **({"depth": to_json(record.depth)} if record.depth is not None else {}),
        **({"notScored": to_json(record.not_scored)} if record.not_scored is not None else {}),
    }


def _test(check: CheckResult, failures: list[CheckFailure]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "testId": printable(check.id),
        "name": printable(check.id),
        "status": STATUSES[check.verdict],
        "rawStatus": str(check.verdict),
        "duration": 0,  # the record says how long each rule took, not each check
        "suite": [printable(check.rule)],
        "labels": {"examples": check.examples},
    }
    message = failures[0].message if failures else check.reason
    if message and check.verdict is not Verdict.PASS:
        value["message"] = printable(message)
    blame = next((failure.blame for failure in failures if failure.blame is not None), check.blame)
    if blame is not None:
        value["extra"] = {"blame": str(blame)}
    if failures:
        value["trace"] = printable(joined(failures, check.rule))
        source = next((failure.source for failure in failures if failure.source is not None), None)
        if source is not None:
            value["filePath"] = printable(source.file)
            value["line"] = source.line
    return value


def _start_ms(started: str) -> int:
    """Milliseconds since 1970; 0 for a record that does not say, or not in a way that can be read."""
    try:
        return round(datetime.fromisoformat(started).timestamp() * 1000)
    except ValueError:
        return 0
