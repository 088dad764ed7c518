"""A scenario as TOML text, always the same text for the same scenario; reading it gives an equal one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from storcert.scenarios.format.scenario import Scenario

WIDTH = 120
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_HEAD = ("name", "title", "story", "source", "class", "cost", "seeds")


def dumps(scenario: Scenario) -> str:
    """The canonical text."""
    lines: list[str] = []
    for key, value in scenario.to_json().items():
        if key not in _HEAD and (not lines or lines[-1]):
            lines.append("")
        lines.extend(_entry(key, value))
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any) -> list[str]:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        rows = [_inline(item) for item in value]
        if len(rows) > 1 or len(rows[0]) > WIDTH - 10:
            return [f"{key} = [", *(f"  {row}," for row in rows), "]"]
        return [f"{key} = [{rows[0]}]"]
    if isinstance(value, str) and len(value) > WIDTH - 20 and "\n" not in value:
        return _long(key, value)
    return [f"{key} = {_inline(value)}"]


def _long(key: str, text: str) -> list[str]:
    """A long text over several lines, which a backslash at the end of each joins again."""
    if any(word in text for word in ('"', "\\", "  ")) or text != text.strip() or not text.isprintable():
        return [f"{key} = {_inline(text)}"]
    rows = [""]
    for word in text.split(" "):
        if rows[-1] and len(rows[-1]) + len(word) > WIDTH - 4:
            rows[-1] += " \\"
            rows.append("")
        rows[-1] += f" {word}" if rows[-1] else word
    return [f'{key} = """\\', *rows[:-1], f'{rows[-1]}"""']


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key != "do")  # what a step does comes first; the rest stays as it is
        return "{ " + ", ".join(f"{_key(key)} = {_inline(value[key])}" for key in keys) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if isinstance(value, float):
        return repr(value)
    # JSON and TOML write text, whole numbers and truth alike, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE.match(key) else _inline(key)
