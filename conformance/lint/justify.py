"""Accepted findings: ``# storcert: allow RULE-ID reason``, on the line of the finding or alone on the line above it.

Several rules are separated by commas. The reason is what those who certify the driver read; without one nothing is accepted.
A comment that accepts nothing is a finding itself.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from storcert.conformance.lint.rules import LINT_RULES, lint_rule

_COMMENT = re.compile(r"#\s*storcert:\s*(?P<word>[\w-]+)\s*(?P<rest>.*)$", re.IGNORECASE)
_RULES = re.compile(r"^(?P<rules>[A-Za-z]+-[\w-]+(?:\s*,\s*[A-Za-z]+-[\w-]+)*)\s*(?:[:—–-]+\s*)?(?P<reason>.*)$")
REASON_CHARACTERS_MIN = 8


@dataclass(frozen=True, slots=True)
class Allowance:
    """One comment. ``line`` and ``column`` of the comment; ``lines``: where it accepts; ``wrong``: why it accepts nothing."""

    line: int
    column: int
    lines: tuple[int, ...]
    rules: tuple[str, ...]
    reason: str
    wrong: str = ""


def allowances(text: str) -> tuple[Allowance, ...]:
    """Every such comment of a source, in order."""
    found = []
    lines = text.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return ()
    for token in tokens:
        comment = _COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
        if comment is not None:
            line, column = token.start
            alone = not lines[line - 1][:column].strip()
            found.append(_read(comment, line, column + 1, (line, line + _comments_below(lines, line)) if alone else (line,)))
    return tuple(found)


def _comments_below(lines: list[str], line: int) -> int:
    """How far down the first line of code is: a comment may have a second line."""
    below = 1
    while line + below - 1 < len(lines) and lines[line + below - 1].strip().startswith("#"):
        below += 1
    return below


def _read(comment: re.Match[str], line: int, column: int, lines: tuple[int, ...]) -> Allowance:
    if comment["word"].lower() != "allow":
        return Allowance(line, column, lines, (), "", f"'{comment['word']}' is no word the lint knows; it is: allow")
    said = _RULES.match(comment["rest"].strip())
    if said is None:
        return Allowance(line, column, lines, (), "", "no rule is named")
    names = [one.strip() for one in said["rules"].split(",")]
    unknown = [one for one in names if lint_rule(one) is None or one.upper().startswith("LINT-")]
    if unknown:
        wrong = f"{unknown[0]} is no rule that can be allowed; `storcert list rules` shows them"
        return Allowance(line, column, lines, (), "", wrong)
    reason = said["reason"].strip()
    rules = tuple(rule.id for one in names if (rule := lint_rule(one)) is not None)
    if len(reason) < REASON_CHARACTERS_MIN:
        return Allowance(line, column, lines, rules, reason, "no reason is given")
    return Allowance(line, column, lines, rules, reason)


def accepting(known: Iterable[Allowance], rule: str, first: int, last: int) -> Allowance | None:
    """The comment that accepts a finding of ``rule`` in the lines ``first`` to ``last``."""
    assert rule in LINT_RULES
    return next(
        (one for one in known if not one.wrong and rule in one.rules and any(first <= line <= last for line in one.lines)), None
    )
