"""Run records as JSON text, and canonical JSON for digests.

Reading tolerates fields it does not know (a later kit may have written the file) and refuses everything else with one
:class:`RecordError` that names the place. Nothing here opens a file by itself except :func:`read_file`.
"""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from storcert.harness.record.run_record import SCHEMA_VERSION, RunRecord


class RecordError(ValueError):
    """A run record that cannot be read; the message is one line and names the place."""


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8. Equal values give equal bytes on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def digest_of(value: Any) -> str:
    """``sha256:<hex>`` of the canonical JSON of a JSON value."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def to_json(value: Any) -> Any:
    """A record, or any part of one, as a JSON value with the fields in their declared order."""
    if is_dataclass(value) and not isinstance(value, type):
        return {_json_name(item): to_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(to_json(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


T = TypeVar("T")


def from_json(kind: type[T], value: Any) -> T:
    """Inverse of :func:`to_json` for a dataclass of these shapes. Raises :class:`RecordError`."""
    built: T = _build(kind, value, "")
    return built


def encode(record: RunRecord) -> str:
    """The record as text of a JSON file, ``schema_version`` first, ending in a newline."""
    return json.dumps(to_json(record), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def decode(text: str, name: str = "run record") -> RunRecord:
    """Inverse of :func:`encode`. Raises :class:`RecordError`; ``name`` is how the message calls the text."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise RecordError(f"{name}: not JSON: {error}") from None
    except RecursionError:
        raise RecordError(f"{name}: not a run record: nested too deeply") from None
    if not isinstance(value, dict) or "schema_version" not in value:
        raise RecordError(f"{name}: not a run record: no schema_version")
    version = value["schema_version"]
    if version != SCHEMA_VERSION:
        raise RecordError(f"{name}: schema_version {version!r}; this kit reads {SCHEMA_VERSION}")
    try:
        record: RunRecord = _build(RunRecord, value, "")
    except RecordError as error:
        raise RecordError(f"{name}: {error}") from None
    return record


def read_file(path: str | Path) -> RunRecord:
    """The record in a file. Raises :class:`RecordError`, also where the file cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RecordError(f"{path}: not a run record: not UTF-8 text") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror or error}") from None
    return decode(text, str(path))


def behaviour(record: RunRecord) -> dict[str, Any]:
    """What happened, as a JSON value that a digest may read: no digest, environment, options, traces and lint; and no token,
    since another build of zlib packs the same failure into other text."""
    value: dict[str, Any] = to_json(record)
    for name in ("digest", "environment", "options", "traces", "lint"):
        del value[name]
    for name in ("scenarios", "differences", "partial", "not_scored", "depth"):
        if not value[name]:
            del value[name]  # a certification has none, and is what it was before there were any
    apart = value.get("not_scored", {"checks": [], "failures": []})
    for failure in (*(one for rule in value["rules"] for one in rule["failures"]), *apart["failures"]):
        del failure["token"], failure["file"]
        for name in ("history", "blame", "shrinking"):
            if failure[name] is None:
                del failure[name]
    for check in (*value["checks"], *apart["checks"]):
        if check["blame"] is None:
            del check["blame"]
        if check["scored"]:
            del check["scored"]
    return value


def _json_name(item: Field[Any]) -> str:
    return str(item.metadata.get("json", item.name))


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(kind: Any, value: Any, where: str) -> Any:
    """``value`` as an instance of the annotation ``kind``; the few shapes that records use."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        inner = [argument for argument in arguments if argument is not type(None)]
        return _build(inner[0], value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise RecordError(f"{where or 'record'} must be a list")
        return tuple(_build(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise RecordError(f"{where or 'record'} must be an object")
        return {key: _build(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if is_dataclass(kind):
        return _build_dataclass(typing.cast(type, kind), value, where)
    return _build_scalar(kind, value, where)


def _build_dataclass(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise RecordError(f"{where or 'record'} must be an object")
    hints = _hints(kind)
    found: dict[str, Any] = {}
    for item in fields(kind):
        name = _json_name(item)
        place = f"{where}.{name}" if where else name
        if name in value:
            found[item.name] = _build(hints[item.name], value[name], place)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise RecordError(f"{place} is missing")
    return kind(**found)


def _build_scalar(kind: type, value: Any, where: str) -> Any:
    if issubclass(kind, StrEnum):
        try:
            return kind(value)
        except ValueError:
            raise RecordError(f"{where}: {value!r} is none of {', '.join(kind)}") from None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise RecordError(f"{where} must be {_WORDS.get(kind, kind.__name__)}, not {value!r}")
    return value


_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
