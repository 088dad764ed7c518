"""Which lines of the program under test a run reaches: the control plane's and the drivers'. ``sys.monitoring`` (Python 3.12
and later) tells of each line once, which costs next to nothing; earlier Pythons have no such thing, and nothing is watched."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any, Self

import storcert.harness
from storcert.scenarios.format.scenario import Scenario

_TOOL_NAME = "storcert explore"
_HARNESS = Path(next(iter(storcert.harness.__path__)))
# Found out now: whoever asks later may stand in a simulated location, which has no such files.
_ROOTS = tuple(dict.fromkeys(f"{root.as_posix()}/" for root in (_HARNESS, _HARNESS.resolve())))
_FOLDERS = ("logical", "drivers")
_PACKAGES = tuple(f"storcert.harness.{folder}" for folder in _FOLDERS)
_TOOL_IDS = range(6)


def can_watch() -> bool:
    """Whether this Python tells of lines."""
    return hasattr(sys, "monitoring")


def driver_files(scenario: Scenario) -> dict[str, str]:
    """The files of drivers that are not bundled, with the names they have in results."""
    found: dict[str, str] = {}
    for device in scenario.device:
        module = device.driver.partition(":")[0] if ":" in device.driver else ""
        if module and not module.startswith("storcert."):
            file = getattr(importlib.import_module(module), "__file__", None)
            if file:
                found[file] = module
    return found


class LineWatch:
    """Watches while it is entered. One at a time in a process; :meth:`take` gives the lines since it was last asked."""

    def __init__(self) -> None:
        self._monitoring: Any = getattr(sys, "monitoring", None)
        self._tool = -1
        self._names: dict[str, str | None] = {}
        self._lines: dict[str, int] = {}

    def __enter__(self) -> Self:
        if self._monitoring is None:
            return self
        self._tool = next((one for one in _TOOL_IDS if self._monitoring.get_tool(one) is None), -1)
        if self._tool >= 0:
            event = self._monitoring.events.LINE
            self._monitoring.use_tool_id(self._tool, _TOOL_NAME)
            self._monitoring.register_callback(self._tool, event, self._line)
            self._monitoring.set_events(self._tool, event)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._tool >= 0:
            self._monitoring.set_events(self._tool, 0)
            self._monitoring.register_callback(self._tool, self._monitoring.events.LINE, None)
            self._monitoring.free_tool_id(self._tool)
            self._tool = -1

    def begin(self, also: dict[str, str]) -> None:
        """Forget what was seen: each line is told once more. ``also``: further files to watch, with their names."""
        for file, name in also.items():
            self._names[file] = name
        self._lines = {}
        if self._tool >= 0:
            _forget_what_is_cached()
            self._monitoring.restart_events()

    def take(self) -> tuple[tuple[str, int], ...]:
        """By file, the lines as the bits of a number."""
        return tuple(sorted(self._lines.items()))

    def _line(self, code: CodeType, line: int) -> Any:
        if not code.co_flags & inspect.CO_OPTIMIZED:
            return self._monitoring.DISABLE  # a module or class being made: that happens once in a process
        file = code.co_filename
        name = self._names.get(file, "")
        if name == "":
            name = self._names[file] = _name(file)
        if name is not None:
            self._lines[name] = self._lines.get(name, 0) | 1 << line
        return self._monitoring.DISABLE


def _forget_what_is_cached() -> None:
    """What an earlier run left in a cache of the program under test keeps this one from reaching its lines."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGES):
            for value in list(vars(module).values()):
                clear = getattr(value, "cache_clear", None)
                if callable(clear):
                    clear()


def _name(file: str) -> str | None:
    """``logical/making.py``; ``None`` for a file that is not under test."""
    for root in _ROOTS:
        if file.startswith(root):
            inside = file[len(root) :]
            return inside if inside.partition("/")[0] in _FOLDERS else None
    return None


def merged(one: dict[str, int], lines: Iterable[tuple[str, int]]) -> int:
    """Add lines to those seen so far; how many are new."""
    new = 0
    for file, bits in lines:
        before = one.get(file, 0)
        new += (bits & ~before).bit_count()
        one[file] = before | bits
    return new
