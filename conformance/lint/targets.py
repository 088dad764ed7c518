"""From what a user types to source files: files, folders, module names, drivers. Nothing of a driver is imported.

A file or module brings along what it imports from its own package or folder, as in the driver's digest. A folder brings every
Python file below it that is no test and no set-up script; how many were left out is told. A driver's device, and with it
whether a mounted path is its device, is what its entry point names, or what ``--device`` says.
"""

from __future__ import annotations

import difflib
import importlib.machinery
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storcert.conformance.devices import DEFAULT_DEVICE, DEVICES, is_live
from storcert.conformance.driver_digest import package_root, source_files
from storcert.conformance.driver_source import device_of, installed_drivers
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.simulators.registry import SIMULATED

_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_TEST_FOLDERS = frozenset({"test", "tests", "testing"})
_SET_UP = frozenset({"setup.py", "noxfile.py", "fabfile.py", "tasks.py"})


@dataclass(frozen=True, slots=True)
class TargetFile:
    """``path``, resolved; ``shown`` for people; ``module``: its dotted name; ``mount``: its device is a mounted path."""

    path: Path
    shown: str
    module: str
    mount: bool = False


@dataclass(slots=True)
class Targets:
    """What is looked at. ``devices``: those the files are for, as far as that is known."""

    files: tuple[TargetFile, ...]
    devices: tuple[str, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """Files that belong together: a driver, or a folder. ``mount`` ``None``: not known."""

    files: dict[Path, tuple[str, str]] = field(default_factory=dict)
    mount: bool | None = None


def has_mount(device: str) -> bool:
    """Whether a device is reached as a mounted path: its configuration then names the mount."""
    return device in SIMULATED and "mount" in SIMULATED[device].apart("", 1)


def find_targets(words: Iterable[str], device: str | None = None) -> Targets:
    """Every file that is meant, sorted by name. Raises :class:`InvalidUsage` for a word that means nothing, one line."""
    if device is not None and device not in DEVICES:
        raise InvalidUsage(f"--device {device}: it is one of {', '.join(DEVICES)}")
    left_out: dict[str, int] = {}
    groups: list[_Group] = []
    devices: set[str] = set() if device is None else {device}
    for word in dict.fromkeys(words):
        group, its_device = _find(word, left_out)
        group.mount = has_mount(its_device) if its_device else None
        groups.append(group)
        if its_device and device is None:
            devices.add(its_device)
    for its_device, driver in list(_drivers_among({path for group in groups for path in group.files})):
        groups.append(driver)
        if device is None:
            devices.add(its_device)
    if device is not None and not is_live(device):
        for group in groups:
            group.mount = has_mount(device)
    files = _files(groups)
    if not files:  # nothing looked at is not nothing found
        what = ", ".join(f"{number} of {reason}" for reason, number in sorted(left_out.items()))
        raise InvalidUsage(f"there is nothing to look at: files of drivers are none, and left out are {what}; name a file")
    return Targets(files, tuple(sorted(devices)), dict(sorted(left_out.items())))


def targets_of_driver(file: Path, package: str, device: str) -> Targets:
    """The files of one driver: ``file``, resolved, of ``package``, and what it imports of its own."""
    return Targets(_files([_Group(_closure(file, package), has_mount(device))]), (device,) if device else ())


def _files(groups: Iterable[_Group]) -> tuple[TargetFile, ...]:
    """One entry for each file. A file that a driver without a mount uses too is judged as that driver's."""
    wanted: dict[Path, tuple[str, str]] = {}
    on_mount: set[Path] = set()
    elsewhere: set[Path] = set()
    for group in groups:
        for path, names in group.files.items():
            wanted[path] = names  # the later, better known one: of a driver rather than of a folder
            if group.mount is not None:
                (on_mount if group.mount else elsewhere).add(path)
    found = [TargetFile(path, shown, module, path in on_mount - elsewhere) for path, (shown, module) in wanted.items()]
    return tuple(sorted(found, key=lambda one: (one.shown, str(one.path))))


def _find(word: str, left_out: dict[str, int]) -> tuple[_Group, str]:
    """The files of one word, and the device that its entry point names."""
    path = Path(word)
    if path.is_dir():
        return _Group(dict(_folder(path, left_out))), ""
    if path.is_file():
        if path.suffix not in (".py", ".pyi", ""):
            raise InvalidUsage(f"{word}: is no Python file")
        return _Group(_closure(path.resolve(), _package_of(path.resolve()))), ""
    for point in installed_drivers():
        if word == point.name:
            return _Group(_module(point.module, word)), device_of(point) or DEFAULT_DEVICE
    left, _, class_path = word.rpartition(":")
    if left and class_path.replace(".", "").isidentifier():
        return _find(left, left_out) if left.endswith(".py") else (_Group(_module(left, word)), "")
    if "/" in word or "\\" in word or word.endswith(".py"):
        raise InvalidUsage(f"{word}: there is no such file or folder")
    return _Group(_module(word, word)), ""


def _drivers_among(paths: set[Path]) -> Iterator[tuple[str, _Group]]:
    """Installed drivers whose file is among ``paths``: what their entry points say holds for them here too."""
    for point in installed_drivers():
        file = _file_of(point.module)
        if file is not None and file in paths:
            device = device_of(point) or DEFAULT_DEVICE
            yield device, _Group(_module(point.module, point.name), has_mount(device))


def _folder(folder: Path, left_out: dict[str, int]) -> Iterator[tuple[Path, tuple[str, str]]]:
    found = False
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_entered(Path(at), name, left_out))
        for name in sorted(files):
            if not name.endswith(".py"):
                continue
            found = True
            reason = _left_out(name)
            if reason:
                left_out[reason] = left_out.get(reason, 0) + 1
                continue
            path = (Path(at) / name).resolve()
            yield path, (_shown(path, (Path(at) / name).as_posix()), _module_name(path))
    if not found and not left_out:
        raise InvalidUsage(f"{folder}: there is no Python file in it")


def _is_entered(at: Path, name: str, left_out: dict[str, int]) -> bool:
    folder = at / name
    if name.startswith(".") or name in _SKIPPED_FOLDERS or (folder / "pyvenv.cfg").exists():
        return False
    if name in _TEST_FOLDERS:
        tests = sum(1 for _ in folder.rglob("*.py"))
        if tests:
            left_out["tests"] = left_out.get("tests", 0) + tests
        return False
    return True


def _left_out(name: str) -> str:
    if name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py":
        return "tests"
    return "set-up scripts" if name in _SET_UP else ""


def _module(name: str, word: str) -> dict[Path, tuple[str, str]]:
    """A module with what it imports of its own package; a package with everything below it."""
    file = _file_of(name)
    if file is None:
        known = [point.name for point in installed_drivers()]
        close = difflib.get_close_matches(word, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"drivers are {', '.join(dict.fromkeys(known))}"
        what = "no file, folder, module with source or installed driver of that name"
        raise InvalidUsage(f"{one_line(word, 100)}: {what}; {hint}")
    if file.name != "__init__.py":
        return _closure(file, name.rpartition(".")[0])
    return dict(_folder(file.parent, {}))


def _file_of(name: str) -> Path | None:
    """The source of a module, found as an import would find it, and not imported."""
    paths: list[str] | None = None
    spec: importlib.machinery.ModuleSpec | None = None
    pieces = name.split(".")
    if not all(piece.isidentifier() for piece in pieces):
        return None
    for number in range(len(pieces)):
        spec = _spec(".".join(pieces[: number + 1]), paths)
        if spec is None:
            return None
        paths = None if spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    origin = None if spec is None else spec.origin
    if origin is None or not origin.endswith(".py"):
        return None
    path = Path(origin)
    return path.resolve() if path.is_file() else None


def _spec(name: str, paths: list[str] | None) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        found = None if find is None else find(name, paths)
        if isinstance(found, importlib.machinery.ModuleSpec):
            return found
    return None


def _closure(start: Path, package: str) -> dict[Path, tuple[str, str]]:
    root, prefix = package_root(start, package)
    files: dict[Path, tuple[str, str]] = {}
    for path in source_files(start, package):
        inside = path.relative_to(root)
        pieces = [*prefix, *inside.with_suffix("").parts]
        if pieces[-1] == "__init__":
            pieces.pop()
        files[path] = (_shown(path, "/".join([*prefix, inside.as_posix()])), ".".join(pieces))
    return files


def _package_of(path: Path) -> str:
    """The dotted name of the package a file lies in, by the ``__init__.py`` above it."""
    pieces: list[str] = []
    folder = path.parent
    while (folder / "__init__.py").is_file():
        pieces.insert(0, folder.name)
        folder = folder.parent
    return ".".join(pieces)


def _module_name(path: Path) -> str:
    package = _package_of(path)
    if path.name == "__init__.py":
        return package or path.parent.name
    return f"{package}.{path.stem}" if package else path.stem


def _shown(path: Path, otherwise: str) -> str:
    """Relative to the working directory where it lies below it, so that annotations find it; else as it was named."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return otherwise
