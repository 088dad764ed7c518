"""What a lint rule is, as data."""

from __future__ import annotations

from dataclasses import dataclass

from storcert.harness.record.lint_report import Severity


@dataclass(frozen=True, slots=True)
class LintRule:
    """``id``: the contract rule without its ``C-``, and a word in small letters, so that it is never taken for one of those.

    ``contract``: the rule of the contract it belongs to, ``""`` for rules of the lint itself. ``why``: what goes wrong;
    ``instead``: what to do. ``bad``: short driver code that breaks it; ``good``: the nearest that does not. Tests lint both.
    """

    id: str
    contract: str
    severity: Severity
    title: str
    why: str
    instead: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
