"""From ``grpc://HOST:PORT`` to a driver: first contact with the server of a driver in any language.

Whoever does not answer as the protocol says within a few seconds gets one line: nobody there, no gRPC, another service, another
version, a method missing. Nothing here makes a driver.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
from typing import TYPE_CHECKING

from storcert.conformance import first_contact
from storcert.conformance.driver_digest import driver_digest
from storcert.conformance.remote_addresses import is_here
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.contract import DeviceUnavailable, StorageError
from storcert.harness.protocol import PROTOCOL_VERSIONS
from storcert.harness.protocol.broken import BrokenProtocol

if TYPE_CHECKING:
    from storcert.conformance.driver_source import DriverSource
    from storcert.harness.protocol.driver_pb2 import HelloResponse

SCHEME = "grpc://"
IMPORT_PATH = "storcert.harness.drivers.grpc:GrpcDriver"
ANSWER_WITHIN_S = 3.0


def find_grpc_driver(reference: str, allow_remote: bool = False) -> DriverSource:
    """The driver behind that address. Raises :class:`InvalidUsage` with one clear line."""
    from storcert.conformance.devices import LIVE
    from storcert.conformance.driver_source import DriverSource

    target = target_of(reference, allow_remote)
    if importlib.util.find_spec("grpc") is None or importlib.util.find_spec("google.protobuf") is None:
        raise InvalidUsage(f"driver {reference!r}: gRPC is not installed here: pip install 'storcert[grpc]'")
    # The library writes a line of its own for every connection that ends.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from storcert.harness.drivers.grpc import TARGET, GrpcDriver

    first_contact.begin()
    answer = _first_contact(reference, target)
    _require_methods(reference, target)
    name = one_line(answer.driver_name or reference, 100)
    told = f"{name}\0{answer.driver_version}\0{answer.language}\0{answer.driver_digest}\0{driver_digest(GrpcDriver)}"
    return DriverSource(
        reference=reference,
        import_path=IMPORT_PATH,
        name=name,
        version=one_line(answer.driver_version, 100),
        digest="sha256:" + hashlib.sha256(told.encode()).hexdigest(),
        device=LIVE,
        configuration={TARGET: target},
    )


def target_of(reference: str, allow_remote: bool = False) -> str:
    """``HOST:PORT``. Raises :class:`InvalidUsage` for anything else, and for other machines unless they are allowed."""
    target = reference.removeprefix(SCHEME).rstrip("/")
    host, _, port = target.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or not port.isdigit() or not 0 < int(port) < 65536 or "/" in target:
        raise InvalidUsage(f"driver {reference!r}: say grpc://HOST:PORT, as in grpc://127.0.0.1:50051")
    if not allow_remote and not is_here(bare):
        raise InvalidUsage(
            f"driver {reference!r}: {bare} is not this machine; a certification writes and deletes there, and configuration "
            "and bytes travel unencrypted: --allow-remote says that this is meant"
        )
    return target


def _first_contact(reference: str, target: str) -> HelloResponse:
    from storcert.harness.drivers.grpc import hello

    try:
        with first_contact.step(ANSWER_WITHIN_S) as within_s:
            answer = hello(target, within_s)
    except DeviceUnavailable as error:
        raise InvalidUsage(f"driver {reference!r}: {_why_silent(target, error)}") from None
    except StorageError:
        raise InvalidUsage(
            f"driver {reference!r}: a gRPC server answers there, but it does not know storcert.driver.v1.Driver; is it the "
            "driver's server, and was it made from storcert's driver.proto?"
        ) from None
    except BrokenProtocol as error:
        raise InvalidUsage(f"driver {reference!r}: first contact failed: {one_line(error)}") from None
    if answer.protocol_version not in PROTOCOL_VERSIONS:
        ours = ", ".join(map(str, PROTOCOL_VERSIONS))
        raise InvalidUsage(
            f"driver {reference!r} speaks version {answer.protocol_version} of the driver protocol, this storcert speaks "
            f"{ours}; use a storcert and a driver that have one in common"
        )
    return answer


def _why_silent(target: str, error: DeviceUnavailable) -> str:
    """Nobody there, or somebody who speaks something else: a plain connection tells."""
    host, _, port = target.rpartition(":")
    try:
        with first_contact.step(1.0) as within_s:
            socket.create_connection((host.strip("[]"), int(port)), within_s).close()
    except OSError as refused:
        why = refused.strerror or str(refused)
        return (
            f"nobody answers at {target} ({why}); start the driver's server first "
            f"(a Python driver: `storcert serve-driver DRIVER --port {port}`)"
        )
    said = one_line(error.message, 160)
    return f"what answers at {target} does not speak gRPC ({said}); is it the port of the driver's server?"


def _require_methods(reference: str, target: str) -> None:
    """Ask every mandatory method of an instance that does not exist: only UNIMPLEMENTED is a wrong answer."""
    from storcert.harness.protocol.probe import missing_methods

    with first_contact.step(ANSWER_WITHIN_S / 3) as within_s:
        missing = missing_methods(target, within_s)
    if missing:
        raise InvalidUsage(
            f"driver {reference!r}: its server does not implement {', '.join(missing)}, which every driver has "
            "(it answers UNIMPLEMENTED)"
        )
