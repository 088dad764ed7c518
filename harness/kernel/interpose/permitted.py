"""What code at a location may read without a word: the Python code that is installed, and what belongs to it.

Importing, showing tracebacks and loading package data are how Python works, not a use of the file system. Reading anywhere
below the standard library and the folders of installed packages is permitted; the import machinery and the modules that
show source may also look at every entry of ``sys.path``. Writing never is.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

from storcert.harness.kernel.interpose import blame

_SOURCE_SUFFIXES = (".py", ".pyc", ".pyi", ".so", ".pyd", ".zip", ".egg")
_MACHINERY = frozenset(
    {"importlib", "zipimport", "pkgutil", "linecache", "tokenize", "inspect", "traceback", "runpy", "pkg_resources", "zipfile"}
)
# Newer copies of what the standard library has: packages. Once the first is imported, ``importlib.metadata`` asks it too.
_COPIES = frozenset({"importlib_metadata", "importlib_resources"})


def read_is_permitted(absolute: str, caller: FrameType | None) -> bool:
    """Whether reading ``absolute`` is part of running Python. ``caller``: the frame that called the replaced function."""
    folder = os.path.join(absolute, "")
    if folder.startswith(blame.STANDARD_FOLDERS + blame.PACKAGE_FOLDERS):
        return True
    if any(mark in folder for mark in blame.PACKAGE_MARKS):
        return True
    if absolute.startswith("/<") and absolute.endswith(">"):
        return True  # the compiler, looking for the source of "<string>" or "<unknown>" to show an error in it
    return _is_machinery(caller) and (absolute.endswith(_SOURCE_SUFFIXES) or _on_path(absolute))


def _is_machinery(frame: FrameType | None) -> bool:
    """Whether one of the library frames next to the call belongs to the import machinery or to what shows source."""
    while frame is not None:
        module_name = frame.f_globals.get("__name__") or ""
        if module_name.partition(".")[0] in _COPIES:
            return True
        if blame.kind_of_code(frame.f_code.co_filename) != "library":
            return False
        if module_name.partition(".")[0] in _MACHINERY or module_name == "_frozen_importlib_external":
            return True
        frame = frame.f_back
    return False


def _on_path(absolute: str) -> bool:
    return any(entry and (absolute == entry or absolute.startswith(os.path.join(entry, ""))) for entry in sys.path)
