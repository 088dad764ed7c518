"""A management server as a process of its own: the control plane over HTTP, on a SQLite file, in real time.

    python -m storcert.harness.service.management --config zone.toml --name ms-1

The TOML file says what there is (see ``Zone``). It answers ``POST /call`` with ``{"method": ..., "arguments": {...}}``, URIs in
text form, and prints one line when it is ready. Killed, it goes on where it stopped when it is started again.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    InvalidRequest,
    Policy,
    SnapshotStorageDevice,
    StorageDevice,
    StorageError,
)
from storcert.harness.logical.control_plane import ControlPlane
from storcert.harness.logical.engine import BEAT_NS
from storcert.harness.logical.topology import LocationKind, Place, Topology
from storcert.harness.service.json_http import READY, serve
from storcert.harness.service.server_machine import RealServer

RECONCILE_S = 10.0
METHODS = frozenset(
    (
        "create_volume", "register", "create_from", "take_snapshot", "copy", "seed", "migrate", "export", "revert", "delete",
        "attach", "detach", "fence", "cancel", "reconcile", "upload", "link", "unlink", "progress", "job",
    )
)
_URIS = frozenset(("uri", "source", "volume", "snapshot"))


@dataclass(frozen=True, slots=True)
class Zone:
    """What the file says: ``catalogue``, a file; ``[[location]]`` with ``name``, ``kind`` (host, storage-vm or management),
    ``zone``, ``cluster`` and, but for management, ``agent``, its URL; ``[[device]]`` with ``name``, ``driver``,
    ``capacity_bytes``, ``provider`` and tables ``configuration`` and ``policy``."""

    catalogue: str
    topology: Topology
    agents: Mapping[str, str]
    devices: tuple[tuple[StorageDevice, int, str], ...]

    @classmethod
    def read(cls, path: Path) -> Zone:
        """Raises ``InvalidRequest``, which says what is wrong."""
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8"))
            places = [
                Place(one["name"], LocationKind(one["kind"]), one.get("zone", ""), one.get("cluster", ""))
                for one in said["location"]
            ]
            devices = [
                (
                    StorageDevice(
                        one["name"], one["driver"], one.get("configuration", {}), Policy.from_json(one.get("policy", {}))
                    ),
                    int(one["capacity_bytes"]), str(one.get("provider", "direct")),
                )
                for one in said["device"]
            ]
            agents = {one["name"]: one["agent"] for one in said["location"] if "agent" in one}
            catalogue = str(said["catalogue"])
        except OSError as error:
            raise InvalidRequest(f"{path}: {error.strerror or error}") from None
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
            raise InvalidRequest(f"{path}: {type(error).__name__}: {error}") from None
        return cls(catalogue, Topology(tuple(places)), agents, tuple(devices))


def begin(zone: Zone, name: str, journal: Any = None) -> ControlPlane:
    """The control plane of that server. Devices are attached; what they can do is asked of their drivers, at the agents."""
    control = ControlPlane(RealServer(name, zone.catalogue, zone.agents, journal), zone.topology)
    for device, capacity_bytes, provider in zone.devices:
        place = zone.topology.executors(device.policy).pick({}, ())
        if place is None:
            raise InvalidRequest(f"no location reaches device {device.name!r}")
        capabilities = control.capabilities(device, place.name)
        made = device
        if capabilities.snapshots:
            made = SnapshotStorageDevice(device.name, device.driver, device.configuration, device.policy)
        control.add_device(made, capabilities, capacity_bytes, provider)
    return control


def call(control: ControlPlane, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Do what was asked; a refusal is an answer. Raises ``ValueError`` for a method there is none of."""
    method = str(asked["method"])
    if method not in METHODS:
        raise ValueError(f"no method {method!r}; there are {', '.join(sorted(METHODS))}")
    try:
        arguments = {
            name: DataObjectUri.parse(value) if name in _URIS else value for name, value in asked.get("arguments", {}).items()
        }
        result = getattr(control, method)(**arguments)
    except StorageError as error:
        return {"error": error.to_json()}
    if method == "seed":
        result = {zone: one.to_json() if isinstance(one, StorageError) else one for zone, one in result.items()}
    return {"result": result}


def server_of(control: ControlPlane, address: str, port: int) -> ThreadingHTTPServer:
    """The HTTP server in front of it."""

    def answer(path: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if path != "/call":
            raise ValueError(f"nothing is at {path}")
        return call(control, asked)

    return serve(address, port, answer)


def beat_for_ever(control: ControlPlane) -> None:
    """Tell the catalogue again and again that this server is alive."""
    while True:
        control.engine.beat()
        time.sleep(BEAT_NS / 1e9)


def reconcile_for_ever(control: ControlPlane, every_s: float) -> None:
    """One round after the other; a round that failed is told, and the next one comes all the same."""
    while True:
        time.sleep(every_s)
        try:
            control.reconcile(paced=True)
        except StorageError as error:
            control.surroundings.note("reconcile-failed", **error.to_json())


def main(words: list[str] | None = None) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A management server: speaks URIs, touches no byte.")
    parser.add_argument("--config", type=Path, required=True, help="TOML: catalogue, locations, devices")
    parser.add_argument("--name", required=True, help="of this server, as the file has it")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--address", default="127.0.0.1", help="to listen on")
    parser.add_argument("--reconcile", type=float, default=RECONCILE_S, metavar="SECONDS", help="how often")
    said = parser.parse_args(words)
    try:
        control = begin(Zone.read(said.config), said.name, sys.stderr)
    except StorageError as error:
        sys.exit(f"{parser.prog}: {error.message}")
    control.surroundings.spawn("heart", lambda: beat_for_ever(control))
    control.surroundings.spawn("reconcile", lambda: reconcile_for_ever(control, said.reconcile))
    server = server_of(control, said.address, said.port)
    print(f"{READY} {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
