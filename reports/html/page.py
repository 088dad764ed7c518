"""A run record as one HTML page: what the template shows, put into rows of words. How it looks is the template's affair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from storcert.harness.record.run_record import CheckFailure, RunRecord
from storcert.harness.record.verdict import RunVerdict
from storcert.reports import exploration, history_svg, history_text, scenarios
from storcert.reports.failure_text import blame_words, proof_lines
from storcert.reports.html.matrices import matrices
from storcert.reports.html.timeline_data import timeline_data
from storcert.reports.summary import (
    AUDITS,
    count_words,
    declared,
    depth_words,
    headline,
    not_scored_words,
    place,
    reason,
    subject,
)
from storcert.reports.text import count, one_line, printable, seconds

TIMELINES_MAX = 40
CHECKS_MAX = 20_000
_CLASSES = {
    RunVerdict.CONFORMANT: "pass", RunVerdict.NOT_CONFORMANT: "fail", RunVerdict.UNDECIDED: "unknown",
    RunVerdict.ERROR: "error",
}


def render(record: RunRecord, *, live: bool = False) -> str:
    """The page. It loads nothing from anywhere and says so to the browser (a content security policy).

    ``live``: of a run that goes on; the page then asks whoever served it, and nobody else, whether there is more."""
    traces = record.traces[:TIMELINES_MAX]
    return _template().render(
        title=f"{headline(record)}: {subject(record)}",
        headline=headline(record),
        verdict=_CLASSES[record.verdict],
        subject=subject(record),
        reason=reason(record),
        counts=count_words(record.counts),
        depth=depth_words(record.depth) if record.depth is not None else "",
        about=_about(record),
        rules=_rules(record),
        failures=_failures(record, {shown.about: number for number, shown in reversed(list(enumerate(traces)))}),
        not_scored=_not_scored(record),
        capabilities=[
            (one_line(one.name), one_line(declared(one.declared)), *AUDITS[one.audit], one_line(one.reason))
            for one in record.capabilities
        ],
        matrices=matrices(record),
        scenarios=[
            (one_line(row.name), one_line(row.class_), f"{row.runs:,}", str(row.verdict), one_line(row.wrong))
            for row in scenarios.rows(record)
        ],
        steps=scenarios.steps(record),
        notes=[one_line(note) for note in scenarios.notes(record)],
        differences=[one_line(text, 600) for text in scenarios.differences(record)[0]],
        exploration=list(exploration.lines(record.exploration)) if record.exploration is not None else [],
        discoveries=_discoveries(record),
        checks=[
            (one_line(one.id), one_line(one.rule), str(one.verdict), f"{one.examples:,}", blame_words(one.blame),
             one_line(one.reason))
            for one in record.checks[:CHECKS_MAX]
        ],
        checks_hidden=max(0, len(record.checks) - CHECKS_MAX),
        findings=[(one_line(one.kind), one_line(one.message), place(one.file, one.line)) for one in record.findings],
        data=_json({"timelines": [timeline_data(shown) for shown in traces]}),
        live=live,
        css=_file("report.css"),
        script=_file("report.js") + _file("timeline.js") + (_file("live.js") if live else ""),
    )


def _about(record: RunRecord) -> list[tuple[str, str]]:
    environment = record.environment
    rows = [
        ("driver" if record.kind == "certification" else "of", f"{record.driver.name} {record.driver.version}".strip()),
        ("device", f"{record.device.name} ({record.device.mode})"),
        ("profile", record.profile),
        ("seed", str(record.seed)),
        ("kit", f"storcert {record.kit.version}, contract version {record.kit.contract}"),
        ("run digest", record.digest),
        ("driver digest", record.driver.digest),
        ("requirements", record.kit.requirements_digest),
        ("Python", environment.python),
        ("started", environment.started),
        ("took", seconds(environment.wall_time_s) if environment.wall_time_s else ""),
    ]
    return [(name, one_line(value)) for name, value in rows if value]


def _rules(record: RunRecord) -> list[tuple[str, str, str, str, str, int]]:
    """Id, verdict, checks, examples, reason, number of failures."""
    return [
        (one_line(rule.id), str(rule.verdict), f"{rule.checks:,}", f"{rule.examples:,}",
         one_line(rule.reason or (rule.failures[0].message if rule.failures else "")),
         len(rule.failures))
        for rule in record.rules
    ]


def _failures(record: RunRecord, timeline_of: Mapping[str, int]) -> list[dict[str, Any]]:
    return [_failure(rule.id, failure, timeline_of) for rule in record.rules for failure in rule.failures]


def _failure(rule: str, failure: CheckFailure, timeline_of: Mapping[str, int]) -> dict[str, Any]:
    # A failure under another rule than its check's own carries that rule after the id of the case.
    case = failure.check.removesuffix(f":{rule}")
    argument = failure.replay_argument
    return {
        "rule": one_line(rule),
        "check": one_line(failure.check),
        "message": printable(failure.message),
        "blame": blame_words(failure.blame),
        "evidence": [one_line(line, 400) for line in failure.evidence],
        "steps": [one_line(step, 400) for step in failure.steps],
        "shrinking": str(failure.shrinking or ""),
        "proof": [one_line(line, 400) for line in proof_lines(failure)],
        "source": place(failure.source.file, failure.source.line) if failure.source is not None else "",
        "replay": f"storcert replay {one_line(argument, 100_000)}" if argument else "",
        "history": _history(failure),
        "timeline": timeline_of.get(case, timeline_of.get(failure.check, -1)),
    }


def _not_scored(record: RunRecord) -> dict[str, Any] | None:
    """Checks that came after the contract's version was frozen: what they say, and that it does not count."""
    apart = record.not_scored
    if apart is None:
        return None
    rule_of = {check.id: check.rule for check in apart.checks}
    return {
        "told": not_scored_words(apart, record.kit.contract),
        "checks": [
            (one_line(one.id), str(one.verdict), f"{one.examples:,}", one_line(one.reason)) for one in apart.checks
        ],
        "failures": [_failure(rule_of[failure.check], failure, {}) for failure in apart.failures],
    }


def _history(failure: CheckFailure) -> dict[str, str] | None:
    """What no order explains, drawn; the drawing is markup that its own writer has escaped."""
    if failure.history is None:
        return None
    return {"headline": history_text.headline(failure.history), "svg": history_svg.svg(failure.history)}


def _discoveries(record: RunRecord) -> list[dict[str, Any]]:
    if record.exploration is None:
        return []
    return [
        {
            "rule": one_line(one.rule),
            "message": printable(one.message),
            "where": f"trial {one.trial:,}, seed {one.seed}; broke in {count(one.trials, 'run')}",
            "scenario": printable(one.scenario),
            "blame": blame_words(one.blame),
            "evidence": [one_line(line, 400) for line in one.evidence],
            "proof": list(exploration.proof(one)),
            "replay": f"storcert replay {one_line(one.token or one.file, 100_000)}" if one.token or one.file else "",
        }
        for one in record.exploration.discoveries
    ]


def _json(value: Any) -> str:
    """JSON that may stand in a script element: no ``</``, nothing that ends the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c")


def _file(name: str) -> str:
    return (resources.files("storcert.reports.html") / "templates" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_file("report.html.j2"))
