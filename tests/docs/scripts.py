"""The scripts that make pages, as modules: what a test compares with the pages that are stored."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).resolve().parents[2] / "docs"


def script_of(name: str) -> ModuleType:
    """``docs/<name>.py``, loaded anew."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and models look their module up
    spec.loader.exec_module(module)
    return module
