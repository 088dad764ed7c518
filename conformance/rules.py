"""The registry of every rule of the contract: look up by id. The texts stand in the two files of data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from storcert.conformance.rule import Rule
from storcert.conformance.rules_driver import DRIVER_RULES
from storcert.conformance.rules_logical import LOGICAL_RULES
from storcert.conformance.usage import InvalidUsage

__all__ = ["DRIVER_RULES", "LOGICAL_RULES", "RULES", "find_rule"]

RULES: Mapping[str, Rule] = {rule.id: rule for rule in (*DRIVER_RULES, *LOGICAL_RULES)}


def find_rule(name: str) -> Rule:
    """The rule of this id, or of the check of this id (``C-COMMIT/size-mismatch[3]``). Raises :class:`InvalidUsage`."""
    wanted = name.strip().upper()
    if wanted in RULES:
        return RULES[wanted]
    for rule in RULES.values():
        if wanted.startswith(rule.id) and not wanted[len(rule.id)].isalnum():
            return rule
    close = difflib.get_close_matches(wanted, [*RULES, *(rule.partition("-")[2] for rule in RULES)], 1, cutoff=0.5)
    if close:
        near = close[0] if close[0] in RULES else next(rule for rule in RULES if rule.endswith(f"-{close[0]}"))
        raise InvalidUsage(f"no rule or check {name!r}, did you mean {near}?")
    raise InvalidUsage(f"no rule or check {name!r}; `storcert list rules` shows them")
