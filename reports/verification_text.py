"""What checking a signed verdict came to, for people and as JSON. A pure function of one verification."""

from __future__ import annotations

import json

from storcert.harness.record.codec import to_json
from storcert.harness.record.verification import Answer, Verification
from storcert.reports.text import one_line

_WORDS = {Answer.OK: "ok", Answer.FAILED: "FAILED", Answer.NOT_CHECKED: "not checked"}


def render(found: Verification) -> str:
    """Plain text, ending in a newline: the answer, then each question."""
    refusals = found.refusals
    lines = [f"NOT VERIFIED: {', '.join(refusals)}" if refusals else "VERIFIED", f"  {one_line(found.subject)}", ""]
    for one in found.questions:
        reason = f" [{one.reason}]" if one.reason is not None else ""
        lines.append(f"  {one.name:<15}  {_WORDS[one.answer]:<11}  {one_line(one.message, 500)}{reason}")
    return "\n".join(lines) + "\n"


def to_text(found: Verification) -> str:
    """The verification as JSON text."""
    value = {**to_json(found), "verified": not found.refusals, "refusals": list(map(str, found.refusals))}
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
