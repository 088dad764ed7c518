"""Histories: what was asked, when, and what came of it. Frozen values; who asked and who judges live elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How an operation ended: done, certainly not done, or nobody knows (lost answer, crash)."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a history.

    ``process``: the task that asked. ``verb``: create, write, copy, delete, read, describe or member (is this URI
    listed?); snapshot, clone, revert, pwrite, pread, and block by block pwrite-block, revert-block, peek.
    ``uri`` and ``source``: text form. ``value``: what was asked for (size; content key and size of a write;
    ``None``). ``invoke_ns`` and ``return_ns``: virtual time; an operation that never returned has ``return_ns`` ``None``.
    ``error``: class name of the typed error, or ``""``. ``result``: what was seen (a read: the set of contents whose
    bytes these are).
    """

    process: str
    verb: str
    uri: str
    invoke_ns: int
    return_ns: int | None
    status: Status
    value: Any = None
    source: str = ""
    error: str = ""
    result: Any = None
    step: str = field(default="", compare=False)
