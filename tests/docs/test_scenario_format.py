"""docs/scenario-format.md is of the format as it is now."""

from __future__ import annotations

from pathlib import Path

from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_of_the_format_as_it_is() -> None:
    script = script_of("make_scenario_format")
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_scenario_format.py"
