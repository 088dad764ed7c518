"""docs/scenario-format.md is of the format as it is now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_of_the_format_as_it_is() -> None:
    spec = importlib.util.spec_from_file_location("make_scenario_format", ROOT / "docs" / "make_scenario_format.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_scenario_format.py"
