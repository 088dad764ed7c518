"""docs/devices.md is what the devices say of themselves now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_of_the_devices_as_they_are() -> None:
    spec = importlib.util.spec_from_file_location("make_devices", ROOT / "docs" / "make_devices.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_devices.py"
