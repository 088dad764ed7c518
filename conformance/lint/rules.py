"""The registry of every lint rule: look up by id."""

from __future__ import annotations

from collections.abc import Mapping

from storcert.conformance.lint.rule import LintRule
from storcert.conformance.lint.rules_files import FILE_RULES
from storcert.conformance.lint.rules_names import NAME_RULES, OWN_RULES
from storcert.conformance.lint.rules_state import STATE_RULES

__all__ = ["LINT_RULES", "lint_rule"]

LINT_RULES: Mapping[str, LintRule] = {rule.id: rule for rule in (*FILE_RULES, *NAME_RULES, *STATE_RULES, *OWN_RULES)}
_BY_WORD = {name.lower(): rule for name, rule in LINT_RULES.items()}


def lint_rule(name: str) -> LintRule | None:
    """The lint rule of this id, in capital or small letters; ``None`` where there is none."""
    return _BY_WORD.get(name.strip().lower())
