"""What a transaction of the catalogue is made of: rows in and out, compare-and-set, and the facts it will have changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, TypeAlias

Fact: TypeAlias = tuple[str, dict[str, Any]]
"""Kind, and a JSON object."""


class StaleRecord(Exception):
    """Compare-and-set found that somebody else changed the row since it was read."""


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # one for all: json.dumps makes one each time


def as_json(value: Mapping[str, Any]) -> str:
    """Text with sorted keys."""
    return _encode(value)


class Rows:
    """The rows, inside one transaction. ``facts``: what it changed, in order. ``now_ns``: when it takes place, Unix time by the
    catalogue's clock: the only one that moments of different servers are compared by."""

    __slots__ = ("_connection", "facts", "now_ns")

    def __init__(self, connection: sqlite3.Connection, facts: list[Fact], now_ns: int) -> None:
        self._connection = connection
        self.facts = facts
        self.now_ns = now_ns

    def _note(self, sort: str, /, **value: Any) -> None:
        self.facts.append((sort, value))

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _row(self, sql: str, *values: Any) -> Any:
        return self._connection.execute(sql, values).fetchone()

    def _change(self, sql: str, *values: Any) -> None:
        """Compare-and-set: exactly one row must have been as it was read."""
        if self._connection.execute(sql, values).rowcount != 1:
            raise StaleRecord(f"{sql.split(' WHERE')[0]} {values[-3:]}")
