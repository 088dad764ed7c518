"""The file of expectations: failures that are known, each with a reason, an owner and a day on which it has to be looked at.

TOML, an ``[[expected]]`` table for each entry. ``id`` is a check as the record names it, or a family of cases with ``[*]`` at
its end (``C-ONCE/programs-hold[*]``). Here the file is read, checked, added to and pruned; what an entry means for a run stands
in :mod:`storcert.conformance.gate_check`. ``python -m storcert.conformance.expectations`` prints the published JSON Schema.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from storcert.conformance.usage import InvalidUsage, one_line

EXPECTATIONS_VERSION = 1
FAMILY = "[*]"


def _specifier(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f"{text!r} is no range of versions; write it as in '>=2.0,<3'") from None
    return text


Range = Annotated[str, AfterValidator(_specifier)]
Words = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Expectation(BaseModel):
    """One entry. ``verdict``: what the check comes to. ``driver_version`` and ``kit_version``: ranges in which the entry
    applies; ``device``: the device on which it does. Without them it always applies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Words
    reason: Words
    owner: Words
    expires: datetime.date
    link: str = ""
    verdict: Literal["fail", "unknown"] = "fail"
    driver_version: Range = ""
    kit_version: Range = ""
    device: str = ""

    @property
    def family(self) -> str:
        """Of an entry for a family of cases, how their ids begin; else nothing."""
        return self.id.removesuffix(FAMILY) + "[" if self.id.endswith(FAMILY) else ""

    def means(self, check: str) -> bool:
        """Whether this is about the check of that id."""
        return check.startswith(self.family) if self.family else check == self.id

    def why_not(self, driver_version: str, kit_version: str, device: str) -> str:
        """Why the entry does not apply to such a run; empty where it does."""
        if self.device and self.device != device:
            return f"it is for device {self.device}"
        for what, wanted, version in (
            ("driver", self.driver_version, driver_version), ("kit", self.kit_version, kit_version),
        ):
            if wanted and not _within(version, wanted):
                return f"it is for {what} versions {wanted}, this is {version or 'one without a version'}"
        return ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", title="storcert expectations")

    schema_version: Literal[1] = 1
    expected: list[Expectation] = []


@dataclass(frozen=True, slots=True)
class Expectations:
    """The entries of a file and the line each begins on. ``path``: how messages call the file."""

    path: str = ""
    entries: tuple[Expectation, ...] = ()
    lines: tuple[int, ...] = ()

    def line_of(self, entry: Expectation) -> int:
        """Where it stands; 0 where that is not known."""
        return next((line for one, line in zip(self.entries, self.lines, strict=True) if one is entry), 0)


def read_expectations(path: Path) -> Expectations:
    """The file. Raises :class:`InvalidUsage`, one line with file and line, for anything that is wrong with it."""
    text = _text(path)
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidUsage(f"{path}: not valid TOML: {one_line(error)}") from None
    lines = _entry_lines(text)
    try:
        file = _File.model_validate(value)
    except ValidationError as error:
        raise InvalidUsage(_complaint(path, error, lines)) from None
    if len(lines) != len(file.expected):  # tables written inline, say: the file is right, only the lines are not known
        lines = [0] * len(file.expected)
    seen: dict[tuple[str, ...], int] = {}
    for entry, line in zip(file.expected, lines, strict=True):
        key = (entry.id, entry.driver_version, entry.kit_version, entry.device)
        if key in seen:
            raise InvalidUsage(f"{path}:{line}: {entry.id} is there twice, first in line {seen[key]}")
        seen[key] = line
    return Expectations(str(path), tuple(file.expected), tuple(lines))


def add_entries(path: Path, entries: Sequence[Expectation]) -> None:
    """Write these behind what the file has; make it where there is none. All else in it stays as it is."""
    text = _text(path) if path.exists() else f"schema_version = {EXPECTATIONS_VERSION}\n"
    if text and not text.endswith("\n"):
        text += "\n"
    for entry in entries:
        text += "\n[[expected]]\n"
        for name, value in entry.model_dump(exclude_defaults=True).items():
            text += f"{name} = {value.isoformat() if isinstance(value, datetime.date) else _quoted(value)}\n"
    _write(path, text)


def remove_entries(path: Path, expectations: Expectations, which: Sequence[Expectation]) -> None:
    """Take these away, with the comments right above and within each. All else in the file stays as it is.

    Raises :class:`InvalidUsage` where entries are not written as ``[[expected]]`` tables."""
    if which and not all(expectations.lines):
        raise InvalidUsage(f"{path}: entries can be taken away only where each is written as an [[expected]] table")
    lines = _text(path).splitlines(keepends=True)
    starts = [_with_comments(lines, line - 1) for line in expectations.lines]
    gone: set[int] = set()
    for entry, start, after in zip(expectations.entries, starts, [*starts[1:], len(lines)], strict=True):
        if any(entry is one for one in which):
            gone.update(range(start, after))
    kept = "".join(line for number, line in enumerate(lines) if number not in gone)
    _write(path, kept.rstrip("\n") + "\n")


def _with_comments(lines: Sequence[str], start: int) -> int:
    """Where the comment begins that stands right above a line."""
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are its escapes, and one more character has to be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def json_schema() -> dict[str, Any]:
    """JSON Schema of the file's content."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:storcert:expectations:{EXPECTATIONS_VERSION}",
        **_File.model_json_schema(),
    }


def _within(version: str, wanted: str) -> bool:
    try:
        return SpecifierSet(wanted).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidUsage(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be read: {error.strerror or error}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None


def _entry_lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*expected\s*\]\]", line)]


def _complaint(path: Path, error: ValidationError, lines: Sequence[int]) -> str:
    """The first thing that is wrong, where it is, and how many more there are."""
    first = error.errors()[0]
    place = first["loc"]
    at = str(path)
    if len(place) > 1 and place[0] == "expected" and isinstance(place[1], int) and place[1] < len(lines):
        at = f"{path}:{lines[place[1]]}"
    name = str(place[-1]) if place else ""
    said = {
        "extra_forbidden": f"no such key {name!r}; an entry has {', '.join(Expectation.model_fields)}",
        "missing": f"the entry has no {name}",
    }.get(first["type"], f"{name}: {first['msg'].removeprefix('Value error, ')}")
    if first["type"] == "extra_forbidden" and len(place) == 1:
        said = f"no such key {name!r}; there are schema_version and [[expected]]"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{at}: {one_line(said)}{more}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
