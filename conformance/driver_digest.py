"""The digest of a driver: SHA-256 over its source, the same on every machine and for every line ending.

It covers the file of the class and, followed through import statements without importing anything, every module of the
same package or, for a single file, of the same folder. Third-party libraries are not in it.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

_OWN_DRIVERS = "storcert.harness.drivers"


def driver_digest(cls: type[Any] | FunctionType) -> str:
    """``sha256:<hex>`` for a driver class or a function that makes drivers; of its name alone where it has no source."""
    total = hashlib.sha256()
    for name, text in sorted(_sources(cls).items()):
        total.update(f"{name}\0{hashlib.sha256(text).hexdigest()}\n".encode())
    total.update(cls.__qualname__.encode("utf-8", "surrogatepass"))
    return "sha256:" + total.hexdigest()


def driver_files(cls: type[Any] | FunctionType) -> tuple[str, ...]:
    """The files the digest covers, relative to the folder of the driver's package or file, sorted."""
    return tuple(sorted(_sources(cls)))


def _sources(cls: type[Any] | FunctionType) -> dict[str, bytes]:
    try:
        file = inspect.getsourcefile(cls)
    except TypeError:
        file = None
    if not file or not Path(file).is_file():
        return {}
    module = sys.modules.get(cls.__module__)
    package = getattr(module, "__package__", None) or ""
    start = Path(file).resolve()
    root, _ = package_root(start, package)
    return {path.relative_to(root).as_posix(): text for path, text in source_files(start, package).items()}


def source_files(start: Path, package: str) -> dict[Path, bytes]:
    """The files that make up a driver, with their text: ``start``, resolved, of ``package``, and what it imports of its own.

    Raises ``OSError`` for one that cannot be read.
    """
    root, prefix = package_root(start, package)
    found: dict[Path, bytes] = {}
    waiting = [start]
    if prefix and (root / "__init__.py").is_file():
        waiting.append(root / "__init__.py")
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        text = path.read_bytes().replace(b"\r\n", b"\n")
        found[path] = text
        waiting.extend(_imported(text, path, root, prefix))
    return found


def package_root(start: Path, package: str) -> tuple[Path, tuple[str, ...]]:
    """The folder whose modules count as the driver's own, and the dotted name that folder stands for."""
    own = package == _OWN_DRIVERS or package.startswith(_OWN_DRIVERS + ".")
    keep = len(_OWN_DRIVERS.split(".")) if own else 1
    pieces = package.split(".") if package else []
    if not pieces:
        return start.parent, ()
    root = start.parent
    while len(pieces) > keep and (root.parent / "__init__.py").is_file():
        root, pieces = root.parent, pieces[:-1]
    return root, tuple(pieces)


def _imported(text: bytes, path: Path, root: Path, prefix: tuple[str, ...]) -> Iterator[Path]:
    """Files under ``root`` that the import statements of ``text`` name."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                folder = path.parent
                for _ in range(node.level - 1):
                    folder = folder.parent
                if folder != root and root not in folder.parents:
                    continue
                module = prefix + folder.relative_to(root).parts + module
            names = [module, *((*module, alias.name) for alias in node.names)]
        else:
            continue
        for name in names:
            if name[: len(prefix)] == prefix:
                yield from _files_of(name[len(prefix) :], root)


def _files_of(pieces: tuple[str, ...], root: Path) -> Iterator[Path]:
    """The files that importing ``root`` + ``pieces`` runs: each package on the way, and the module."""
    folder = root
    for piece in pieces:
        module = folder / f"{piece}.py"
        if module.is_file():
            yield module
            return
        folder = folder / piece
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
        elif not folder.is_dir():
            return
