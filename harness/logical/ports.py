"""What a management server needs of the world around it: virtual in a simulation, real elsewhere. The code above is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from storcert.harness.logical.session import Session
from storcert.harness.record.command import Answer, Command

T = TypeVar("T")


class NoAnswer(Exception):
    """No answer came in time, or the location cannot be reached. Whether the command was carried out is not known."""


class CatalogueLost(Exception):
    """The catalogue did not answer. Whether the transaction took place is not known: what was at work on it stops, and whoever
    takes its job over reads what is there."""


class Surroundings(Protocol):
    """One management server's clock, catalogue and wire."""

    @property
    def name(self) -> str:
        """Of the server."""
        ...

    @property
    def boot(self) -> str:
        """Identifies this run of the server's process."""
        ...

    def clock_ns(self) -> int:
        """Time since some moment of this run of the process: it never jumps, and is nobody else's. What time of day it is, the
        catalogue says, to all servers alike (``Session.now_ns``)."""
        ...

    def sleep_ns(self, duration_ns: int) -> None:
        """Let time pass for the caller alone."""
        ...

    def spawn(self, label: str, body: Callable[[], None]) -> None:
        """Run ``body`` beside the caller. It dies with the server."""
        ...

    def transact(self, label: str, body: Callable[[Session], T]) -> T:
        """Run ``body`` as one transaction of the catalogue; all of it takes place, or nothing. Raises what ``body`` raises, and
        :class:`CatalogueLost`."""
        ...

    def ask(self, location: str, command: Command, timeout_ns: int) -> Answer:
        """Send a command to the agent at a location and wait for its answer. Raises :class:`NoAnswer`."""
        ...

    def note(self, sort: str, /, **value: Any) -> None:
        """Tell the journal of the run."""
        ...
