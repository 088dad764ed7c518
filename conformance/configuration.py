"""The ``--config`` file: TOML with tables ``[configuration]`` (for the driver) and ``[simulator]`` (for the device).

Everything a person can get wrong is one line with file and line number. What the keys mean is the driver's and the
device's affair; the names of the simulator's keys come from the device's own options.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from storcert.conformance import secrets
from storcert.conformance.usage import InvalidUsage, one_line

TABLES = ("configuration", "simulator")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What the file says; ``path`` and ``text`` are kept so that later complaints can name the line."""

    path: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    simulator: Mapping[str, Any] = field(default_factory=dict)
    text: str = field(default="", repr=False)

    def place(self, table: str, key: str | None = None) -> str:
        """``file:line`` of a table or of a key in it; only the file where the line cannot be told."""
        line = line_of(self.text, table, key)
        return f"{self.path}:{line}" if line else self.path

    def refuse_unknown_simulator_keys(self, known: Collection[str]) -> None:
        """Raises :class:`InvalidUsage` for the first key of ``[simulator]`` that the device does not have."""
        for key in self.simulator:
            if key not in known:
                raise InvalidUsage(
                    f"{self.place('simulator', key)}: [simulator] has no key {key!r}{_did_you_mean(key, known)}"
                )


def read_config(path: Path) -> ConfigFile:
    """The file, or :class:`InvalidUsage`: absent, unreadable, broken TOML, unknown table, value that is not JSON."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidUsage(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be read: {error.strerror or error}") from None
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidUsage(_broken(path, text, error)) from None
    except RecursionError:
        raise InvalidUsage(f"{path}: nested too deeply") from None
    for table, content in value.items():
        line = line_of(text, table, None) or line_of(text, "", table)
        place = f"{path}:{line}" if line else str(path)
        if table not in TABLES:
            raise InvalidUsage(
                f"{place}: unknown {'table' if isinstance(content, dict) else 'key'} {table!r}"
                f"{_did_you_mean(table, TABLES)}; there are [configuration] and [simulator]"
            )
        if not isinstance(content, dict):
            raise InvalidUsage(f"{place}: {table} must be a table: write [{table}]")
        for key, item in content.items():
            _json_only(item, f"[{table}] {key}", path, line_of(text, table, key))
    secrets.remember(value)
    return ConfigFile(str(path), value.get("configuration", {}), value.get("simulator", {}), text)


def _broken(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    message = str(error)
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    if found:
        bare = message[: found.start()].strip()
        return f"{path}:{found[1]}: not valid TOML: {one_line(bare)} (column {found[2]})"
    if "at end of document" in message:
        return f"{path}:{max(len(text.splitlines()), 1)}: not valid TOML: {one_line(message)}"
    return f"{path}: not valid TOML: {one_line(message)}"


def _json_only(value: Any, what: str, path: Path, line: int) -> None:
    """TOML has dates and infinities, JSON has not; a configuration is JSON."""
    place = f"{path}:{line}" if line else str(path)
    if isinstance(value, (datetime, date, time)):
        raise InvalidUsage(f"{place}: {what} is a date or time; a configuration holds JSON values, so write it as text")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise InvalidUsage(f"{place}: {what} is not a finite number")
    if isinstance(value, dict):
        for key, item in value.items():
            _json_only(item, f"{what}.{key}", path, line)
    elif isinstance(value, list):
        for item in value:
            _json_only(item, what, path, line)


_TABLE = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*[.=]""")


def line_of(text: str, table: str, key: str | None) -> int:
    """The 1-based line of ``[table]`` or of ``key`` in it (``""`` is the part before any table); 0 if not found."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.match(line)
        if header and "=" not in line.split("#")[0]:
            current = header[1].strip("\"'")
            if current == table and key is None:
                return number
            if key is not None and current.replace('"', "").replace("'", "").startswith(f"{table}.{key}"):
                return number
            if key is None and current.startswith(f"{table}."):
                return number
            continue
        if key is None or current != table:
            continue
        found = _KEY.match(line)
        if found and next(group for group in found.groups() if group is not None) == key:
            return number
    return 0


def _did_you_mean(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    if close:
        return f", did you mean {close[0]!r}?"
    return f"; it has {', '.join(sorted(known))}" if known and tuple(known) != TABLES else ""
