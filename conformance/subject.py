"""The driver under test: its class, what it is configured with, and the device it is tested on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storcert.harness.contract import JsonValue
from storcert.harness.contract.device import resolve_secrets


@dataclass(frozen=True, slots=True)
class Subject:
    """``reference``: as the user named it. ``configuration``: what ``--config`` adds to the device's default one.
    ``device``: its name; ``simulator``: options of the simulated device."""

    reference: str
    driver_class: type
    device: str = "object-store"
    configuration: Mapping[str, JsonValue] = field(default_factory=dict)
    simulator: Mapping[str, JsonValue] = field(default_factory=dict)

    def make_driver(self, default_configuration: Mapping[str, JsonValue]) -> Any:
        """A driver, made as it is made at a location: from configuration that travelled as JSON, secrets resolved."""
        travelled = json.loads(json.dumps({**default_configuration, **self.configuration}, sort_keys=True))
        return self.driver_class(resolve_secrets(travelled))
