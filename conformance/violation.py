"""How a check ends when it does not simply return: found something, does not apply, cannot decide."""

from __future__ import annotations

import re

from storcert.harness.checkers.linearizability import Linearization
from storcert.harness.protocol.broken import BrokenProtocol


class Violation(AssertionError):
    """The driver broke a rule. ``rule`` is set where it is another rule than the one the check belongs to."""

    def __init__(self, message: str, rule: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule


class LeftBehind(Violation):
    """Something is on the device that nobody needs any more."""


class NoOrder(Violation):
    """Concurrent operations whose answers no order explains. ``found``: what the judge said of them; ``deletes_repeat``: how
    it was asked."""

    def __init__(self, message: str, rule: str | None, found: Linearization, deletes_repeat: bool) -> None:
        super().__init__(message, rule)
        self.found = found
        self.deletes_repeat = deletes_repeat


class NotApplicable(Exception):
    """The check does not apply: capability not declared, or a fault this device cannot show. Gives ``skipped``."""


class Undecided(Exception):
    """The check ran into something the kit cannot simulate or judge. Gives ``unknown``, never a pass."""


class LeftToFillIn(Undecided):
    """The driver says itself that a part of it is not written yet. A failure of the rule that the part is for; other checks
    that need it decide nothing."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"left to fill in: {what}")
        self.rule = rule


_GAP = re.compile(r"fill in (C-[A-Z]+): (.+)", re.DOTALL)


def gap(error: BaseException | None) -> LeftToFillIn | None:
    """Of ``NotImplementedError("fill in C-CREATE: an object of so many zero bytes")``, as ``storcert new-driver`` writes them,
    what is to be filled in. Any other error is none, a plain ``NotImplementedError`` too: it is a foreign error."""
    found = _GAP.match(str(error)) if type(error) is NotImplementedError else None
    return LeftToFillIn(found[1], found[2]) if found is not None else None


def foreign(label: str, error: BaseException, touched_files: bool) -> Violation:
    """What it is that a call ended with an error that is none of the contract's. ``touched_files``: driver code went for a file
    outside its device."""
    if isinstance(error, BrokenProtocol):
        return Violation(f"{label}: {error}", error.rule)
    # A scratch file that could not be made is a broken C-NOFS; that the error came out untyped is only its shadow.
    rule = "C-NOFS" if isinstance(error, OSError) and touched_files else "C-ERRORS"
    return Violation(f"{label} let a foreign error out: {type(error).__name__}: {error}", rule)


def require(condition: bool, message: str, rule: str | None = None) -> None:
    """Raise :class:`Violation` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise Violation(message, rule)
