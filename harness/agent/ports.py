"""What an agent needs of the machine it runs on: virtual in a simulation, real elsewhere. The code above is one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol


class Machine(Protocol):
    """The location an agent runs at."""

    @property
    def name(self) -> str:
        """Of the location."""
        ...

    @property
    def boot(self) -> str:
        """Identifies this run of the agent's process."""
        ...

    @property
    def transfer_url(self) -> str:
        """Where clients reach the doors of this agent: the beginning of their URLs, without a slash at the end; ``""`` where
        they do not."""
        ...

    def clock_ns(self) -> int:
        """Time since some moment of this run of the process: it never jumps, and is nobody else's."""
        ...

    def sleep_ns(self, duration_ns: int) -> None:
        """Let time pass for the caller alone."""
        ...

    def pace_ns(self, pause_ns: int) -> int:
        """How long a virtual machine waits before it writes again, which by itself would wait for ``pause_ns``."""
        ...

    def spawn(self, label: str, body: Callable[[], None]) -> None:
        """Run ``body`` beside the caller. It dies with the agent."""
        ...

    def stream(self, name: str) -> Random:
        """A random stream of that name, which is used once only: nobody remembers it but the caller."""
        ...

    def note(self, sort: str, /, **value: Any) -> None:
        """Tell the journal of the run."""
        ...
