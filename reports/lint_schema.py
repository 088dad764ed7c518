"""The published JSON Schema of the lint report, made from the dataclasses that are the report.

``python -m storcert.reports.lint_schema`` prints it; ``reports/schemas/lint-report-1.json`` is that text, and a test holds the
two together.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from storcert.harness.record.lint_report import LINT_SCHEMA_VERSION, LintReport
from storcert.reports.schema import document

SCHEMA_PATH = Path(__file__).parent / "schemas" / f"lint-report-{LINT_SCHEMA_VERSION}.json"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a lint report."""
    root = document(f"urn:storcert:lint-report:{LINT_SCHEMA_VERSION}", "storcert lint report", {LintReport: {}})
    root["properties"]["schema_version"] = {"const": LINT_SCHEMA_VERSION}
    return root


def text() -> str:
    """The schema as the text of its file."""
    return json.dumps(json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
