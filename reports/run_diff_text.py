"""What behaves differently in two runs, for people and as JSON. A pure function of one comparison.

``python -m storcert.reports.run_diff_text`` prints the JSON Schema of the JSON; ``reports/schemas/diff-1.json`` is that text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from storcert.harness.record.codec import to_json
from storcert.harness.record.run_diff import DIFF_VERSION, Pair, RunDiff, Side
from storcert.reports import schema
from storcert.reports.text import count, one_line

SCHEMA_PATH = Path(__file__).parent / "schemas" / f"diff-{DIFF_VERSION}.json"
SHOWN = 40
"""So many of a kind are listed; the JSON has all."""


def render(found: RunDiff) -> str:
    """Plain text, ending in a newline."""
    lines = ["SAME" if found.same else f"DIFFERENT: {_summary(found)}", f"  A  {_side(found.a)}", f"  B  {_side(found.b)}"]
    program = found.shortest
    if program is not None:
        other = "B" if program.side == "A" else "A"
        lines += ["", f"Shortest program that shows it: {one_line(program.check)} fails in {program.side} ({other} differs)"]
        lines += [f"  {number:>3}  {one_line(step)}" for number, step in enumerate(program.steps, 1)]
        lines.append(f"  in {program.side}: {one_line(program.message)}")
        if program.replay:
            lines.append(f"  storcert replay {program.replay}")
    if found.a.verdict is not found.b.verdict:
        lines += ["", f"Verdict: {found.a.verdict} in A, {found.b.verdict} in B"]
    lines += _table("Capabilities", found.capabilities)
    lines += _table("Rules", found.rules)
    if found.checks:
        lines += ["", f"Checks ({len(found.checks)})"]
        for check in sorted(found.checks, key=lambda one: "fail" not in (one.a, one.b))[:SHOWN]:
            lines.append(f"  {one_line(check.id, 120)}: {check.a} in A, {check.b} in B")
            both = (("A", check.a_message), ("B", check.b_message))
            lines += [f"      {side}: {one_line(said)}" for side, said in both if said]
        lines += _more(found.checks)
    lines += _table("Coverage", found.coverage)
    if found.scenarios:
        lines += ["", f"Scenarios ({len(found.scenarios)})"]
        for one in found.scenarios[:SHOWN]:
            where = f"{one.scenario}{f' on {one.variant}' if one.variant else ''}, seed {one.seed}"
            lines.append(f"  {one_line(where)}, {one_line(one.what)}: {one_line(one.a)} in A, {one_line(one.b)} in B")
        lines += _more(found.scenarios)
    lines += _table("Findings", found.findings)
    if found.notes:
        lines += ["", *(f"Note: {one_line(note)}" for note in found.notes)]
    return "\n".join(lines) + "\n"


def to_text(found: RunDiff) -> str:
    """The comparison as JSON text."""
    return json.dumps({**to_json(found), "same": found.same}, indent=2, ensure_ascii=True) + "\n"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of :func:`to_text`."""
    more = {"diff_version": {"const": DIFF_VERSION}, "same": {"type": "boolean"}}
    return schema.document(f"urn:storcert:diff:{DIFF_VERSION}", "storcert diff", {RunDiff: more})


def _summary(found: RunDiff) -> str:
    return ", ".join(_counted(found)) or f"{found.a.verdict} and {found.b.verdict}"


def _counted(found: RunDiff) -> Iterator[str]:
    for words, items in (
        (("capability", "capabilities"), found.capabilities), (("rule", "rules"), found.rules),
        (("check", "checks"), found.checks), (("rule's coverage", "rules' coverage"), found.coverage),
        (("thing in scenarios", "things in scenarios"), found.scenarios), (("finding", "findings"), found.findings),
    ):  # fmt: skip
        if items:
            yield count(len(items), *words)


def _side(side: Side) -> str:
    name = one_line(f"{side.driver.name} {side.driver.version}".strip())
    device = f"{one_line(side.device.name)} ({one_line(side.device.mode)})"
    return f"{name} on {device}, profile {side.profile}, seed {side.seed}, storcert {side.kit}: {side.verdict}"


def _table(title: str, pairs: Sequence[Pair]) -> list[str]:
    if not pairs:
        return []
    rows = [f"  {one_line(pair.what, 160)}: {one_line(pair.a)} in A, {one_line(pair.b)} in B" for pair in pairs[:SHOWN]]
    return ["", f"{title} ({len(pairs)})", *rows, *_more(pairs)]


def _more(items: Sequence[object]) -> list[str]:
    return [f"  and {len(items) - SHOWN:,} more"] if len(items) > SHOWN else []


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
