"""What bytes are really where, told to the journal at the end of a run: on devices, read through fresh drivers at a place of
its own, and at the web servers that something was sent to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from storcert.harness.contract import StorageDevice, StorageError
from storcert.harness.kernel import Kernel
from storcert.harness.logical.topology import Topology
from storcert.harness.record.address import shown
from storcert.scenarios.surroundings import note
from storcert.simulators.device import NotModelled, SimulatedDevice
from storcert.simulators.http_source import HttpSource

SURVEYOR = "surveyor"
CHUNK_BYTES = 1 << 20


def survey(kernel: Kernel, topology: Topology, devices: Iterable[tuple[StorageDevice, SimulatedDevice]]) -> None:
    """One ``survey`` fact for each object on each device: its size and the SHA-256 of its bytes. What cannot be read though
    everything is healed by now has none; an ``unreadable`` fact says why."""
    location = kernel.location(SURVEYOR)
    for device, simulated in devices:
        simulated.attach(location)
        task = kernel.spawn(lambda one=device: _look(kernel, one), location=location, name=f"survey {device.name}")
        kernel.run_until_done(task, limit_ns=24 * 3600 * 10**9)
        if task.error is not None:
            raise task.error


def _look(kernel: Kernel, device: StorageDevice) -> None:
    driver = device.make_driver()
    try:
        listed = sorted(driver.list_objects())
    except Exception as error:  # noqa: BLE001  (a driver may raise anything: that it did is the answer)
        note(kernel, "", "unreadable", {"device": device.name, "uri": "", "error": told_by_driver(error)})
        return
    for uri in listed:
        hasher, size_bytes = hashlib.sha256(), 0
        try:
            with driver.open_input(uri) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    hasher.update(chunk)
                    size_bytes += len(chunk)
        except Exception as error:  # noqa: BLE001  (as above)
            note(kernel, "", "unreadable", {"device": device.name, "uri": str(uri), "error": told_by_driver(error)})
            continue
        note(kernel, "", "survey", {
            "device": device.name, "uri": str(uri), "size_bytes": size_bytes, "digest": hasher.hexdigest()})


def told_by_driver(error: Exception) -> str:
    """What a driver raised, in words. What a device model lacks is no word of the driver: raises that."""
    if isinstance(error, NotModelled):
        raise error
    return str(error) if isinstance(error, StorageError) else f"the driver raised {type(error).__name__}: {error}"


def survey_web(kernel: Kernel, web: HttpSource) -> None:
    """One ``delivered`` fact for each URL that something was sent to."""
    for url, place in web.destinations().items():
        if place.stored is None:
            continue
        hasher = hashlib.sha256()
        for start in range(0, place.stored.size_bytes, CHUNK_BYTES):
            hasher.update(place.stored.read(start, CHUNK_BYTES))
        note(kernel, "", "delivered", {
            "url": shown(url), "size_bytes": place.stored.size_bytes, "digest": hasher.hexdigest()})
