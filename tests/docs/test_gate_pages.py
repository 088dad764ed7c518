"""docs/gate.md, formats.md and signed-verdicts.md are what the code says and prints now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_are_of_the_code_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    script = script_of("make_gate")
    for name, text in script.pages().items():
        assert text == (script.FOLDER / name).read_text(encoding="utf-8"), f"{name}: run: python docs/make_gate.py"
