"""What the tests of the driver protocol share: a driver of the tests behind the reference server, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storcert.harness.drivers.grpc import GrpcDriver
from storcert.harness.protocol.server import DriverServer, Served


@contextmanager
def served(driver_class: Any, **more: Any) -> Iterator[DriverServer]:
    """The server of that driver, until the block ends."""
    server = DriverServer(Served(driver_class, driver_class.__name__, **more))
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def bridged(driver_class: Any, **configuration: Any) -> Iterator[GrpcDriver]:
    """An instance of that driver, as it looks through the protocol."""
    with served(driver_class) as server:
        yield GrpcDriver({"grpc_target": f"127.0.0.1:{server.port}", **configuration})
