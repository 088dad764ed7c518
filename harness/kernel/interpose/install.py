"""Replacing names process-wide and putting every one of them back exactly as it was.

A group (clock, randomness, ...) is a function that takes an :class:`Interposition` and replaces names; :func:`register`
adds it, :func:`installed` applies all of them, counted, so that nested uses install once. A replacement asks who runs
(:mod:`.presence`) and hands the kit to the original. What a single group replaces does not live here.

Names captured earlier (``from time import sleep``) are found by one pass over the dictionaries of all loaded modules,
comparing by identity, and over the class attributes and default arguments of :mod:`.captors`. A name captured in a closure,
a container or an instance is not found: the audit hook is the net below.
Modules imported while installed capture replacements; :func:`installed` puts those back too when it ends.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from storcert.harness.kernel.interpose import captors, presence

_MISSING = object()
# Hypothesis' stopwatch is the kit's, and its garbage-collector hook runs at no location's expense.
_OWN_MODULES = ("storcert.harness.kernel.interpose", "hypothesis.")

Group = Callable[["Interposition"], None]


class Interposition:
    """One installation: what was replaced where, in order, so that it can be undone in reverse."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._original: dict[int, Any] = {}      # id of the latest replacement -> what it stands for
        self._replacement: dict[int, Any] = {}   # id of the original -> its latest replacement
        self._pending: dict[int, tuple[Any, Any]] = {}  # id of what captured names hold -> (it, its replacement)
        self._keep: list[Any] = []               # ids above stay valid only while their objects live

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put ``make(original)`` in place of ``owner.name`` and, at the end of the installation, of captured copies.

        An attribute that this Python does not have is left alone: one list of names serves all versions.
        """
        place = vars(owner)
        raw = place.get(name, _MISSING)
        if raw is _MISSING:
            return
        original = getattr(owner, name)
        first = self._original.get(id(original), original)
        known = self._replacement.get(id(first))
        if known is not None and known is not original:
            # The same object under a second name (io.open is builtins.open): one replacement for both.
            replacement = known
        else:
            replacement = unbound(make(original), original)
            self._keep += (original, replacement)
            self._replacement[id(first)] = replacement
            self._original[id(replacement)] = first
            self._pending[id(original)] = (original, replacement)
        setattr(owner, name, replacement)
        self._undo.append(lambda: setattr(owner, name, raw))

    def put(self, owner: Any, name: str, value: Any) -> None:
        """Set one attribute for the time of the installation, and look for no copies of it."""
        raw = vars(owner)[name]
        setattr(owner, name, value)
        self._undo.append(lambda: setattr(owner, name, raw))

    def add(self, owner: Any, name: str, value: Any) -> None:
        """Give a class an attribute that it only inherits, for the time of the installation."""
        raw = vars(owner).get(name, _MISSING)
        setattr(owner, name, value)
        self._undo.append(lambda: delattr(owner, name) if raw is _MISSING else setattr(owner, name, raw))

    def on_undo(self, action: Callable[[], None]) -> None:
        """Have ``action`` called when the installation ends, in reverse order of registration."""
        self._undo.append(action)

    def original(self, replacement: Any) -> Any:
        """What a replacement of this installation stands for; anything else is returned as it is."""
        return self._original.get(id(replacement), replacement)

    def replacement(self, original: Any) -> Any:
        """What stands for ``original`` in this installation; the original itself if nothing does."""
        return self._replacement.get(id(original), original)

    def scan(self) -> None:
        """Replace the captured copies of everything replaced since the last scan."""
        pending, self._pending = self._pending, {}
        if pending:
            latest = {key: self.replacement(self.original(held)) for key, (held, _) in pending.items()}
            _swap_captured(latest, self._undo)

    def undo(self) -> None:
        """Put everything back. Modules imported meanwhile get originals where they captured replacements."""
        for action in reversed(self._undo):
            action()
        self._undo.clear()
        _swap_captured(self._original, [])
        self.__init__()  # type: ignore[misc]


def unbound(replacement: Any, original: Any) -> Any:
    """Keep a plain function from turning into a method where the original, being built in, would not.

    ``class Driver: _open = open`` must keep working: a Python function stored there would receive ``self``.
    """
    if isinstance(replacement, types.FunctionType) and not isinstance(original, types.FunctionType):
        return staticmethod(replacement)
    return replacement


def _swap_captured(swap: dict[int, Any], undo: list[Callable[[], None]]) -> None:
    """Replace, in all loaded modules, values whose id is a key of ``swap``; note how to put each back in ``undo``."""
    wanted = swap.keys()
    for module_name, module in sorted(sys.modules.items()):
        names = getattr(module, "__dict__", None)
        if type(names) is not dict or module_name.startswith(_OWN_MODULES):
            continue
        for name, value in list(names.items()):
            if id(value) in wanted:
                names[name] = swap[id(value)]
                undo.append(_put_back(names, name, value))
        for holder in captors.holders(module_name, names):
            holder.swap(swap, undo)


def _put_back(names: dict[str, Any], name: str, value: Any) -> Callable[[], None]:
    return lambda: names.__setitem__(name, value)


_groups: dict[str, Group] = {}
_active: list[Interposition] = []
_depth = [0]


def register(group_name: str, install: Group) -> None:
    """Add a group, or replace the one of that name. Applied by the next :func:`installed`; at once while installed."""
    fresh = group_name not in _groups
    _groups[group_name] = install
    if _active and fresh:
        install(_active[0])
        _active[0].scan()


@contextmanager
def installed() -> Iterator[Interposition]:
    """Everything registered is replaced while the body runs; nested and repeated uses share one installation."""
    presence.adopt_current_thread()
    if _depth[0] == 0:
        interposition = Interposition()
        try:
            for install in list(_groups.values()):
                install(interposition)
            interposition.scan()
        except BaseException:
            interposition.undo()
            raise
        _active.append(interposition)
    _depth[0] += 1
    try:
        yield _active[0]
    finally:
        _depth[0] -= 1
        if _depth[0] == 0:
            _active.pop().undo()


def rescan() -> None:
    """Look again for captured originals: for modules that were loaded past the replacements (an extension, a pickle)."""
    if _active:
        interposition = _active[0]
        _swap_captured(dict(interposition._replacement), interposition._undo)
