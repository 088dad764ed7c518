"""A driver in any language, behind the driver protocol: an ordinary driver class that passes every call on.

Configuration: ``grpc_target`` is the address of the driver's server, ``grpc_answer_within_s`` (optional, default 120) how long
an answer is waited for; everything else goes to the other end as it is. Nothing is repaired on the way, nothing is kept.
"""

from __future__ import annotations

import collections
import json
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import storcert
from storcert.harness.contract import (
    Capabilities,
    DataObjectDescription,
    DataObjectUri,
    InvalidRequest,
    JsonValue,
    StorageError,
)
from storcert.harness.drivers.grpc_streams import GrpcInput, GrpcOutput, GrpcVolume, whole_number
from storcert.harness.protocol import PROTOCOL_VERSIONS
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.broken import BrokenProtocol
from storcert.harness.protocol.calls import Conversation, ask, pages
from storcert.harness.protocol.limits import ANSWER_WITHIN_S, CHUNK_BYTES_DEFAULT, CHUNK_BYTES_MAX
from storcert.harness.protocol.values import capabilities_of, description_of, uri_message, uri_of

TARGET, ANSWER_WITHIN = "grpc_target", "grpc_answer_within_s"

#: Instances nobody needs any more: told to their server when the next one is made. A finalizer must not make calls.
_unused: collections.deque[tuple[str, str]] = collections.deque()


def hello(target: str, within_s: float) -> pb.HelloResponse:
    """Who is there. Raises what the call ended with."""
    request = pb.HelloRequest(protocol_versions=PROTOCOL_VERSIONS, client=f"storcert {storcert.__version__}")
    answer: pb.HelloResponse = ask(target, "Hello", request, within_s)
    return answer


class GrpcDriver:
    """Every method is one call of the protocol; what it must do and how it may fail stands in the contract."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        rest = dict(configuration)
        self._target = str(rest.pop(TARGET, ""))
        if not self._target:
            raise InvalidRequest(f"{TARGET}: the address of the driver's server, as in 127.0.0.1:50051, is not configured")
        self._within_s = _seconds(rest.pop(ANSWER_WITHIN, ANSWER_WITHIN_S))
        _close_unused(self._within_s)
        offered = hello(self._target, self._within_s).max_chunk_bytes or CHUNK_BYTES_DEFAULT
        self._chunk_bytes = min(offered, CHUNK_BYTES_MAX)
        request = pb.MakeInstanceRequest(
            configuration_json=json.dumps(rest, sort_keys=True), answer_within_ms=int(self._within_s * 1000)
        )
        self._instance = self._ask("MakeInstance", request).instance
        if not self._instance:
            raise BrokenProtocol("MakeInstance answered without an instance")
        # storcert: allow STATELESS-background it leaves a note, and calls nothing
        weakref.finalize(self, _unused.append, (self._target, self._instance)).atexit = False

    def _ask(self, name: str, request: Any) -> Any:
        return ask(self._target, name, request, self._within_s)

    def _conversation(self, name: str) -> Conversation:
        return Conversation(self._target, name, self._within_s)

    def capabilities(self) -> Capabilities:
        """``GetCapabilities``."""
        return capabilities_of(self._ask("GetCapabilities", pb.GetCapabilitiesRequest(instance=self._instance)))

    def create(self, uri: DataObjectUri, size: int) -> None:
        """``Create``."""
        size_bytes = whole_number("size", size, uri)
        self._ask("Create", pb.CreateRequest(instance=self._instance, uri=uri_message(uri), size_bytes=size_bytes))

    def delete(self, uri: DataObjectUri) -> None:
        """``Delete``."""
        self._ask("Delete", pb.DeleteRequest(instance=self._instance, uri=uri_message(uri)))

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        """``Copy``."""
        names = {"source": uri_message(source), "destination": uri_message(destination)}
        self._ask("Copy", pb.CopyRequest(instance=self._instance, **names))

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        """``Describe``."""
        message = self._ask("Describe", pb.DescribeRequest(instance=self._instance, uri=uri_message(uri)))
        return description_of(message, "the answer to Describe")

    def list_objects(self) -> Iterator[DataObjectUri]:
        """``ListObjects``; the first page is waited for here, so that a refusal comes at the call."""
        request = pb.ListObjectsRequest(instance=self._instance)
        found = pages(self._target, "ListObjects", request, self._within_s)
        first = next(found, None)
        if first is None:
            raise BrokenProtocol("the server ended ListObjects without a page; the first, which may be empty, goes out at once")
        return _names(first, found)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> GrpcInput:
        """``OpenInput``."""
        opening = pb.InputRequest.Open(
            instance=self._instance,
            uri=uri_message(uri),
            offset=whole_number("offset", offset, uri),
            length=None if length is None else whole_number("length", length, uri),
        )
        return GrpcInput(self._conversation("OpenInput"), uri, opening, self._chunk_bytes)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> GrpcOutput:
        """``OpenOutput``."""
        size_bytes = None if size is None else whole_number("size", size, uri)
        opening = pb.OutputRequest.Open(instance=self._instance, uri=uri_message(uri), size_bytes=size_bytes)
        return GrpcOutput(self._conversation("OpenOutput"), uri, opening, self._chunk_bytes)

    def open_volume(self, uri: DataObjectUri) -> GrpcVolume:
        """``OpenVolume``."""
        opening = pb.VolumeRequest.Open(instance=self._instance, uri=uri_message(uri))
        return GrpcVolume(self._conversation("OpenVolume"), uri, opening, self._chunk_bytes)

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        """``TakeSnapshot``."""
        self._ask("TakeSnapshot", pb.TakeSnapshotRequest(**self._pair(volume, snapshot)))

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        """``Revert``."""
        self._ask("Revert", pb.RevertRequest(**self._pair(volume, snapshot)))

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        """``Clone``."""
        self._ask("Clone", pb.CloneRequest(**self._pair(volume, snapshot)))

    def _pair(self, volume: DataObjectUri, snapshot: DataObjectUri) -> dict[str, Any]:
        return {"instance": self._instance, "volume": uri_message(volume), "snapshot": uri_message(snapshot)}


def _names(first: pb.ListObjectsPage, more: Iterator[pb.ListObjectsPage]) -> Iterator[DataObjectUri]:
    page: pb.ListObjectsPage | None = first
    while page is not None:
        for message in page.uris:
            yield uri_of(message, "a page of ListObjects")
        page = next(more, None)


def _seconds(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 24 * 3600:
        raise InvalidRequest(f"{ANSWER_WITHIN}: seconds, more than 0 and at most a day, not {value!r}")
    return float(value)


def _close_unused(within_s: float) -> None:
    while _unused:
        target, instance = _unused.popleft()
        try:
            ask(target, "CloseInstance", pb.CloseInstanceRequest(instance=instance), min(within_s, 5.0))
        except (StorageError, BrokenProtocol):
            continue  # its server is gone, or is judged where a check asks for it
