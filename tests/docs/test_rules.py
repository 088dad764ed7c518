"""The pages of the rules are what the registry says now."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from storcert.conformance.rules import RULES
from tests.docs.scripts import script_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return script_of("make_rules")


def test_the_pages_are_of_these_rules(script: ModuleType) -> None:
    wanted = script.pages()
    assert len(wanted) == len(RULES) + 1
    assert {path.name for path in (DOCS / "rules").iterdir()} == set(wanted), "run: python docs/make_rules.py"
    for name, text in wanted.items():
        assert (DOCS / "rules" / name).read_text(encoding="utf-8") == text, f"{name}; run: python docs/make_rules.py"


def test_every_check_is_on_the_page_of_its_rule(script: ModuleType) -> None:
    from storcert.conformance.registry import CHECKS

    pages = script.pages()
    for identity, check in CHECKS.items():
        assert f"| `{identity.partition('/')[2]}` |" in pages[f"{check.rule}.md"]
