"""A request that a client makes of an agent's doors, and what is answered. Values, whoever carries them: a real server or a
simulated one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


class ClientGone(Exception):
    """The client went away, or sent nothing for too long, before all of its body had come."""


class Body(Protocol):
    """What a client sends."""

    def read(self, n: int) -> bytes:
        """1..``n`` bytes, ``b""`` at the end. Raises :class:`ClientGone`."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``path``: with the query; ``headers``: names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Body


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. ``size_bytes``: of ``body``, which is drawn once; where it raises, the connection is to be broken."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: Iterable[bytes] = ()
    size_bytes: int = 0
