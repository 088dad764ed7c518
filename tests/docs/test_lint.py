"""docs/lint.md is what the lint rules say now, and what the command prints now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_of_the_rules_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    script = script_of("make_lint")
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_lint.py"
