"""Scenario files to scenarios. Whatever is wrong is told with file and line, and with what could be written instead."""

from __future__ import annotations

import datetime
import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from storcert.scenarios.format.legality import illegal
from storcert.scenarios.format.lines import lines_of
from storcert.scenarios.format.references import unresolved
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.schema import allowed_at, keys_at

SIZE_MAX_BYTES = 4 << 20
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
Place = tuple[str | int, ...]


class ScenarioError(Exception):
    """A scenario that cannot be read. One line: file and line, what is wrong, what to write instead. ``more``: the further
    complaints of the same file."""

    def __init__(self, message: str, more: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.more = tuple(more)


def read_file(path: Path) -> Scenario:
    """The scenario in a file. Raises :class:`ScenarioError`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > SIZE_MAX_BYTES:
        raise ScenarioError(f"{path}: larger than {SIZE_MAX_BYTES} bytes, which is no scenario")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not UTF-8 text") from None
    return loads(text, str(path), _NOT_IN_NAMES.sub("-", path.stem).strip("-.") or "scenario")


def loads(text: str, place: str = "scenario", name: str = "") -> Scenario:
    """The scenario that a text says. ``place``: what complaints call it; ``name``: its name where it says none.

    Raises :class:`ScenarioError`."""
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(_broken(place, text, str(error))) from None
    except RecursionError:
        raise ScenarioError(f"{place}: nested too deeply") from None
    if name:
        value.setdefault("name", name)
    try:
        return checked(value)
    except Wrong as wrong:
        lines = lines_of(text)
        told = [f"{place}:{_line(lines, path)}: {message}" for path, message in wrong.complaints]
        raise ScenarioError(told[0], told[1:]) from None


class Wrong(Exception):
    """A value that is no scenario. ``complaints``: paths in it, each with what is wrong there."""

    def __init__(self, complaints: Sequence[tuple[Place, str]]) -> None:
        super().__init__(complaints[0][1])
        self.complaints = tuple(complaints)


def checked(value: dict[str, Any]) -> Scenario:
    """The scenario that a value says, as ``tomllib`` gives it. Raises :class:`Wrong`."""
    complaints = [(path, f"{_said(path)} is a date or time; write it as text") for path in _dates(value, ())]
    if not complaints:
        try:
            scenario = from_json(value)
        except ValidationError as error:
            complaints = _complaints(error, value)
        else:
            complaints = list(unresolved(scenario)) or list(illegal(scenario))
            if not complaints:
                return scenario
    raise Wrong(complaints)


def from_json(value: Mapping[str, Any]) -> Scenario:
    """Inverse of ``Scenario.to_json``. Raises pydantic's ``ValidationError``; names of places are not looked at."""
    return _ADAPTER.validate_json(json.dumps(value), strict=True)


_ADAPTER = TypeAdapter(Scenario)


def _broken(place: str, text: str, message: str) -> str:
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    if found:
        return f"{place}:{found[1]}: not valid TOML: {message[: found.start()].strip()} (column {found[2]})"
    return f"{place}:{max(text.count(chr(10)), 1)}: not valid TOML: {message}"


def _dates(value: Any, path: Place) -> Iterable[Place]:
    if isinstance(value, (datetime.date, datetime.time)):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _dates(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _dates(item, (*path, number))


def _line(lines: Mapping[Place, int], path: Place) -> int:
    """The line of the innermost part of the path that the text has."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _complaints(error: ValidationError, value: Any) -> list[tuple[Place, str]]:
    found: dict[Place, str] = {}
    # A wrong key first: what is missing may be what it was meant to be.
    for one in sorted(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden"):
        path = _in_file(one["loc"], value)
        found.setdefault(path, _message(one, path, value))
    # Of a list with a wrong item pydantic says that it is too short as well.
    return [
        (path, text) for path, text in found.items()
        if not any(len(other) > len(path) and other[: len(path)] == path for other in found)
    ]


def _in_file(location: Place, value: Any) -> Place:
    """The path in the file of a place in pydantic's words, which name the kind of step too, and what a tuple is made of."""
    path: list[str | int] = []
    for number, part in enumerate(location):
        inside = _inside(value, part)
        if inside is not _NOTHING:
            value = inside
        elif number < len(location) - 1:
            continue
        elif isinstance(value, dict) and isinstance(part, str):
            value = None
        else:
            continue
        path.append(part)
    return tuple(path)


def _inside(value: Any, part: str | int) -> Any:
    if isinstance(value, dict) and part in value:
        return value[part]
    return value[part] if isinstance(value, list) and isinstance(part, int) and part < len(value) else _NOTHING


_NOTHING = object()


def _message(one: Any, path: Place, value: Any) -> str:
    key = path[-1] if path else ""
    match one["type"]:
        case "extra_forbidden":
            known = keys_at(value, path[:-1])
            return f"{_said(path[:-1])} has no key {key!r}{_did_you_mean(str(key), known)}"
        case "missing":
            return f"{_said(path[:-1])} needs {key!r}{allowed_at(value, path)}"
        case "union_tag_not_found":
            return f"{_said(path)} does not say what is done; write do = {_list(keys_at(value, (*path, 'do')))}"
        case "union_tag_invalid":
            known = keys_at(value, (*path, "do"))
            tag = one["ctx"]["tag"]
            return f"{_said(path)} cannot do {tag!r}{_did_you_mean(tag, known)}"
        case "literal_error":
            known = [word.strip().strip("'") for word in re.split(r", | or ", one["ctx"]["expected"])]
            return f"{_said(path)} is {_shown(one['input'])}{_did_you_mean(str(one['input']), known)}"
        case "value_error":
            return f"{_said(path)}: {one['ctx']['error']}"
        case _:
            said = one["msg"].replace("Input should be", "must be").replace("Tuple should", "the list must")
            return f"{_said(path)} {said[0].lower()}{said[1:]}, not {_shown(one['input'])}{allowed_at(value, path)}"


def _said(path: Place) -> str:
    """``step 3, size``: a path as a person says it."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int) and parts:
            parts[-1] += f" {part + 1}"
        else:
            parts.append(str(part))
    return ", ".join(parts) if parts else "a scenario"


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f", did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}" if known else ""


def _list(words: Sequence[str]) -> str:
    return " or ".join(f'"{word}"' for word in words)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
