"""Which line of whose code did it: from a stack to the file and line of a finding, and writing the finding down.

A stack is read from the innermost frame outwards. Frames of storcert itself (the bundled drivers excepted) and of the
standard library are passed over; so are installed packages, the vendor's client libraries, unless declared to be the
driver. The first frame left is the driver's line; where there is none, the innermost frame of an installed package is.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from types import FrameType
from typing import TYPE_CHECKING, Any

from storcert.harness.record.finding import Finding

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

_SEPARATOR = os.sep


def _folders(*keys: str) -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {os.path.join(base, "") for key in keys for base in (paths[key], os.path.realpath(paths[key]))}
    return tuple(sorted(found))


PACKAGE_FOLDERS: tuple[str, ...] = _folders("purelib", "platlib")
STANDARD_FOLDERS: tuple[str, ...] = tuple(
    sorted({*_folders("stdlib", "platstdlib"), os.path.join(os.path.dirname(os.path.realpath(os.__file__)), "")})
)
PACKAGE_MARKS = (f"{_SEPARATOR}site-packages{_SEPARATOR}", f"{_SEPARATOR}dist-packages{_SEPARATOR}")

# Code that watches code: what it opens while tracing a location is no business of the location.
INSTRUMENTS = frozenset(
    {
        "_pytest", "pytest", "pytest_timeout", "pluggy", "xdist", "execnet", "hypothesis", "coverage", "pydevd",
        "_pydevd_bundle", "_pydevd_sys_monitoring", "debugpy",
    }
)
_DRIVERS_OF_OURS = ("storcert.harness.drivers", "storcert.conformance.mutants", "storcert.examples")

_REAL_HOME = os.path.expanduser("~")
_declared: list[str] = []
_kinds: dict[str, str] = {}


def declare_driver_code(path: str) -> None:
    """Code under ``path`` (a file or a folder) is the driver's, even where it is installed among the packages. An empty path is
    none: it would be the working folder, and every package that is installed below it."""
    if not path:
        return
    path = os.path.realpath(path)
    if path not in _declared:
        _declared.append(path)
        _kinds.clear()


def kind_of_code(filename: str) -> str:
    """``library`` (standard library, frozen or generated), ``package`` (installed), or ``other``."""
    kind = _kinds.get(filename)
    if kind is None:
        kind = _kinds[filename] = _classify(filename)
    return kind


def _classify(filename: str) -> str:
    if any(filename == path or filename.startswith(os.path.join(path, "")) for path in _declared):
        return "other"
    if filename.startswith("<") or not filename:
        return "library"
    if filename.startswith(PACKAGE_FOLDERS) or any(mark in filename for mark in PACKAGE_MARKS):
        return "package"
    return "library" if filename.startswith(STANDARD_FOLDERS) else "other"


def is_library_module(names: dict[str, Any]) -> bool:
    """Whether a module dictionary belongs to the standard library, an installed package or storcert's own rooms."""
    filename = names.get("__file__")
    if not isinstance(filename, str):
        return True
    return kind_of_code(filename) != "other" or is_own(str(names.get("__name__", "")))


def is_own(module_name: str) -> bool:
    """Whether a module is part of storcert and not one of the drivers it brings."""
    return module_name.partition(".")[0] == "storcert" and not module_name.startswith(_DRIVERS_OF_OURS)


def is_instrument(module_name: str) -> bool:
    """Whether a module belongs to a test runner, tracer or debugger."""
    return module_name.partition(".")[0] in INSTRUMENTS


def culprit(frame: FrameType | None) -> tuple[str, int, str] | None:
    """File and line of the code to blame, ``("", 0)`` if there is none, and the installed package through which it did it
    (``""``: by itself). ``None`` if an instrument did it."""
    fallback: tuple[str, int] = ("", 0)
    package = ""
    while frame is not None:
        filename = frame.f_code.co_filename
        kind = kind_of_code(filename)
        if kind != "library":
            module_name = frame.f_globals.get("__name__") or ""
            if is_own(module_name):
                pass  # storcert's own frames, wherever it is installed
            elif kind == "package":
                if is_instrument(module_name):
                    return None
                if not fallback[0]:
                    fallback = (filename, frame.f_lineno)
                    package = module_name.partition(".")[0]
            else:
                return filename, frame.f_lineno, package
        frame = frame.f_back
    return fallback[0], fallback[1], package


def report(location: Location, kind: str, message: str, frame: FrameType | None = None) -> bool:
    """Write a finding into ``location.findings``, once per message, file and line.

    ``False`` where the deed belongs to an instrument and nothing was written: the caller then lets it through.
    """
    blamed = culprit(sys._getframe(1) if frame is None else frame)
    if blamed is None:
        return False
    file, line, package = blamed
    if package:
        # Libraries look below the home of whoever imported them; whose home that was does not matter.
        for home in (_REAL_HOME, location.environ.get("HOME", "/root")):
            message = message.replace(f"'{home}{_SEPARATOR}", f"'~{_SEPARATOR}")
        message = f"{message} (inside {package})"
    finding = Finding(kind, message, file, line)
    if finding not in location.findings:
        location.findings.append(finding)
    return True
