"""The streams of the reference server: each request is one call of the driver's stream, each answer one response.

A client that goes away without an end has dropped its stream: so does the server, and no more; what a dropped stream does is
the driver's affair (C-ABORT).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from storcert.harness.contract import DataObjectUri, InvalidRequest, StorageError
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.broken import BrokenProtocol
from storcert.harness.protocol.failures import error_message
from storcert.harness.protocol.values import description_message, uri_of

Driver = Callable[[str, str], Any]
"""From an instance's name, and a method it must have, to the driver."""
Steps = Callable[[Driver, Iterator[Any]], Iterator[Any]]


def uri_in(message: pb.DataObjectUri) -> DataObjectUri:
    """The name in a request. Raises ``InvalidRequest``."""
    try:
        return uri_of(message, "the request")
    except BrokenProtocol as error:
        raise InvalidRequest(str(error)) from None


def _present(stream: Any, method: str) -> Any:
    if stream is None:
        raise TypeError(f"{method} returned None")
    return stream


def _input(driver: Driver, requests: Iterator[pb.InputRequest]) -> Iterator[pb.InputResponse]:
    opening = _opening(next(requests, None))
    if opening is None:
        return
    maker = driver(opening.instance, "open_input")
    try:
        uri = uri_in(opening.uri)
        if opening.offset == 0 and not opening.HasField("length"):
            stream = maker.open_input(uri)
        else:
            stream = maker.open_input(uri, opening.offset, opening.length if opening.HasField("length") else None)
        del maker
    except StorageError as error:
        yield pb.InputResponse(failed=error_message(error))
        return
    _present(stream, "open_input")
    yield pb.InputResponse(opened=pb.InputResponse.Opened())
    for request in requests:
        try:
            if request.WhichOneof("step") == "read":
                n = request.read.max_bytes if request.read.HasField("max_bytes") else -1
                yield pb.InputResponse(data=stream.read(n))
            elif request.WhichOneof("step") == "close":
                stream.close()
                yield pb.InputResponse(closed=pb.InputResponse.Closed())
            else:
                raise _out_of_order(request)
        except StorageError as error:
            yield pb.InputResponse(failed=error_message(error))


def _output(driver: Driver, requests: Iterator[pb.OutputRequest]) -> Iterator[pb.OutputResponse]:
    opening = _opening(next(requests, None))
    if opening is None:
        return
    maker = driver(opening.instance, "open_output")
    try:
        uri = uri_in(opening.uri)
        stream = maker.open_output(uri, opening.size_bytes) if opening.HasField("size_bytes") else maker.open_output(uri)
        del maker
    except StorageError as error:
        yield pb.OutputResponse(failed=error_message(error))
        return
    _present(stream, "open_output")
    yield pb.OutputResponse(opened=pb.OutputResponse.Opened())
    for request in requests:
        try:
            yield _output_step(stream, request)
        except StorageError as error:
            yield pb.OutputResponse(failed=error_message(error))


def _output_step(stream: Any, request: pb.OutputRequest) -> pb.OutputResponse:
    step = request.WhichOneof("step")
    if step == "write":
        return pb.OutputResponse(written=stream.write(request.write))
    if step == "commit":
        return pb.OutputResponse(committed=description_message(stream.commit()))
    if step == "abort":
        stream.abort()
        return pb.OutputResponse(aborted=pb.OutputResponse.Aborted())
    if step == "close":
        stream.close()
        return pb.OutputResponse(closed=pb.OutputResponse.Closed())
    raise _out_of_order(request)


def _volume(driver: Driver, requests: Iterator[pb.VolumeRequest]) -> Iterator[pb.VolumeResponse]:
    opening = _opening(next(requests, None))
    if opening is None:
        return
    maker = driver(opening.instance, "open_volume")
    try:
        handle = maker.open_volume(uri_in(opening.uri))
        del maker
    except StorageError as error:
        yield pb.VolumeResponse(failed=error_message(error))
        return
    _present(handle, "open_volume")
    yield pb.VolumeResponse(opened=pb.VolumeResponse.Opened())
    for request in requests:
        try:
            yield _volume_step(handle, request)
        except StorageError as error:
            yield pb.VolumeResponse(failed=error_message(error))


def _volume_step(handle: Any, request: pb.VolumeRequest) -> pb.VolumeResponse:
    step = request.WhichOneof("step")
    if step == "pread":
        return pb.VolumeResponse(data=handle.pread(request.pread.offset, request.pread.length))
    if step == "pwrite":
        return pb.VolumeResponse(written=handle.pwrite(request.pwrite.offset, request.pwrite.data))
    if step == "flush":
        handle.flush()
        return pb.VolumeResponse(flushed=pb.VolumeResponse.Flushed())
    if step == "close":
        handle.close()
        return pb.VolumeResponse(closed=pb.VolumeResponse.Closed())
    raise _out_of_order(request)


def _opening(request: Any) -> Any:
    """The first request of a stream, or ``None`` where the client went away before it."""
    if request is None:
        return None
    if request.WhichOneof("step") != "open":
        raise _out_of_order(request)
    return request.open


def _out_of_order(request: Any) -> InvalidRequest:
    return InvalidRequest(f"`{request.WhichOneof('step')}` is out of order: `open` comes first, and once")


STREAMS: Mapping[str, Steps] = {"OpenInput": _input, "OpenOutput": _output, "OpenVolume": _volume}
