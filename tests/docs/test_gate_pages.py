"""docs/gate.md, formats.md and signed-verdicts.md are what the code says and prints now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_are_of_the_code_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    spec = importlib.util.spec_from_file_location("make_gate", ROOT / "docs" / "make_gate.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name, text in script.pages().items():
        assert text == (script.FOLDER / name).read_text(encoding="utf-8"), f"{name}: run: python docs/make_gate.py"
