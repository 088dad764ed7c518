"""The catalogue's store: SQLite, one transaction at a time. No rule of the control plane stands here.

A :class:`Repository` holds the connection and runs a function as one transaction: all of it happened or nothing did. It
knows no location: whoever calls it decides when, and what a crash around the transaction means. What a
transaction changed is told to ``on_commit`` right after it, and only then. Its clock is the one all servers share.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from storcert.harness.logical.schema import SCHEMA, VERSION
from storcert.harness.logical.session import Fact, Session

T = TypeVar("T")
MEMORY = ":memory:"
_BUSY_S = 30.0


class CatalogueUnusable(Exception):
    """The file is no catalogue, or of another version of the control plane."""


class Repository:
    """``path``: a file, or ``":memory:"``. ``clock_ns``: Unix time. Raises :class:`CatalogueUnusable`."""

    def __init__(
        self, path: str = MEMORY, on_commit: Callable[[Fact], None] | None = None, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._on_commit = on_commit
        self._clock_ns = clock_ns
        try:
            # Used by one thread at a time; a service has a lock around it.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)
            (found,) = self._connection.execute("PRAGMA user_version").fetchone()
            if path != MEMORY:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
            if found == 0:
                self._connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT")
        except sqlite3.DatabaseError as error:
            raise CatalogueUnusable(f"{path}: {error}") from error
        if found not in (0, VERSION):
            raise CatalogueUnusable(f"{path}: a catalogue of version {found}; this control plane has version {VERSION}")

    def transact(self, body: Callable[[Session], T]) -> T:
        """Run ``body`` as one transaction. What it raises undoes all it did."""
        connection = self._connection
        facts: list[Fact] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = body(Session(connection, facts, self._clock_ns()))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        if self._on_commit is not None:
            for fact in facts:
                self._on_commit(fact)
        return result

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()
