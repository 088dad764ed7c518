"""Of a failure: which parts it needs, each shown by a run without it, and which it does not. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """``necessary``: without each of these it does not happen; ``unneeded``: without each of these it still does."""

    necessary: tuple[str, ...] = ()
    unneeded: tuple[str, ...] = ()

    def with_part(self, what: str, *, needed: bool) -> Proof:
        """One part more."""
        if needed:
            return Proof((*self.necessary, what), self.unneeded)
        return Proof(self.necessary, (*self.unneeded, what))
