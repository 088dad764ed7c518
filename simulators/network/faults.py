"""The armed fault schedule of one device: which faults strike the request that is being sent. Counting only, no
effects."""

from __future__ import annotations

from collections.abc import Sequence

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind


class FaultPlan:
    """Counts matching requests per fault since :meth:`arm` and tells which faults strike. ``armed``: whether any
    can."""

    def __init__(self, legal: Sequence[FaultKind]) -> None:
        self._legal = {kind.name: kind for kind in legal}
        self.armed = False
        self._armed: list[tuple[Fault, list[int]]] = []
        self.fired: list[Fault] = []

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the schedule. ``ValueError`` for a kind or phase that is not legal here; nothing changes then."""
        self._refuse_illegal(faults)
        self._armed = [(fault, [0]) for fault in faults]
        self.armed = bool(faults)
        self.fired = []

    def add(self, faults: Sequence[Fault]) -> None:
        """Arm these beside those that are armed; their requests are counted from now on. ``ValueError`` as for :meth:`arm`."""
        self._refuse_illegal(faults)
        self._armed.extend((fault, [0]) for fault in faults)
        self.armed = bool(self._armed)

    def _refuse_illegal(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            kind = self._legal.get(fault.kind)
            if kind is None:
                raise ValueError(f"{fault.kind!r} is no legal fault here; legal: {', '.join(sorted(self._legal))}")
            if fault.phase not in kind.phases:
                legal = ", ".join(kind.phases)
                raise ValueError(f"{fault.kind!r} cannot strike in phase {str(fault.phase)!r}; legal: {legal}")
            if fault.operation != "*" and kind.operations != ("*",) and fault.operation not in kind.operations:
                raise ValueError(f"{fault.kind!r} cannot strike {fault.operation}; legal: {', '.join(kind.operations)}")

    def disarm(self) -> None:
        """No faults any more; what fired stays known."""
        self._armed = []
        self.armed = False

    def waiting(self) -> tuple[tuple[Fault, int], ...]:
        """The armed faults, in the order of the schedule, each with how many requests it has counted so far."""
        return tuple((fault, counter[0]) for fault, counter in self._armed)

    def strike(self, operation: str, location: str) -> tuple[Fault, ...]:
        """Count one request and give the faults that strike it, in the order of the schedule."""
        if not self._armed:
            return ()
        struck: list[Fault] = []
        for fault, counter in self._armed:
            if not fault.matches(operation, location):
                continue
            kind = self._legal[fault.kind]
            if kind.operations != ("*",) and operation not in kind.operations:
                continue  # "*" in the schedule means: every request this fault can strike
            counter[0] += 1
            if fault.strikes(counter[0]):
                struck.append(fault)
        self.fired.extend(struck)
        return tuple(struck)


def first(struck: Sequence[Fault], phase: Phase, *kinds: str) -> Fault | None:
    """The first fault of one phase among ``struck``, of one of ``kinds`` (any where none is named)."""
    for fault in struck:
        if fault.phase == phase and (not kinds or fault.kind in kinds):
            return fault
    return None
