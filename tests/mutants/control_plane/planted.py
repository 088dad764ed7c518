"""One defect of the control plane as data, and the control plane that has it: its modules loaded once more, edited."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
ROWS = Path(__file__).parent / "rows.toml"
LOADED_AGAIN = ("storcert.harness.logical", "storcert.harness.agent", "storcert.scenarios")


class Drifted(Exception):
    """The control plane has changed under a mutant: a text it replaces is not there exactly once."""


@dataclass(frozen=True, slots=True)
class Defect:
    """``rule`` must break in ``story``, in words that hold ``says``. ``sentence``: what went wrong. ``after``: the reported
    failure it is made after, or empty. ``edits``: module under ``harness``, text that occurs once, text put in its place."""

    id: str
    rule: str
    story: str
    says: str
    sentence: str
    edits: tuple[tuple[str, str, str], ...]
    after: str = ""


def load() -> tuple[Defect, ...]:
    """All rows, in order."""
    found = []
    for row in tomllib.loads(ROWS.read_text(encoding="utf-8"))["defect"]:
        edits = tuple((edit["module"], edit["old"], edit["new"]) for edit in row.pop("edit"))
        found.append(Defect(edits=edits, **row))
    return tuple(found)


def sources(defect: Defect | None) -> dict[str, str]:
    """The edited modules by import name. Raises :class:`Drifted`."""
    texts: dict[str, str] = {}
    for module, old, new in defect.edits if defect is not None else ():
        name = f"storcert.harness.{module}"
        text = texts.get(name)
        if text is None:
            text = (ROOT / "harness" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise Drifted(f"{module} has {text.count(old)} times: {old!r}")
        texts[name] = text.replace(old, new)
    return texts


class _Edited(importlib.machinery.SourceFileLoader):
    """Loads a module from its file, with another text."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> Any:
        return compile(self._text, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, texts: dict[str, str]) -> None:
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
    """Inside, everything above the devices is loaded anew, with the defect in it; afterwards all is as it was."""
    finder = _Finder(sources(defect))
    mine = {name: module for name, module in sys.modules.items() if name.startswith(LOADED_AGAIN)}
    for name in mine:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(LOADED_AGAIN)]:
            del sys.modules[name]
        sys.modules.update(mine)
        for name, module in mine.items():
            package, _, stem = name.rpartition(".")
            if package in sys.modules:
                setattr(sys.modules[package], stem, module)
