"""Places for the worlds of this process: a name that no other process has, and one for all worlds where places are dear."""

from __future__ import annotations

import itertools
import os

from storcert.conformance.live_targets.target import Place, Reached
from storcert.conformance.live_targets.targets import TARGETS

_numbers = itertools.count()
_kept: dict[tuple[str, str], Place] = {}


def open_place(reached: Reached) -> Place:
    """A place for one world, empty where the target has many."""
    kind = TARGETS[reached.target]
    if kind.many_places:
        return kind.load().open_place(reached, f"{os.getpid()}x{next(_numbers)}")
    key = _key(reached)
    if key not in _kept:
        _kept[key] = kind.load().open_place(reached, f"{os.getpid()}x{next(_numbers)}")
    return _kept[key]


def leave(reached: Reached, place: Place, *, something: bool | None = None) -> None:
    """A world is over. ``something``: whether anything was left in it; ``None`` where nobody looked.

    What is kept goes with the target; where something is left in it, later worlds have another one. An empty place goes with
    the target, too, where that is cheaper than taking it away."""
    kind = TARGETS[reached.target]
    if not kind.many_places:
        if something:
            _kept.pop(_key(reached), None)
    elif something is not False or not kind.empty_stay:
        place.remove()


def forget(reached: Reached) -> None:
    """The target ends: this process keeps nothing of it."""
    _kept.pop(_key(reached), None)


def _key(reached: Reached) -> tuple[str, str]:
    return reached.target, repr(sorted(reached.server.items()))
