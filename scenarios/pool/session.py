"""What a worker is: a process in which one setup stands (fence up, defect planted, lines watched), and the tasks it does there.

This module and everything in this package stays as it is when a defect is planted; what runs scenarios is imported late.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from storcert.harness.kernel.interpose import installed
from storcert.scenarios.defects.defect import Defect
from storcert.scenarios.defects.planting import planted
from storcert.scenarios.explore.lines import LineWatch


@dataclass(frozen=True, slots=True)
class Setup:
    """What all tasks of an exploration share. ``defect``: planted in the program, where one is looked for; ``guided``: lines
    are watched."""

    defect: Defect | None = None
    guided: bool = False


class Task(Protocol):
    """Something to be done by a worker; it and what comes of it can be pickled. Nothing but itself and the setup decides it."""

    def do(self, watch: LineWatch | None) -> Any:
        """Do it. ``watch``: where lines are watched. What goes wrong in a run is part of the result."""
        ...


class Session:
    """Does tasks, one at a time, in this process. Close it."""

    def __init__(self) -> None:
        self._setup: Setup | None = None
        self._stack = ExitStack()
        self._watch: LineWatch | None = None

    def do(self, setup: Setup, task: Task) -> Any:
        """What comes of a task under that setup."""
        if setup != self._setup:
            self.close()
            self._stack.enter_context(installed())
            if setup.defect is not None:
                self._stack.enter_context(planted(setup.defect))
            self._watch = self._stack.enter_context(LineWatch()) if setup.guided else None
            self._setup = setup
        return task.do(self._watch)

    def close(self) -> None:
        """Everything as it was."""
        self._stack.close()
        self._setup = self._watch = None
