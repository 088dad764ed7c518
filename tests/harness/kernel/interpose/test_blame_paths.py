"""Whose code a frame is: a driver without a file declares nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.harness.kernel.interpose import blame


def test_an_empty_path_is_not_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / "boto3" / "session.py"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(blame, "_declared", [])
    monkeypatch.setattr(blame, "_kinds", {})
    blame.declare_driver_code("")
    assert blame.kind_of_code(str(installed)) == "package"
    blame.declare_driver_code(str(tmp_path / "venv"))
    assert blame.kind_of_code(str(installed)) == "other"
