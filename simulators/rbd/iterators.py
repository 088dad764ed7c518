"""What the listing methods of the binding give: things to iterate over, once made, and nothing else (no ``next``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class Listing:
    """Filled when it is made; iterating over it asks nothing."""

    def __init__(self, found: Iterable[Any]) -> None:
        self._found = tuple(found)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._found)

    def close(self) -> None:
        """Nothing is held."""


class ImageIterator(Listing):
    """Images of a pool."""


class TrashIterator(Listing):
    """Entries of the trash."""


class SnapIterator(Listing):
    """Snapshots of an image."""


class ChildIterator(Listing):
    """Clones of an image."""


class WatcherIterator(Listing):
    """Who has an image open."""


class LockOwnerIterator(Listing):
    """Who has the exclusive lock."""


class MetadataIterator(Listing):
    """Metadata of an image."""
