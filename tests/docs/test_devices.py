"""docs/devices.md is what the devices say of themselves now."""

from __future__ import annotations

from pathlib import Path

from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_of_the_devices_as_they_are() -> None:
    script = script_of("make_devices")
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_devices.py"
