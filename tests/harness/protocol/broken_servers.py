"""Servers that do not keep to the protocol, each in one way: a correct driver's service with some methods replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from storcert.harness.drivers.grpc import GrpcDriver
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.methods import METHODS, SERVICE, serialized

Answers = dict[str, Callable[[Any, Any], Any]]


def correct() -> Answers:
    """Just enough to be met: one object of one byte, ``/volume/1/a``, that nobody changes."""
    uri = pb.DataObjectUri(kind=pb.VOLUME, account="1", object_id="a")

    def converse(opened: Any, steps: dict[str, Any]) -> Callable[[Any, Any], Any]:
        def answer(requests: Iterator[Any], context: Any) -> Iterator[Any]:
            del context
            next(requests)
            yield opened
            for request in requests:
                yield steps[request.WhichOneof("step")]

        return answer

    return {
        "Hello": lambda request, context: pb.HelloResponse(protocol_version=1, driver_name="broken"),
        "MakeInstance": lambda request, context: pb.MakeInstanceResponse(instance="1"),
        "CloseInstance": lambda request, context: pb.CloseInstanceResponse(),
        "GetCapabilities": lambda request, context: pb.Capabilities(),
        "Create": lambda request, context: pb.CreateResponse(),
        "Delete": lambda request, context: pb.DeleteResponse(),
        "Describe": lambda request, context: pb.Description(uri=uri, size_bytes=1),
        "ListObjects": lambda request, context: iter((pb.ListObjectsPage(), pb.ListObjectsPage(uris=[uri]))),
        "OpenInput": converse(
            pb.InputResponse(opened=pb.InputResponse.Opened()),
            {"read": pb.InputResponse(data=b"x"), "close": pb.InputResponse(closed=pb.InputResponse.Closed())},
        ),
        "OpenOutput": converse(
            pb.OutputResponse(opened=pb.OutputResponse.Opened()),
            {
                "write": pb.OutputResponse(written=1),
                "commit": pb.OutputResponse(committed=pb.Description(uri=uri, size_bytes=1)),
                "close": pb.OutputResponse(closed=pb.OutputResponse.Closed()),
            },
        ),
    }


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    """``HOST:PORT`` of a server that answers so; what is not there is UNIMPLEMENTED."""
    server = grpc.server(ThreadPoolExecutor(256))
    handlers = {}
    for name, answer in answers.items():
        method = METHODS[name]
        kind = ("unary", "stream")[method.streams_in] + "_" + ("unary", "stream")[method.streams_out]
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        handlers[name] = make(answer, request_deserializer=method.parse_request, response_serializer=serialized)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def broken(**answers: Callable[[Any, Any], Any]) -> Iterator[GrpcDriver]:
    """A driver at the other end of which these methods are replaced."""
    with serving({**correct(), **answers}) as target:
        yield GrpcDriver({"grpc_target": target})
