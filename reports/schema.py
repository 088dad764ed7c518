"""The published JSON Schema of the run record, made from the dataclasses that are the record.

``python -m storcert.reports.schema`` prints it; ``reports/schemas/run-record-1.json`` is that text, and a test holds the
two together. A reader must ignore fields it does not know, so additional properties are allowed everywhere.
"""

from __future__ import annotations

import json
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from storcert.harness.record.run_record import SCHEMA_VERSION, RunRecord

SCHEMA_PATH = Path(__file__).parent / "schemas" / f"run-record-{SCHEMA_VERSION}.json"
_SCALARS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a run record."""
    definitions: dict[str, Any] = {}
    root = _of_dataclass(RunRecord, definitions)
    root["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:storcert:run-record:{SCHEMA_VERSION}",
        "title": "storcert run record",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def document(identity: str, title: str, kinds: Mapping[type, Mapping[str, Any]]) -> dict[str, Any]:
    """JSON Schema 2020-12 of a value that is one of these dataclasses, each with more properties that it must have."""
    definitions: dict[str, Any] = {}
    choices = []
    for kind, more in kinds.items():
        value = _of_dataclass(kind, definitions)
        value["properties"] = {**more, **{name: one for name, one in value["properties"].items() if name not in more}}
        value["required"] = [*more, *(name for name in value.get("required", []) if name not in more)]
        choices.append(value)
    root = choices[0] if len(choices) == 1 else {"oneOf": choices}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": identity,
        "title": title,
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The schema as the text of its file."""
    return json.dumps(json_schema(), indent=2) + "\n"


def _of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(argument, definitions) for argument in arguments]}
    if kind is type(None):
        return {"type": "null"}
    if origin is tuple:
        return {"type": "array", "items": _of(arguments[0], definitions)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(arguments[1], definitions)}
    if is_dataclass(kind):
        return _reference(typing.cast(type, kind), definitions)
    if issubclass(kind, StrEnum):
        return {"enum": [str(item) for item in kind]}
    return {"type": _SCALARS[kind]}


def _reference(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}
        definitions[kind.__name__] = _of_dataclass(kind, definitions)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _of_dataclass(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    names = {item.name: str(item.metadata.get("json", item.name)) for item in fields(kind)}
    required = [
        names[item.name] for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING
    ]
    value: dict[str, Any] = {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "properties": {name: _of(hints[field], definitions) for field, name in names.items()},
    }
    return {**value, "required": required} if required else value


if __name__ == "__main__":
    sys.stdout.write(text())
