"""The registry of every rule of the contract: look up, digest, explain. The texts stand in the two files of data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from storcert.conformance.rule import Rule
from storcert.conformance.rules_driver import DRIVER_RULES
from storcert.conformance.rules_logical import LOGICAL_RULES
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.codec import digest_of

RULES: Mapping[str, Rule] = {rule.id: rule for rule in (*DRIVER_RULES, *LOGICAL_RULES)}


def requirements_digest() -> str:
    """``sha256:<hex>`` over ids and texts: two runs with the same digest were judged by the same words."""
    return digest_of([[rule.id, rule.text] for rule in RULES.values()])


def find_rule(name: str) -> Rule:
    """The rule with this id, or the rule of a check id (``C-COMMIT/size-mismatch``, ``C-COMMIT.3``). Raises :class:`InvalidUsage`."""
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
