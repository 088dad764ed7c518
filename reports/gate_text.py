"""What the merge gate said, for people: text, GitHub annotations, the step summary, JSON. A pure function of one result.

``python -m storcert.reports.gate_text`` prints the JSON Schema of the JSON; ``reports/schemas/gate-1.json`` is that text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storcert.harness.record.codec import to_json
from storcert.harness.record.gate_result import EXPECTATION_KINDS, GATE_VERSION, GateKind, GateProblem, GateResult
from storcert.harness.record.run_record import RunRecord
from storcert.reports import schema
from storcert.reports.github import ANNOTATIONS_MAX, annotation, markdown
from storcert.reports.summary import count_words, place
from storcert.reports.text import count, one_line

SCHEMA_PATH = Path(__file__).parent / "schemas" / f"gate-{GATE_VERSION}.json"
SHOWN = 50
"""So many of a kind are listed; the JSON has all."""

TITLES = {
    GateKind.NEW: "New failures",
    GateKind.STALE: "Expected to fail, and does not",
    GateKind.EXPIRED: "Expected until a day that is over",
    GateKind.UNKNOWN_ID: "Expected of a check that does not exist",
    GateKind.FLAKY: "Not the same in every run",
    GateKind.CAPABILITY: "Capabilities that were more",
    GateKind.RULE: "Rules that are no longer decided",
    GateKind.CHECKS: "Fewer checks",
    GateKind.EXAMPLES: "Fewer examples",
    GateKind.PROFILE: "A lower profile",
    GateKind.KIT: "Another kit",
    GateKind.CONFIGURATION: "Another configuration",
    GateKind.UNDECIDED: "Not decided",
    GateKind.ERROR: "The kit itself failed",
}


def headline(result: GateResult) -> str:
    """``GATE OPEN``, or why not, in a line."""
    if result.interrupted:
        return "GATE SHUT: the run was interrupted"
    blocking = result.blocking
    if not blocking:
        if not result.counts.failed:
            return "GATE OPEN"
        return f"GATE OPEN: {count(len(result.expected), 'failure')} expected" if result.expected else "GATE OPEN"
    kinds = dict.fromkeys(problem.kind for problem in blocking)
    return f"GATE SHUT: {', '.join(f'{sum(one.kind is kind for one in blocking):,} {kind}' for kind in kinds)}"


def render(result: GateResult) -> str:
    """Plain text, ending in a newline."""
    lines = [f"{headline(result)}  {_subject(result)}", f"{count(result.counts.total, 'check')}: {count_words(result.counts)}"]
    for kind, problems in _by_kind(result):
        lines += ["", f"{TITLES[kind]} ({len(problems)}{'' if problems[0].blocks else ', not blocking'})"]
        for problem in problems[:SHOWN]:
            where = f"  [{place(problem.file, problem.line)}]" if problem.file and kind in EXPECTATION_KINDS else ""
            lines.append(f"  {one_line(problem.subject, 120)}{where}\n      {one_line(problem.message, 400)}")
        if len(problems) > SHOWN:
            lines.append(f"  and {len(problems) - SHOWN:,} more")
    if result.expected:
        lines += ["", f"As expected ({len(result.expected)})"]
        for one in result.expected[:SHOWN]:
            link = f", {one_line(one.link, 120)}" if one.link else ""
            why = f"{one_line(one.reason)} ({one_line(one.owner)}, until {one.expires}{link})"
            lines.append(f"  {one_line(one.id, 120)}\n      {why}")
        if len(result.expected) > SHOWN:
            lines.append(f"  and {len(result.expected) - SHOWN:,} more")
    if result.notes:
        lines += ["", "Notes", *(f"  {one_line(note, 400)}" for note in result.notes[:SHOWN])]
    return "\n".join(lines) + "\n"


def error_commands(result: GateResult) -> str:
    """GitHub workflow commands, one per line: an error for what blocks, a warning for what does not."""
    shown = sorted(result.problems, key=lambda problem: not problem.blocks)
    lines = [
        annotation("error" if one.blocks else "warning", f"{one.kind}: {one.subject}", one.message, one.file, one.line)
        for one in shown[: ANNOTATIONS_MAX - 1]
    ]
    if len(shown) >= ANNOTATIONS_MAX:
        lines.append(annotation("error", "storcert", f"and {count(len(shown) - len(lines), 'more problem')} at the gate"))
    if not result.problems and result.exit_code():
        lines.append(annotation("error", "storcert", headline(result)))
    return "".join(line + "\n" for line in lines)


def step_summary(result: GateResult) -> str:
    """Markdown for the step summary."""
    lines = [f"### {headline(result)}: {markdown(_subject(result))}", ""]
    if result.problems:
        lines += ["| what | of | how | blocks |", "|---|---|---|---|"]
        for one in result.problems[:SHOWN]:
            blocks = "yes" if one.blocks else "no"
            lines.append(f"| {one.kind} | {markdown(one.subject)} | {markdown(one.message)} | {blocks} |")
        lines.append("")
        if len(result.problems) > SHOWN:
            lines += [f"And {count(len(result.problems) - SHOWN, 'more problem')}.", ""]
    if result.expected:
        lines += [
            f"<details><summary>{count(len(result.expected), 'failure')} as expected</summary>", "",
            "| check | reason | owner | until |", "|---|---|---|---|",
            *(
                f"| {markdown(one.id)} | {markdown(one.reason)} | {markdown(one.owner)} | {one.expires} |"
                for one in result.expected[:SHOWN]
            ),
            "", "</details>", "",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def to_text(result: GateResult) -> str:
    """The result as JSON text."""
    value = {**to_json(result), "exit_code": result.exit_code(), "headline": headline(result)}
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of :func:`to_text`."""
    more = {"gate_version": {"const": GATE_VERSION}, "exit_code": {"type": "integer"}, "headline": {"type": "string"}}
    return schema.document(f"urn:storcert:gate:{GATE_VERSION}", "storcert gate", {GateResult: more})


def empty_result(record: RunRecord) -> GateResult:
    """Of a run nothing is said of yet."""
    return GateResult(
        GATE_VERSION, record.kind, record.verdict, record.driver, record.device, record.digest, record.counts,
        interrupted=record.interrupted,
    )


def _subject(result: GateResult) -> str:
    name = one_line(f"{result.driver.name} {result.driver.version}".strip())
    return f"{name} on {one_line(result.device.name)} ({one_line(result.device.mode)})"


def _by_kind(result: GateResult) -> Iterator[tuple[GateKind, list[GateProblem]]]:
    for kind in GateKind:
        problems = [problem for problem in result.problems if problem.kind is kind]
        if problems:
            yield kind, problems


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
