"""SARIF 2.1.0, the low level: rules, results and places as values, and the log they become.

Whoever has something to report (a run record, ``storcert lint``) makes the values; nothing here knows what was found. Text is
made printable here. A log is a pure function of its values: no dates, no folders of this machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from storcert.reports.text import printable

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: Results of several versions of a program can be matched as long as this name stays.
FINGERPRINT = "storcertFingerprint/v1"
#: A relative place is relative to the folder the reader knows by this name: the root of the repository.
ROOT = "%SRCROOT%"


class Level(StrEnum):
    """How bad. ``NONE`` goes with results that are no complaint (a check that passed, say)."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SarifRule:
    """``id``; ``title`` one line; ``text`` what it means; ``help`` what to do (Markdown); ``tags`` to filter by."""

    id: str
    title: str
    text: str = ""
    help: str = ""
    level: Level = Level.ERROR
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SarifPlace:
    """``file``: relative, with ``/``. ``line`` and ``column`` count from 1, columns in characters; 0: not known."""

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


@dataclass(frozen=True, slots=True)
class SarifResult:
    """One thing to report.

    ``fingerprint``: the same for the same thing in another version of the program; :func:`fingerprint` makes one.
    ``suppression``: why it is accepted, where somebody wrote that into the source. ``properties``: anything more, as JSON.
    """

    rule: str
    message: str
    level: Level = Level.ERROR
    place: SarifPlace | None = None
    fingerprint: str = ""
    suppression: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SarifNotification:
    """Something that happened to the program itself and is no result: a check of ``rule`` that came to no decision, say."""

    message: str
    rule: str
    level: Level = Level.WARNING


@dataclass(frozen=True, slots=True)
class SarifRun:
    """Everything of one run. ``successful``: whether the program did what it was asked to do, whatever it found."""

    version: str
    rules: tuple[SarifRule, ...]
    results: tuple[SarifResult, ...]
    successful: bool = True
    exit_code: int | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    automation_id: str = ""
    """Tells runs of different kinds apart (``storcert/lint``), so that one does not close what the other has found."""
    notifications: tuple[SarifNotification, ...] = ()


def fingerprint(*parts: str) -> str:
    """A short digest of what makes a result the same result. Line numbers do not belong in it."""
    total = hashlib.sha256()
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        total.update(f"{len(text)}:".encode() + text)
    return total.hexdigest()[:32]


def log(run: SarifRun) -> dict[str, Any]:
    """The log as JSON values. Raises ``ValueError`` for a result or notification of a rule that is not there."""
    index = {rule.id: number for number, rule in enumerate(run.rules)}
    invocation: dict[str, Any] = {"executionSuccessful": run.successful}
    if run.exit_code is not None:
        invocation["exitCode"] = run.exit_code
    if run.notifications:
        invocation["toolExecutionNotifications"] = [_notification(one, index) for one in run.notifications]
    value: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "storcert",
                "version": printable(run.version),
                "rules": [_rule(rule) for rule in run.rules],
            }
        },
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, index) for result in run.results],
    }
    if run.automation_id:
        value["automationDetails"] = {"id": run.automation_id}
    if run.properties:
        value["properties"] = dict(run.properties)
    return {"$schema": SCHEMA, "version": VERSION, "runs": [value]}


def render(run: SarifRun) -> str:
    """The log as text, ending in a newline."""
    return json.dumps(log(run), indent=2, ensure_ascii=True, sort_keys=False) + "\n"


def numbered(keys: Iterable[Sequence[str]]) -> list[str]:
    """Fingerprints of ``keys``, in order; of equal keys the second and later ones are told apart by their number."""
    seen: dict[tuple[str, ...], int] = {}
    made = []
    for key in keys:
        known = tuple(key)
        number = seen[known] = seen.get(known, -1) + 1
        made.append(fingerprint(*known, str(number)))
    return made


def _rule(rule: SarifRule) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": printable(rule.title)},
        "fullDescription": {"text": printable(rule.text or rule.title)},
        "defaultConfiguration": {"level": str(rule.level)},
    }
    if rule.help:
        value["help"] = {"text": printable(rule.help), "markdown": printable(rule.help)}
    if rule.tags:
        value["properties"] = {"tags": list(rule.tags)}
    return value


def _number(rule: str, index: Mapping[str, int]) -> int:
    if rule not in index:
        raise ValueError(f"a result of {rule}, which is no rule of this run")
    return index[rule]


def _notification(one: SarifNotification, index: Mapping[str, int]) -> dict[str, Any]:
    return {
        "level": str(one.level),
        "message": {"text": printable(one.message)},
        "associatedRule": {"id": one.rule, "index": _number(one.rule, index)},
    }


def _result(result: SarifResult, index: Mapping[str, int]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "ruleId": result.rule,
        "ruleIndex": _number(result.rule, index),
        "level": str(result.level),
        "message": {"text": printable(result.message)},
    }
    if result.level is Level.NONE:
        value["kind"] = "pass"
    if result.place is not None:
        value["locations"] = [{"physicalLocation": _place(result.place)}]
    if result.fingerprint:
        value["partialFingerprints"] = {FINGERPRINT: result.fingerprint}
    if result.suppression:
        value["suppressions"] = [
            {"kind": "inSource", "status": "accepted", "justification": printable(result.suppression)}
        ]
    if result.properties:
        value["properties"] = dict(result.properties)
    return value


def _place(place: SarifPlace) -> dict[str, Any]:
    uri = quote(place.file.encode("utf-8", "surrogateescape"), safe="/~")
    artifact = {"uri": uri} if place.file.startswith("/") else {"uri": uri, "uriBaseId": ROOT}
    value: dict[str, Any] = {"artifactLocation": artifact}
    numbers = (
        ("startLine", place.line), ("startColumn", place.column), ("endLine", place.end_line), ("endColumn", place.end_column),
    )
    region = {name: number for name, number in numbers if number > 0}
    if "startLine" in region:
        value["region"] = region
    return value
