"""What ``storcert serve-driver`` does: a driver, found as ``certify`` finds it, behind the reference server till it is stopped.

The first line on standard output is the address to certify, and nothing else ever stands there: programs read it.
"""

from __future__ import annotations

import importlib.util
import platform
import signal
import threading
from types import FrameType

from storcert.conformance.devices import LIVE
from storcert.conformance.driver_source import find_driver
from storcert.conformance.grpc_source import SCHEME
from storcert.conformance.usage import InvalidUsage


def serve(reference: str, port: int) -> int:
    """Serve until the process is told to end. Raises :class:`InvalidUsage`."""
    if importlib.util.find_spec("grpc") is None:
        raise InvalidUsage("serve-driver needs gRPC, which is not installed here: pip install 'storcert[grpc]'")
    if not 0 <= port < 65536:
        raise InvalidUsage(f"--port {port}: from 0 to 65535")
    if reference.startswith(SCHEME):
        raise InvalidUsage(f"{reference}: is served already; certify it")
    from storcert.harness.protocol.server import DriverServer, Served

    source = find_driver(reference, LIVE)
    served = Served(source.load(), source.name, source.version, source.digest, f"Python {platform.python_version()}")
    try:
        server = DriverServer(served, port=port)
    except RuntimeError:
        raise InvalidUsage(f"--port {port}: cannot be had; is somebody else listening there?") from None
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    print(server.address, flush=True)
    stopped.wait()
    server.stop()
    return 0
