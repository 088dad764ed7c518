"""Every rule of the contract is in the registry, word for word, with a reason and an example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from storcert.conformance.explain import explanation
from storcert.conformance.rules import RULES, find_rule
from storcert.conformance.usage import InvalidUsage

CONTRACT = Path(__file__).resolve().parents[2] / "docs" / "contract.md"


def test_the_registry_is_the_contract_s_tables() -> None:
    rows = dict(re.findall(r"^\| ([CL]-[A-Z]+) \| (.+) \|$", CONTRACT.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(rows) == 40
    assert {rule.id: rule.text for rule in RULES.values()} == rows
    assert list(RULES) == list(rows), "in the contract's order"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_each_rule_says_why_and_shows_what_breaks_it(rule: object) -> None:
    found = find_rule(rule.id)  # type: ignore[attr-defined]
    assert found.title and len(found.title) <= 80 and not found.title.endswith(".")
    assert found.why.endswith(".")
    assert found.example
    text = explanation(found.id)
    for heading in ("\nRule\n", "\nWhy\n", "\nBreaks it\n"):
        assert heading in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_check_leads_to_its_rule() -> None:
    assert find_rule("c-commit/size-mismatch[3]").id == "C-COMMIT"
    assert find_rule("C-READER/x").id == "C-READER"
    assert find_rule("C-READ/x").id == "C-READ"


def test_a_check_is_explained_by_its_own_sentence() -> None:
    from storcert.conformance.registry import CHECKS

    identity = sorted(CHECKS)[0]
    assert f"Check {identity}\n" in explanation(f"{identity}[4096]")


@pytest.mark.parametrize(
    ("name", "words"),
    [("C-COMIT", "did you mean C-COMMIT?"), ("nofs", "did you mean C-NOFS?"), ("", "`storcert list rules`"), ("C-", "no rule")],
)
def test_what_is_no_rule_says_so(name: str, words: str) -> None:
    with pytest.raises(InvalidUsage, match=re.escape(words)):
        find_rule(name)
