"""How long each single call of the driver takes and how many requests it makes: C-BUDGET is a promise of every call.

A :class:`Metered` stands in front of the driver and of its streams. It passes everything on unchanged; a whole transfer is many
calls, and each of them has its own fifteen minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from storcert.conformance.violation import Violation
from storcert.conformance.world import CALL_LIMIT_NS, World

MINUTE_NS = 60 * 10**9
STREAMS = ("open_input", "open_output", "open_volume")


@dataclass(slots=True)
class Meter:
    """``requests``: the most that one call of each name made since :meth:`reset`."""

    world: World
    requests: dict[str, int] = field(default_factory=dict)

    def reset(self) -> None:
        """Start counting anew."""
        self.requests.clear()

    def call(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Make one call, timed and counted. Raises :class:`Violation` where it took too long."""
        kernel, seen = self.world.kernel, self.world.device.requests
        begun_ns, before = kernel.now_ns, len(seen)
        try:
            return function(*arguments)
        finally:
            self.requests[name] = max(self.requests.get(name, 0), len(seen) - before)
            took_ns = kernel.now_ns - begun_ns
            if took_ns > CALL_LIMIT_NS:
                raise Violation(f"{name} took {took_ns // MINUTE_NS} virtual minutes; 15 are allowed", "C-BUDGET")


class Metered:
    """A driver or stream whose calls are measured. ``target`` is the real one."""

    def __init__(self, target: Any, meter: Meter) -> None:
        self.target = target
        self.meter = meter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.target, name)
        if not callable(found):
            return found

        def measured(*arguments: Any) -> Any:
            answer = self.meter.call(name, found, *arguments)
            if answer is not None and (name in STREAMS):
                return Metered(answer, self.meter)
            if name == "list_objects" and hasattr(answer, "__next__"):
                return MeteredIterator(answer, self.meter)
            return answer

        return measured

    def __enter__(self) -> Any:
        entered = self.meter.call("enter", self.target.__enter__)
        return self if entered is self.target else Metered(entered, self.meter)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return self.meter.call("exit", self.target.__exit__, kind, error, trace)


class MeteredIterator:
    """The answer of ``list_objects``; each ``next`` is a call of its own."""

    def __init__(self, target: Any, meter: Meter) -> None:
        self.target = target
        self.meter = meter

    def __iter__(self) -> MeteredIterator:
        return self

    def __next__(self) -> Any:
        return self.meter.call("next", next, self.target)
