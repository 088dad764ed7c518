"""What a live target is to the kit: something that is started, has places for drivers to work in, and tells what a place holds.

The server is started once per run, by the process that the user started. What :class:`Reached` says goes to worker processes;
each opens places of its own there, so that no two see each other. Nothing of a storage system is known here.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from storcert.harness.contract import JsonValue

if TYPE_CHECKING:  # it brings the kernel, which whoever only looks up names does not need
    from storcert.simulators.device import CensusEntry

PREFIX = "live:"


@dataclass(frozen=True, slots=True)
class Reached:
    """A target that runs. ``server``: how its module finds it; ``environment``: variables that client libraries read there."""

    target: str
    server: Mapping[str, JsonValue]
    environment: Mapping[str, str] = field(default_factory=dict)


class Place(Protocol):
    """A bucket, pool or folder of its own, empty at first."""

    @property
    def configuration(self) -> dict[str, JsonValue]:
        """What a driver is given to reach it."""
        ...

    def census(self) -> tuple[CensusEntry, ...]:
        """All that is in it, sorted, by the target's own means: what a leak check looks at."""
        ...

    def remove(self) -> None:
        """It and all that is left in it goes. May be repeated."""
        ...


class Server(Protocol):
    """One target under way."""

    def start(self) -> Reached:
        """Everything up and answering. Raises ``RuntimeError`` with the server's last words; nothing is left then."""
        ...

    def stop(self) -> None:
        """Ends every process and takes away the folder. May be repeated."""
        ...


class TargetModule(Protocol):
    """What the module of a target has."""

    def missing(self) -> str:
        """What to install or start, or ``""`` where all is there. Answers within a second."""
        ...

    def server(self, folder: Path) -> Server:
        """One of its own, in that folder, not yet started."""
        ...

    def open_place(self, reached: Reached, name: str) -> Place:
        """A place of that name, made now. ``name``: a few lower-case letters and digits."""
        ...


@dataclass(frozen=True, slots=True)
class TargetKind:
    """``like``: the simulated device that wears the same interface. ``module``: imported when needed. ``settings``: what a
    bundled driver, by import path, is told of this server beside its address. ``proxied``: the way there is HTTP, so that
    faults can be put on it. ``many_places``: making one costs milliseconds, so that every world has its own."""

    name: str
    text: str
    like: str
    module: str
    settings: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    proxied: bool = False
    many_places: bool = True

    def load(self) -> TargetModule:
        """Its module."""
        return cast("TargetModule", importlib.import_module(self.module))

    def provide(self) -> None:
        """Where the client library of the target is no Python package, the module makes it importable."""
        provide = getattr(self.load(), "provide", None)
        if provide is not None:
            provide()

    def settings_for(self, driver_class: type[Any]) -> dict[str, JsonValue]:
        """What that driver is told beside the address: a bundled one, or one that is made of it."""
        found: dict[str, JsonValue] = {}
        for base in reversed(getattr(driver_class, "__mro__", ())):
            found.update(self.settings.get(f"{base.__module__}:{base.__qualname__}", {}))
        return found
