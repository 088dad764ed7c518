"""The omap of a RADOS object: values by key, found by key, by range and page by page, at a cost that its size hardly changes.

Keys are compared as the OSD does, octet by octet: UTF-8 keeps the order of code points, so that of text will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, TypeAlias

from sortedcontainers import SortedList

Pairs: TypeAlias = list[tuple[str, bytes | None]]
"""Keys in order, with their values where those were asked for."""


class Omap:
    """``values``: by key; not to be changed from outside. The keys are put in order when somebody first asks for that: most
    objects have few or none."""

    __slots__ = ("_ordered", "values")

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self._ordered: Any = None

    def copy(self) -> Omap:
        """Another one with the same pairs."""
        made = Omap()
        made.values = dict(self.values)
        return made

    def update(self, pairs: Mapping[str, bytes]) -> None:
        """Set these."""
        if self._ordered is not None:
            self._ordered.update(key for key in pairs if key not in self.values)
        self.values.update(pairs)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove those of these keys that are there."""
        for key in keys:
            if self.values.pop(key, None) is not None and self._ordered is not None:
                self._ordered.remove(key)

    def clear(self) -> None:
        """Remove all."""
        self.values.clear()
        self._ordered = None

    def between(self, first: str, end: str) -> list[str]:
        """The keys from one up to another, in order."""
        return list(self._keys().irange(first, end, (True, False)))

    def after(self, key: str, prefix: str, keys_max: int) -> list[str]:
        """The first keys after ``key`` that begin with ``prefix``, in order."""
        found = []
        for one in islice(self._keys().irange(max(key, prefix), None, (key < prefix, False)), keys_max):
            if not one.startswith(prefix):
                break
            found.append(one)
        return found

    def _keys(self) -> Any:
        if self._ordered is None:
            self._ordered = SortedList(self.values)
        return self._ordered
