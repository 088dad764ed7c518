"""The simulated devices by name. Data and late imports: a device costs nothing until it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storcert.harness.kernel import Kernel
    from storcert.simulators.device import SimulatedDevice


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """``package`` exports the class ``device`` and the dataclass ``options`` of what ``[simulator]`` may say. Importing it
    registers the client face with the fence; a function ``provide`` in it, if there is one, makes the client library
    importable where it is not installed. ``driver``: the bundled one. ``text``: one line for a person. ``apart``: options that
    keep the device of that name, the so-and-so-manieth, apart from others of its kind in one world."""

    name: str
    package: str
    device: str
    options: str
    driver: str
    text: str
    apart: Callable[[str, int], dict[str, Any]]

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
            "object-store", "storcert.simulators.object_store", "ObjectStore", "ObjectStoreOptions", "s3",
            "simulated buckets and keys, reached through boto3; dialects aws, radosgw, moto",
            lambda name, number: {"name": name, "endpoint_url": f"http://{name}.sim"},
        ),
        DeviceKind(
            "nfs", "storcert.simulators.nfs", "NfsExport", "NfsOptions", "nfs",
            "simulated NFSv3 export, reached as a mounted path",
            lambda name, number: {"name": name, "mount": f"/mnt/{name}"},
        ),
        DeviceKind(
            "rbd", "storcert.simulators.rbd", "RbdCluster", "RbdOptions", "rbd",
            "simulated Ceph pool of RBD images, reached through rados and rbd",
            lambda name, number: {"name": name, "conf": f"/etc/ceph/{name}.conf"},
        ),
        DeviceKind(
            "sheepdog", "storcert.simulators.sheepdog", "SheepdogCluster", "SheepdogOptions", "sheepdog",
            "simulated Sheepdog cluster, reached through the dog command",
            lambda name, number: {"name": name, "port": 7000 + number},
        ),
    )
}


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
