"""A world with one location, and a way to run there a file as a vendor would write it."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from storcert.harness.kernel.interpose import installed
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.loop import Kernel
from storcert.harness.kernel.task import Task


class World:
    """A kernel with everything installed; ``here`` is the location that ``run`` uses unless told otherwise."""

    def __init__(self, kernel: Kernel, folder: Path) -> None:
        self.kernel = kernel
        self.folder = folder
        self.here = kernel.location("host1", environ={"HOME": "/home/storage", "COLOUR": "red"})
        self.modules: list[str] = []

    def spawn(self, function: Callable[..., Any], *args: Any, location: Location | None = None) -> Task:
        return self.kernel.spawn(function, *args, location=location or self.here)

    def run(self, function: Callable[..., Any], *args: Any, location: Location | None = None) -> Any:
        """What ``function`` returns or raises at the location."""
        task = self.spawn(function, *args, location=location)
        assert self.kernel.run_until_done(task)
        if task.error is not None:
            raise task.error
        return task.result

    def module(self, source: str, name: str = "vendor_driver") -> ModuleType:
        """``source`` as an imported file, outside any location."""
        (self.folder / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        self.modules.append(name)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    def found(self, location: Location | None = None) -> list[tuple[str, str, int]]:
        """Findings as (message, file name, line)."""
        return [(one.message, Path(one.file).name, one.line) for one in (location or self.here).findings]


@pytest.fixture
def bare_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Nothing installed yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with Kernel(7) as kernel:
        world = World(kernel, tmp_path)
        yield world
        for name in world.modules:
            sys.modules.pop(name, None)


@pytest.fixture
def world(bare_world: World) -> Iterator[World]:
    """Everything installed."""
    with installed():
        yield bare_world
