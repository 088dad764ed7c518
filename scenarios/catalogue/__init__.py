"""The scenarios that come with storcert, found by name. The folders are their classes."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from storcert.scenarios.format.read import read_file
from storcert.scenarios.format.scenario import Scenario

CLASSES = ("smoke", "fault", "rare", "regression", "negative")


@cache
def paths() -> dict[str, Path]:
    """The file of each scenario, by its name; class by class, in order of names."""
    with as_file(files("storcert.scenarios.catalogue")) as root:
        found = {}
        for folder in CLASSES:
            for path in sorted((root / folder).glob("*.toml")):
                found[path.stem] = path
        return found


@cache
def scenario(name: str) -> Scenario:
    """The scenario of that name. Raises ``KeyError``."""
    return read_file(paths()[name])
