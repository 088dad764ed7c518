"""The methods of the service, read from the published file: path, messages, and which side streams.

No other generated code is needed: a method that is added to the file is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message_factory import GetMessageClass

from storcert.harness.protocol import driver_pb2

MANDATORY = (
    "MakeInstance", "CloseInstance", "GetCapabilities", "Create", "Delete", "Describe", "OpenInput", "OpenOutput",
)  # fmt: skip
"""What every server offers beside ``Hello``; the others belong to capabilities."""


@dataclass(frozen=True, slots=True)
class Method:
    """``path``: ``/package.Service/Method``. ``streams_in``, ``streams_out``: whether the client, the server streams."""

    name: str
    path: str
    request: type[Any]
    response: type[Any]
    streams_in: bool
    streams_out: bool

    @property
    def parse_request(self) -> Callable[[bytes], Any]:
        """From the wire to a request."""
        parse: Callable[[bytes], Any] = self.request.FromString
        return parse

    @property
    def parse_response(self) -> Callable[[bytes], Any]:
        """From the wire to a response."""
        parse: Callable[[bytes], Any] = self.response.FromString
        return parse


def _methods() -> Mapping[str, Method]:
    return {
        method.name: Method(
            method.name,
            f"/{SERVICE}/{method.name}",
            GetMessageClass(method.input_type),
            GetMessageClass(method.output_type),
            method.client_streaming,
            method.server_streaming,
        )
        for method in _SERVICE.methods
    }


_SERVICE = driver_pb2.DESCRIPTOR.services_by_name["Driver"]
SERVICE: str = _SERVICE.full_name
METHODS: Mapping[str, Method] = _methods()


def serialized(message: Any) -> bytes:
    """To the wire."""
    data: bytes = message.SerializeToString()
    return data
