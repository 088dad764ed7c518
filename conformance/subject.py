"""The driver under test: its class, what it is configured with, and the device it is tested on."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from storcert.conformance.live_targets.target import Reached
from storcert.harness.contract import JsonValue
from storcert.harness.contract.device import resolve_secrets


@dataclass(frozen=True, slots=True)
class Subject:
    """``reference``: as the user named it. ``configuration``: what ``--config`` adds to the device's default one.
    ``device``: its name; ``simulator``: options of the simulated device; ``reached``: a live target that storcert started."""

    reference: str
    driver_class: type
    device: str = "object-store"
    configuration: Mapping[str, JsonValue] = field(default_factory=dict)
    simulator: Mapping[str, JsonValue] = field(default_factory=dict)
    reached: Reached | None = None

    def make_driver(self, default_configuration: Mapping[str, JsonValue]) -> Any:
        """A driver, made as it is made at a location: from configuration that travelled as JSON, secrets resolved."""
        travelled = json.loads(json.dumps({**default_configuration, **self.configuration}, sort_keys=True))
        return self.driver_class(resolve_secrets(travelled))

    def environment(self) -> dict[str, str]:
        """The variables of this process that secret references in the configuration name: as on a real host, each location
        has them."""
        return {name: os.environ[name] for name in _referenced(self.configuration) if name in os.environ}

    def loaded_again(self) -> Subject:
        """The same driver as another process has it: its modules imported once more, with module state of their own.

        Raises ``ImportError`` where they cannot be imported a second time.
        """
        name, path = self.driver_class.__module__, self.driver_class.__qualname__
        mine = _beside(name)
        for other in mine:
            del sys.modules[other]
        try:
            found: Any = importlib.import_module(name)
            for piece in path.split("."):
                found = getattr(found, piece)
        except Exception as error:
            raise ImportError(f"{name} cannot be imported twice: {error}") from error
        finally:
            for other in _beside(name):
                del sys.modules[other]
            for other, module in mine.items():
                sys.modules[other] = module
                package, _, stem = other.rpartition(".")
                if package in sys.modules:
                    setattr(sys.modules[package], stem, module)
        return replace(self, driver_class=found)


def _referenced(value: JsonValue | Mapping[str, JsonValue]) -> Iterator[str]:
    """Names of variables in ``{"secret": "env:NAME"}``."""
    if isinstance(value, Mapping):
        reference = value.get("secret")
        if set(value) == {"secret"} and isinstance(reference, str) and reference.startswith("env:"):
            yield reference.removeprefix("env:")
            return
        for item in value.values():
            yield from _referenced(item)
    elif isinstance(value, list):
        for item in value:
            yield from _referenced(item)


def _beside(name: str) -> dict[str, ModuleType]:
    """The module of that name and those in its folder that are loaded."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return {name: sys.modules[name]} if name in sys.modules else {}
    folder = Path(file).parent
    return {
        other: module
        for other, module in list(sys.modules.items())
        if not hasattr(module, "__path__") and (found := getattr(module, "__file__", None)) and Path(found).parent == folder
    }
