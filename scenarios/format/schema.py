"""The published JSON Schema of scenario files, made from the values that are the format, and what it says at one place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from storcert.scenarios.format.scenario import Scenario

SCHEMA_VERSION = 1
SCHEMA_PATH = Path(__file__).resolve().parent / f"scenario-{SCHEMA_VERSION}.json"


@cache
def json_schema() -> Mapping[str, Any]:
    """JSON Schema 2020-12 of a scenario file, as TOML gives it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:storcert:scenario:{SCHEMA_VERSION}",
        **Scenario.model_json_schema(by_alias=True, mode="validation"),
        "title": "storcert scenario",
    }


def text() -> str:
    """The schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=True) + "\n"


def node_at(value: Any, path: Sequence[str | int]) -> Mapping[str, Any]:
    """What the schema says of the place ``path`` in ``value``; empty where it says nothing."""
    node = _resolved(json_schema(), value)
    for part in path:
        if isinstance(part, int):
            found = node.get("items") or (node.get("prefixItems") or [{}])[0]
            value = value[part] if isinstance(value, list) and part < len(value) else None
        else:
            found = node.get("properties", {}).get(part, {})
            value = value.get(part) if isinstance(value, dict) else None
        node = _resolved(found, value)
    return node


def _resolved(node: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    """The definition that a reference means, and of several kinds of steps the one that ``value`` says it is."""
    while "$ref" in node:
        node = json_schema()["$defs"][node["$ref"].rpartition("/")[2]]
    if "discriminator" in node:
        mapping = node["discriminator"]["mapping"]
        chosen = mapping.get(value.get("do")) if isinstance(value, dict) else None
        if chosen is None:
            return {"properties": {"do": {"enum": list(mapping)}}}
        return _resolved({"$ref": chosen}, value)
    if "anyOf" in node:
        for one in node["anyOf"]:
            found = _resolved(one, value)
            if found.get("properties") or found.get("items"):
                return found
    return node


def keys_at(value: Any, path: Sequence[str | int]) -> list[str]:
    """The keys of a table, or the words that a key may be, at that place."""
    node = node_at(value, path)
    names = node.get("propertyNames", {})
    names = _resolved(names, None) if names else names
    return [*node.get("properties", ()), *map(str, node.get("enum", ())), *map(str, names.get("enum", ()))]


def allowed_at(value: Any, path: Sequence[str | int]) -> str:
    """``; for example ...``, where the schema has one."""
    node = node_at(value, path)
    options = [node, *node.get("anyOf", ())]
    for one in options:
        if one.get("examples"):
            return f', as in "{one["examples"][0]}"'
        if one.get("enum"):
            return f"; one of {', '.join(str(word) for word in one['enum'])}"
    return ""


if __name__ == "__main__":
    SCHEMA_PATH.write_text(text(), encoding="utf-8")
