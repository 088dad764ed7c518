"""JUnit XML: one test case per check, one suite per rule.

JUnit has three outcomes beside success, the record six: ``fail`` is a failure; ``error`` and ``unknown`` are errors (an
undecided check must not look green); ``skipped`` and ``disabled`` are skipped. The exact six counts are properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from storcert.harness.record.run_record import CheckFailure, CheckResult, Counts, RunRecord
from storcert.harness.record.verdict import Verdict
from storcert.reports.failure_text import failures_by_check, joined
from storcert.reports.summary import depth_words, headline, not_scored_words, reason, subject
from storcert.reports.text import printable

_SKIPPED = (Verdict.SKIPPED, Verdict.DISABLED)
_ERRORS = (Verdict.ERROR, Verdict.UNKNOWN)


def render(record: RunRecord) -> str:
    """The XML text, ending in a newline."""
    root = ElementTree.Element("testsuites", name=_xml(f"storcert {subject(record)}"))
    _set_counts(root, record.checks)
    del root.attrib["skipped"]  # Jenkins' schema knows it of a suite only
    root.set("time", f"{record.environment.wall_time_s:.3f}")
    failures = failures_by_check(record)
    by_rule: dict[str, list[CheckResult]] = {}
    for check in record.checks:
        by_rule.setdefault(check.rule, []).append(check)
    for rule, checks in by_rule.items():
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(rule))
        _set_counts(suite, checks)
        suite.set("time", f"{record.environment.rule_times_s.get(rule, 0.0):.3f}")
        if record.environment.started:
            suite.set("timestamp", _xml(record.environment.started))
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in _properties(record, Counts.of(check.verdict for check in checks)):
            ElementTree.SubElement(properties, "property", name=name, value=_xml(value))
        for check in checks:
            _case(suite, check, failures.get(check.id, []), record)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _properties(record: RunRecord, counts: Counts) -> Iterable[tuple[str, str]]:
    yield "verdict", headline(record)
    yield "reason", reason(record)
    yield "profile", record.profile
    yield "seed", str(record.seed)
    yield "digest", record.digest
    yield "driver.digest", record.driver.digest
    if record.depth is not None:
        yield "depth", depth_words(record.depth)
    if record.not_scored is not None:
        yield "not_scored", not_scored_words(record.not_scored, record.kit.contract)
    for name, number in (
        ("pass", counts.passed),
        ("fail", counts.failed),
        ("unknown", counts.unknown),
        ("skipped", counts.skipped),
        ("disabled", counts.disabled),
        ("error", counts.error),
    ):
        yield f"count.{name}", str(number)


def _case(
    suite: ElementTree.Element, check: CheckResult, failures: list[CheckFailure], record: RunRecord
) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=_xml(f"storcert.{check.rule}"), name=_xml(check.id))
    if check.verdict is Verdict.FAIL:
        first = failures[0].message if failures else check.reason or "failed"
        child = ElementTree.SubElement(case, "failure", message=_xml(first), type="fail")
        child.text = _xml(joined(failures, check.rule) or check.reason)
    elif check.verdict in _ERRORS:
        child = ElementTree.SubElement(case, "error", message=_xml(check.reason), type=str(check.verdict))
        blame = (f"blame: {check.blame}",) if check.blame is not None else ()
        child.text = _xml("\n".join((*blame, *check.steps)))
    elif check.verdict in _SKIPPED:
        why = check.reason if check.verdict is Verdict.SKIPPED else f"disabled: {check.reason}".rstrip(": ")
        ElementTree.SubElement(case, "skipped", message=_xml(why))


def _set_counts(element: ElementTree.Element, checks: Iterable[CheckResult]) -> None:
    verdicts = [check.verdict for check in checks]
    element.set("tests", str(len(verdicts)))
    element.set("failures", str(sum(verdict is Verdict.FAIL for verdict in verdicts)))
    element.set("errors", str(sum(verdict in _ERRORS for verdict in verdicts)))
    element.set("skipped", str(sum(verdict in _SKIPPED for verdict in verdicts)))


_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    """``text`` without what XML 1.0 cannot hold, escaped so that it can still be read."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", printable(text))
