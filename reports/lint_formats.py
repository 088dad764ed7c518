"""A lint report for machines: JSON, SARIF, and annotations of a GitHub job. Text out; nothing is counted twice or left out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from storcert.harness.record.codec import to_json
from storcert.harness.record.lint_report import LintFinding, LintReport, Severity
from storcert.reports import sarif
from storcert.reports.lint import summary
from storcert.reports.sarif import Level, SarifPlace, SarifResult, SarifRule, SarifRun
from storcert.reports.text import one_line, printable

#: GitHub shows ten annotations of a kind and drops the rest without a word.
ANNOTATIONS_MAX = 10
_LEVELS = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING}


def render_json(report: LintReport) -> str:
    """The report as JSON, ``schema_version`` first, ending in a newline. Its schema is ``schemas/lint-report-1.json``."""
    return json.dumps(to_json(report), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def render_sarif(report: LintReport, rules: Sequence[SarifRule]) -> str:
    """The report as SARIF 2.1.0; ``rules`` are all that were applied. Accepted findings are suppressed results."""
    results = tuple(_result(one) for one in (*report.findings, *report.accepted))
    return sarif.render(
        SarifRun(
            report.kit_version, tuple(rules), results, exit_code=report.exit_code(), automation_id="storcert/lint/",
            properties={"device": report.device, "mount": report.mount, "mountUses": len(report.mount_uses)},
        )
    )


def github_commands(report: LintReport) -> str:
    """Workflow commands, one per line: errors and warnings on their lines, then how many are not shown. Empty: all is well."""
    lines = []
    for severity in Severity:
        these = [one for one in report.findings if one.severity is severity]
        shown = these if len(these) <= ANNOTATIONS_MAX else these[: ANNOTATIONS_MAX - 1]
        lines += [_command(one) for one in shown]
        if len(shown) < len(these):
            lines.append(f"::{severity} title=storcert lint::{_data(f'and {len(these) - len(shown)} more; {summary(report)}')}")
    return "".join(line + "\n" for line in lines)


def _result(one: LintFinding) -> SarifResult:
    return SarifResult(
        one.rule, f"{one.message}. {one.instead}", _LEVELS[one.severity],
        SarifPlace(one.file, one.line, one.column, one.end_line, one.end_column), one.fingerprint, one.justification,
    )  # fmt: skip


def _command(one: LintFinding) -> str:
    where = f"file={_property(one.file)},line={one.line},col={one.column}"
    title = f"{one.rule} ({one.contract})" if one.contract else one.rule
    return f"::{one.severity} {where},title={_property(title)}::{_data(one_line(f'{one.message}. {one.instead}', 900))}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
