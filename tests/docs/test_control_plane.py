"""docs/control-plane.md is what the control plane does now, and says of every operation what a crash does to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storcert.harness.logical.providers import Way
from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]


def _script() -> Any:
    return script_of("make_control_plane")


def test_the_page_is_of_the_control_plane_as_it_is() -> None:
    script = _script()
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_control_plane.py"


def test_every_operation_and_every_way_has_its_line() -> None:
    script = _script()
    assert sorted(script.OPERATIONS) == sorted(script.methods())
    assert set(script.WAYS) == set(Way)


def test_what_it_says_of_tests_is_there() -> None:
    text = _script().page()
    for name in ("tests/scenarios/test_resume.py", "tests/scenarios/test_uploads.py", "scenarios/crash_points.py"):
        assert name in text and (ROOT / name).exists()
