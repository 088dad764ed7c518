"""What checking a signed verdict came to, for people and as JSON. A pure function of one verification.

``python -m storcert.reports.verification_text`` prints the JSON Schema of the JSON; ``reports/schemas/verification-1.json`` is
that text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from storcert.harness.record.codec import to_json
from storcert.harness.record.verification import VERIFICATION_VERSION, Answer, Refusal, Verification
from storcert.reports import schema
from storcert.reports.text import one_line

SCHEMA_PATH = Path(__file__).parent / "schemas" / f"verification-{VERIFICATION_VERSION}.json"

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
    value = {
        "verification_version": VERIFICATION_VERSION,
        "verified": not found.refusals,
        "refusals": list(map(str, found.refusals)),
        **to_json(found),
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of :func:`to_text`."""
    more = {
        "verification_version": {"const": VERIFICATION_VERSION},
        "verified": {"type": "boolean"},
        "refusals": {"type": "array", "items": {"enum": [str(one) for one in Refusal]}},
    }
    return schema.document(f"urn:storcert:verification:{VERIFICATION_VERSION}", "storcert verify", {Verification: more})


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
