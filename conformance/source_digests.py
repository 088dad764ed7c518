"""Digests of this program's own source, the same on every machine: of all of it, of what decides runs, of one device's model.

A verdict is bound to them: who checks it later sees whether it was this kit that decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from storcert.harness.record.codec import canonical
from storcert.simulators.registry import SIMULATED

ALL = ("harness", "simulators", "conformance", "scenarios", "reports")
"""The folders that are the kit."""
SHARED = ("simulators/device.py", "simulators/device_options.py", "simulators/extents.py", "simulators/network")
"""What every simulated device stands on."""


@cache
def folders_digest(folders: Sequence[str]) -> str:
    """``sha256:<hex>`` of the source in these folders of the program, or of single files of it; catalogues left out."""
    total = hashlib.sha256()
    for name, data in sorted(found for folder in folders for found in _source(folder)):
        total.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return "sha256:" + total.hexdigest()


def kit_digest() -> str:
    """Of the whole kit."""
    return folders_digest(ALL)


def device_digest(device: str, simulator: Mapping[str, Any], configuration: Mapping[str, Any]) -> str:
    """Of a simulated device: its model and its options. Of a live one, of which no source is known: its configuration."""
    said = hashlib.sha256(f"{device}\n".encode())
    kind = SIMULATED.get(device)
    if kind is None:
        said.update(canonical(dict(configuration)))
    else:
        own = kind.package.removeprefix("storcert.").replace(".", "/")
        said.update(folders_digest((own, *SHARED)).encode())
        said.update(canonical(dict(simulator)))
    return "sha256:" + said.hexdigest()


def _source(path: str) -> list[tuple[str, bytes]]:
    root, _, rest = path.partition("/")
    start: Traversable = files(f"storcert.{root}")
    for piece in filter(None, rest.split("/")):
        start = start / piece
    return _files(start, path) if start.is_dir() else [(path, _text(start))]


def _files(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found = []
    for one in folder.iterdir():
        name = f"{path}/{one.name}"
        if one.is_dir() and one.name not in ("__pycache__", "catalogue"):
            found += _files(one, name)
        elif name.endswith((".py", ".toml")):
            found.append((name, _text(one)))
    return found


def _text(one: Traversable) -> bytes:
    return one.read_bytes().replace(b"\r\n", b"\n")
