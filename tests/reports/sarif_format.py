"""Whether a text is SARIF 2.1.0, by its published schema (``schemas/README.md`` says whose copy that is)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json"


@cache
def _validator() -> Any:
    return jsonschema.Draft4Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))


def require_sarif(text: str) -> Any:
    """The log, read. Raises ``jsonschema.ValidationError`` for anything that the schema does not allow."""
    log = json.loads(text)
    _validator().validate(log)
    return log
