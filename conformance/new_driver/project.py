"""What ``storcert new-driver`` writes: names, files, and nothing that was there before."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from storcert.conformance.usage import InvalidUsage

DEVICES: Mapping[str, tuple[str, ...]] = {
    "object-store": ("boto3>=1.40",),
    "nfs": (),
    "rbd": (),
    "sheepdog": (),
}
"""Devices there is a skeleton for, and what a driver for each needs beside storcert. rados and rbd come with Ceph."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Names:
    """``name``: what people say to ``storcert certify``."""

    name: str
    distribution: str
    package: str
    class_name: str


def names_of(name: str) -> Names:
    """Raises :class:`InvalidUsage` for a name that no package could have."""
    if not _NAME.fullmatch(name) or len(name) > 50:
        raise InvalidUsage(f"new-driver {name!r}: a name has lower-case letters, digits and single - or _, as in acme-block")
    words = re.split("[-_]", name)
    package = "_".join(words) + "_driver"
    if keyword.iskeyword(package):
        raise InvalidUsage(f"new-driver {name!r}: {package} is a word of Python")
    return Names(name, "-".join(words) + "-driver", package, "".join(word.capitalize() for word in words) + "Driver")


def files_of(name: str, device: str) -> dict[str, str]:
    """The project's files, by path within its folder. Raises :class:`InvalidUsage`."""
    names = names_of(name)
    if device not in DEVICES:
        raise InvalidUsage(f"--device {device}: there is a skeleton for {', '.join(DEVICES)}")
    values = {
        "name": names.name, "distribution": names.distribution, "package": names.package, "class_name": names.class_name,
        "device": device, "dependencies": ["storcert", *DEVICES[device]],
    }
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # it writes no HTML
    return {
        path.format(package=names.package): environment.from_string(_template(template)).render(values)
        for path, template in _templates(device).items()
    }


def _templates(device: str) -> dict[str, str]:
    return {
        "pyproject.toml": "common/pyproject.toml",
        "README.md": "common/README.md",
        ".gitignore": "common/gitignore",
        ".github/workflows/storcert.yml": "common/workflow.yml",
        "src/{package}/__init__.py": "common/init.py",
        "src/{package}/driver.py": f"{device}/driver.py",
        "src/{package}/errors.py": f"{device}/errors.py",
        "src/{package}/streams.py": "common/streams.py",
        "tests/test_conformance.py": "common/test_conformance.py",
    }


def _template(name: str) -> str:
    return (resources.files("storcert.conformance.new_driver") / "templates" / f"{name}.j2").read_text(encoding="utf-8")


def write_project(folder: Path, files: Mapping[str, str]) -> None:
    """Raises :class:`InvalidUsage` where the folder has anything in it, or cannot be written; then nothing was written over."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidUsage(f"{folder}: exists and is not an empty folder; name another with --into")
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise InvalidUsage(f"{folder}: cannot be written: {error.strerror or error}") from None
