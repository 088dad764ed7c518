"""Each lint rule finds its bad code, and nothing else in it, and nothing at all in its good code."""

from __future__ import annotations

import re

import pytest

from storcert.conformance.lint.lint import lint_text
from storcert.conformance.lint.rules import LINT_RULES, lint_rule
from storcert.conformance.rules import RULES

IDS = sorted(LINT_RULES)


def text(lines: tuple[str, ...]) -> str:
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", IDS)
def test_the_bad_code_breaks_the_rule_and_no_other(name: str) -> None:
    found = {one.rule for one in lint_text(text(LINT_RULES[name].bad)).findings}
    # Without a reason nothing is accepted, so what it wanted to allow is still there.
    assert found == ({name, "NOFS-open"} if name == "LINT-reason" else {name})


@pytest.mark.parametrize("name", IDS)
def test_the_good_code_breaks_nothing(name: str) -> None:
    assert lint_text(text(LINT_RULES[name].good)).findings == ()


@pytest.mark.parametrize("name", IDS)
def test_a_rule_says_everything(name: str) -> None:
    rule = LINT_RULES[name]
    prefix = name.partition("-")[0]
    assert rule.contract == ("" if prefix == "LINT" else f"C-{prefix}") and rule.contract in ("", *RULES)
    assert re.fullmatch(r"[A-Z]+(-[a-z]+)+", name) and name not in RULES
    assert rule.title and rule.why.endswith(".") and rule.instead


def test_ids_are_found_however_they_are_written() -> None:
    assert lint_rule("nofs-OPEN") is LINT_RULES["NOFS-open"]
    assert lint_rule("C-NOFS") is None
