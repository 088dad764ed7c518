"""The devices a driver can be certified on, by name. Data and late imports: a device costs nothing until it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storcert.harness.kernel import Kernel
    from storcert.simulators.device import SimulatedDevice

LIVE = "live"
DEFAULT_DEVICE = "object-store"


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """``package`` exports the class ``device`` and the dataclass ``options`` of what ``[simulator]`` may say. Importing it
    registers the client face with the fence; a function ``provide`` in it, if there is one, makes the client library
    importable where it is not installed. ``text``: one line for a person."""

    name: str
    package: str
    device: str
    options: str
    text: str

    def load(self) -> Any:
        """The device's package, imported, its client library importable."""
        package = importlib.import_module(self.package)
        provide = getattr(package, "provide", None)
        if provide is not None:
            provide()
        return package


SIMULATED: Mapping[str, DeviceKind] = {
    kind.name: kind
    for kind in (
        DeviceKind(
            "object-store", "storcert.simulators.object_store", "ObjectStore", "ObjectStoreOptions",
            "simulated buckets and keys, reached through boto3; dialects aws, radosgw, moto",
        ),
        DeviceKind(
            "nfs", "storcert.simulators.nfs", "NfsExport", "NfsOptions",
            "simulated NFSv3 export, reached as a mounted path",
        ),
        DeviceKind(
            "rbd", "storcert.simulators.rbd", "RbdCluster", "RbdOptions",
            "simulated Ceph pool of RBD images, reached through rados and rbd",
        ),
        DeviceKind(
            "sheepdog", "storcert.simulators.sheepdog", "SheepdogCluster", "SheepdogOptions",
            "simulated Sheepdog cluster, reached through the dog command",
        ),
    )
}
DEVICES = (*SIMULATED, LIVE)


def prepare(device: str) -> None:
    """Before driver code is imported: the client library of that simulated device can be imported. Nothing for a live one."""
    if device in SIMULATED:
        SIMULATED[device].load()


def make_device(device: str, kernel: Kernel, options: Mapping[str, Any]) -> SimulatedDevice:
    """A fresh simulated device. ``ValueError`` for options it does not have."""
    kind = SIMULATED[device]
    made: SimulatedDevice = getattr(kind.load(), kind.device)(kernel, options)
    return made


def options_class(device: str) -> type[Any]:
    """The dataclass of what ``[simulator]`` may say for that device."""
    kind = SIMULATED[device]
    found: type[Any] = getattr(kind.load(), kind.options)
    return found
