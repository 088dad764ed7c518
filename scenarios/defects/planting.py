"""The program with a defect in it: its modules loaded once more, edited, in this process, for as long as somebody looks.

In this process, because a process of its own for each defect would take a second to start, and the catalogue has many. What is
loaded anew is everything above the devices that does something; modules that only hold values are kept, so that what comes
out is of the same classes as everything else.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from storcert.scenarios.defects.defect import Defect, sources

LOADED_AGAIN = ("storcert.harness.logical", "storcert.harness.agent", "storcert.scenarios.")
DRIVERS = "storcert.harness.drivers"
KEPT = (
    "storcert.scenarios.catalogue", "storcert.scenarios.defects", "storcert.scenarios.explore", "storcert.scenarios.format",
    "storcert.scenarios.pool", "storcert.scenarios.result", "storcert.scenarios.shrink",
)
"""Modules of values, which cross the line, and those that plant defects themselves and import what runs only then."""


class _Edited(importlib.machinery.SourceFileLoader):
    """Loads a module from its file, with another text."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> Any:
        return compile(self._text, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        text = self._texts.get(fullname)
        if text is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None and spec.origin is not None
        return importlib.util.spec_from_file_location(
            fullname, spec.origin, loader=_Edited(fullname, spec.origin, text))


@contextmanager
def planted(defect: Defect | None) -> Iterator[None]:
    """Inside, what is imported of the control plane, the agents and the scenarios has the defect in it (``None``: is as it
    is, loaded anew all the same); afterwards all is as it was. Raises :class:`Drifted`."""
    texts = sources(defect)
    finder = _Finder(texts)
    again = (*LOADED_AGAIN, DRIVERS) if any(name.startswith(DRIVERS) for name in texts) else LOADED_AGAIN
    mine = {name: module for name, module in sys.modules.items() if _again(name, again)}
    for name in mine:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        theirs = [name for name in sys.modules if _again(name, again)]
        for name in theirs:
            del sys.modules[name]
        sys.modules.update(mine)
        for name in dict.fromkeys((*mine, *theirs)):
            package, _, stem = name.rpartition(".")
            if package not in sys.modules:
                continue
            if name in mine:
                setattr(sys.modules[package], stem, mine[name])
            elif stem in vars(sys.modules[package]):  # loaded here for the first time: nobody shall find it with the defect
                delattr(sys.modules[package], stem)


def _again(name: str, again: Sequence[str]) -> bool:
    return name.startswith(tuple(again)) and not name.startswith(KEPT)
