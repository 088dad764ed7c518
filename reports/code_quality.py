"""GitLab's code quality file (the part of Code Climate's issues that GitLab reads): one issue per failure.

A merge request shows issues whose fingerprint its target branch does not have, so the fingerprint holds neither line numbers
nor messages. Undecided checks and errors of the kit are issues too: a run that decided nothing must not look clean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from storcert.harness.record.run_record import CheckFailure, RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports.failure_text import failures_by_check
from storcert.reports.repository_place import repository_place
from storcert.reports.sarif import numbered
from storcert.reports.summary import headline, reason
from storcert.reports.text import one_line, printable

_SEVERITIES = {Verdict.FAIL: "critical", Verdict.UNKNOWN: "major", Verdict.ERROR: "blocker"}
DESCRIPTION_MAX = 500


def render(record: RunRecord, source_root: str = "") -> str:
    """The file as text. ``source_root``: see :mod:`storcert.reports.repository_place`."""
    found = list(_found(record))
    marks = numbered((record.kind, record.driver.name, record.device.name, name) for name, *_ in found)
    issues: list[dict[str, Any]] = []
    for (name, rule, severity, message, failure), mark in zip(found, marks, strict=True):
        where = repository_place(failure, record.driver, source_root)
        issues.append(
            {
                "description": one_line(f"{name}: {message}", DESCRIPTION_MAX),
                "check_name": printable(rule),
                "fingerprint": mark,
                "severity": severity,
                "location": {"path": where.file, "lines": {"begin": where.line}},
            }
        )
    return json.dumps(issues, indent=2, ensure_ascii=True) + "\n"


def _found(record: RunRecord) -> Iterator[tuple[str, str, str, str, CheckFailure | None]]:
    """Check, rule, severity, message, failure."""
    failures = failures_by_check(record)
    nothing = True
    for check in record.checks:
        severity = _SEVERITIES.get(check.verdict)
        if severity is None:
            continue
        nothing = False
        if not failures.get(check.id):
            yield check.id, check.rule, severity, check.reason or str(check.verdict), None
        for failure in failures.get(check.id, ()):
            yield check.id, check.rule, severity, failure.message, failure
    if nothing and record.verdict is not RunVerdict.CONFORMANT:
        yield "storcert", "storcert", "blocker", f"{headline(record)}: {reason(record)}", None
