"""Every format a run record can be written in, by name: one table for options, ``storcert report --format``, ``--out``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from storcert.conformance.rules import RULES
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.codec import encode
from storcert.harness.record.run_record import RunRecord
from storcert.reports import badge, code_quality, coverage, ctrf, github, junit, ndjson, sarif_run, terminal
from storcert.reports.html import page

Render = Callable[[RunRecord, str], str]
"""A record and the driver's folder within its repository to text."""


def _sarif(record: RunRecord, source_root: str) -> str:
    texts = {rule.id: sarif_run.RuleText(rule.title, rule.text, rule.why) for rule in RULES.values()}
    return sarif_run.render(record, texts, source_root)


FORMATS: Mapping[str, Render] = {
    "text": lambda record, _: terminal.render(record),
    "json": lambda record, _: encode(record),
    "junit": lambda record, _: junit.render(record),
    "html": lambda record, _: page.render(record),
    "sarif": _sarif,
    "ctrf": lambda record, _: ctrf.render(record),
    "ndjson": lambda record, _: ndjson.render(record),
    "code-quality": code_quality.render,
    "markdown": lambda record, _: github.step_summary(record),
    "badge": lambda record, _: badge.render(record),
    "coverage": lambda record, _: coverage.render(record),
}

ARTEFACTS: Mapping[str, str] = {
    "json": "run.json",
    "junit": "junit.xml",
    "text": "report.txt",
    "html": "report.html",
    "sarif": "results.sarif",
    "ctrf": "ctrf.json",
    "ndjson": "events.ndjson",
    "code-quality": "code-quality.json",
    "badge": "badge.svg",
    "coverage": "coverage.txt",
}
"""What ``--out`` gets: format and file."""


def render(record: RunRecord, name: str, source_root: str = "") -> str:
    """The record in the format of that name (``_`` for ``-``). Raises :class:`InvalidUsage` where there is none."""
    return FORMATS[check_format(name)](record, source_root)


def check_format(name: str) -> str:
    """The name as the table has it. Raises :class:`InvalidUsage` where there is none."""
    known = name.lower().replace("_", "-")
    if known not in FORMATS:
        close = difflib.get_close_matches(known, list(FORMATS), 1)
        hint = f", did you mean {close[0]}?" if close else ""
        raise InvalidUsage(f"--format {name}: it is one of {', '.join(FORMATS)}{hint}")
    return known
