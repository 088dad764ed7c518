"""A storage device is driver + configuration + policy; it travels as JSON and makes its driver where it is used.

Nothing here opens a stream. Secrets are references (``{"secret": "env:NAME"}``) until :meth:`StorageDevice.make_driver`
resolves them at the location; they are in no JSON, log, report or replay file.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Self, cast

from storcert.harness.contract.capabilities import Policy
from storcert.harness.contract.driver import JsonValue, SnapshotStorageDeviceDriver, StorageDeviceDriver
from storcert.harness.contract.errors import InvalidRequest, Unsupported

DRIVER_GROUP = "storcert.drivers"


def resolve_secrets(value: JsonValue) -> JsonValue:
    """``value`` with each ``{"secret": "env:NAME"}`` replaced by that environment variable of this location.

    Raises :class:`InvalidRequest` for an unknown kind of reference or an unset variable; the secret is never in the
    message.
    """
    if isinstance(value, Mapping):
        if set(value) == {"secret"}:
            return _secret(value["secret"])
        return {key: resolve_secrets(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve_secrets(item) for item in value]
    return value


def _secret(reference: object) -> str:
    kind, _, name = str(reference).partition(":")
    if kind != "env" or not name:
        raise InvalidRequest('a secret is given as {"secret": "env:NAME"}')
    secret = os.environ.get(name)
    if secret is None:
        raise InvalidRequest(f"environment variable {name}, named by a secret reference, is not set at this location")
    return secret


def load_driver_class(reference: str) -> type[StorageDeviceDriver]:
    """The driver class for ``package.module:Class`` or the name of an entry point in group ``storcert.drivers``.

    Raises :class:`InvalidRequest` where there is no such thing.
    """
    module_name, separator, class_name = reference.partition(":")
    try:
        if separator:
            found: Any = importlib.import_module(module_name)
            for piece in class_name.split("."):
                found = getattr(found, piece)
        else:
            found = _entry_point(reference).load()
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidRequest(f"driver {reference!r} cannot be loaded: {error}") from error
    if not isinstance(found, type):
        raise InvalidRequest(f"driver {reference!r} is not a class")
    return found


@lru_cache(maxsize=256)
def _entry_point(name: str) -> EntryPoint:
    """Found once: a look through everything that is installed takes as long as hundreds of calls of a driver."""
    matches = entry_points(group=DRIVER_GROUP, name=name)
    if not matches:
        raise InvalidRequest(f"no driver named {name!r} is installed (entry-point group {DRIVER_GROUP})")
    return next(iter(matches))


def _json_value(value: JsonValue, where: str) -> JsonValue:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InvalidRequest(f"{where}: key {key!r} is not text")
        return {key: _json_value(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise InvalidRequest(f"{where}: {type(value).__name__} is not a JSON value")


@dataclass(frozen=True, slots=True)
class StorageDevice:
    """``name``; ``driver`` (import path ``package.module:Class`` or entry-point name); ``configuration``; ``policy``."""

    name: str
    driver: str
    configuration: Mapping[str, JsonValue] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)

    json_kind: ClassVar[str] = "storage-device"

    def __post_init__(self) -> None:
        object.__setattr__(self, "configuration", _json_value(self.configuration, "configuration"))

    def to_json(self) -> str:
        """JSON text with sorted keys; secrets stay references."""
        return json.dumps(
            {
                "type": self.json_kind,
                "name": self.name,
                "driver": self.driver,
                "configuration": self.configuration,
                "policy": self.policy.to_json(),
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of :meth:`to_json`. Raises :class:`InvalidRequest` for text that is no storage device."""
        try:
            value = json.loads(text)
            found = DEVICE_TYPES[value["type"]]
            if not issubclass(found, cls):
                raise InvalidRequest(f"{value['type']} is not a {cls.json_kind}")
            return found(value["name"], value["driver"], value["configuration"], Policy.from_json(value["policy"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest(f"not the JSON of a storage device: {error}") from error

    def make_driver(self) -> StorageDeviceDriver:
        """The driver, made here and now, with the secrets of this location. Raises :class:`InvalidRequest`."""
        configuration = resolve_secrets(self.configuration)
        driver: StorageDeviceDriver = load_driver_class(self.driver)(configuration)
        return driver


@dataclass(frozen=True, slots=True)
class SnapshotStorageDevice(StorageDevice):
    """A storage device whose driver takes snapshots on the device."""

    json_kind: ClassVar[str] = "snapshot-storage-device"

    def make_driver(self) -> SnapshotStorageDeviceDriver:
        """As :meth:`StorageDevice.make_driver`; raises :class:`Unsupported` where the driver declares no snapshots."""
        driver = StorageDevice.make_driver(self)
        # revert and clone are capabilities of their own, and a driver without them may lack the methods.
        if not driver.capabilities().snapshots or not callable(getattr(driver, "take_snapshot", None)):
            raise Unsupported(f"driver {self.driver!r} of device {self.name!r} declares no snapshots")
        return cast(SnapshotStorageDeviceDriver, driver)


DEVICE_TYPES: Mapping[str, type[StorageDevice]] = {
    kind.json_kind: kind for kind in (StorageDevice, SnapshotStorageDevice)
}
