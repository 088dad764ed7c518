"""Who cannot reach whom. Directions only, no time and no packets: ``a -> b`` is open or shut."""

from __future__ import annotations


class Partitions:
    """The shut directions. Names are those of locations and devices."""

    __slots__ = ("_alone", "_shut")

    def __init__(self) -> None:
        self._shut: set[tuple[str, str]] = set()
        self._alone: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._shut or self._alone)

    def shut(self, source: str, destination: str) -> None:
        """Nothing passes from ``source`` to ``destination``; the way back stays as it is."""
        if source != destination:
            self._shut.add((source, destination))

    def isolate(self, name: str) -> None:
        """Nothing passes from or to ``name``; what runs there still reaches itself."""
        self._alone.add(name)

    def open(self, source: str, destination: str) -> None:
        """That direction passes again, unless one of the two is isolated."""
        self._shut.discard((source, destination))

    def rejoin(self, name: str) -> None:
        """No partition concerns ``name`` any more."""
        self._alone.discard(name)
        self._shut = {pair for pair in self._shut if name not in pair}

    def clear(self) -> None:
        """Everybody reaches everybody."""
        self._shut.clear()
        self._alone.clear()

    def blocks(self, source: str, destination: str) -> bool:
        """Whether nothing passes that way."""
        if source == destination:
            return False
        return (source, destination) in self._shut or source in self._alone or destination in self._alone
