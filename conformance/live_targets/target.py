"""What a live target is to the kit: something that is started, has places for drivers to work in, and tells what a place holds.

The server is started once per run, by the process that the user started. What :class:`Reached` says goes to worker processes;
each opens places of its own there, so that no two see each other. Nothing of a storage system is known here.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from storcert.harness.contract import JsonValue

if TYPE_CHECKING:  # it brings the kernel, which whoever only looks up names does not need
    from storcert.harness.record.fault import Fault
    from storcert.simulators.device import CensusEntry, FaultKind, Request

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


class Way(Protocol):
    """The way of one process to a target, on which requests are counted and faults put. One world after the other."""

    reached: Reached
    """Where places for worlds that go this way are opened."""

    def begin(self, place: Place) -> Mapping[str, JsonValue]:
        """A new world in that place: nothing was asked yet, nothing is armed. What it gives a driver in place of what the
        place does."""
        ...

    @property
    def requests(self) -> list[Request]:
        """Those of this world, so far."""
        ...

    @property
    def fired(self) -> list[Fault]:
        """The faults that struck since :meth:`arm`."""
        ...

    def called_from(self, location: str) -> None:
        """Whose requests come now, as the schedule names it."""
        ...

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the schedule. ``ValueError`` for a fault that cannot be shown here."""
        ...

    def heal(self) -> None:
        """No faults any more, and the server is there."""
        ...


class WayModule(Protocol):
    """What the module of a way has. ``SHOWN``: the faults; ``NOT_SHOWN``: those of the simulated device that it cannot show,
    and why. ``IN_PROCESS``: it needs Python's lock of the driver's process."""

    SHOWN: tuple[FaultKind, ...]
    NOT_SHOWN: Mapping[str, str]
    IN_PROCESS: bool

    def way_to(self, reached: Reached) -> Way:
        """The one of this process to that target, made when first asked for."""
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
    bundled driver, by import path, is told of this server beside its address. ``way``: the module that puts faults on the way
    there, where that can be done. ``many_places``: making one costs milliseconds, so that every world has its own.
    ``empty_stay``: an empty place costs nothing, and taking it away costs more than a request.
    ``processes_per_worker``: drivers wait in real time before they ask again, for minutes in all; meanwhile another goes on."""

    name: str
    text: str
    like: str
    module: str
    settings: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    way: str = ""
    many_places: bool = True
    empty_stay: bool = False
    processes_per_worker: int = 1

    @property
    def proxied(self) -> bool:
        """Whether faults can be put on the way there."""
        return bool(self.way)

    def load_way(self) -> WayModule:
        """The module of the way there."""
        return cast("WayModule", importlib.import_module(self.way))

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
