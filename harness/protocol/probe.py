"""Which mandatory methods a driver's server does not have: each is asked of an instance that is not there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import grpc

from storcert.harness.protocol.calls import callable_of
from storcert.harness.protocol.methods import MANDATORY, METHODS

NOBODY = "storcert-probe"
#: It would make an instance.
_NOT_ASKED = ("MakeInstance",)


def missing_methods(target: str, within_s: float) -> tuple[str, ...]:
    """Those that are answered with UNIMPLEMENTED. Whatever does not answer in time, all together, is told by others."""
    until_s = time.monotonic() + within_s
    missing = []
    for name in MANDATORY:
        left_s = until_s - time.monotonic()
        if name not in _NOT_ASKED and left_s > 0 and _unimplemented(target, name, left_s):
            missing.append(name)
    return tuple(missing)


def _unimplemented(target: str, name: str, within_s: float) -> bool:
    method = METHODS[name]
    try:
        if method.streams_in:
            request = method.request()
            request.open.instance = NOBODY
            next(_answers(target, name, request, within_s), None)
        else:
            callable_of(target, name)(method.request(instance=NOBODY), timeout=within_s)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code is grpc.StatusCode.UNIMPLEMENTED and not error.trailing_metadata()
    return False


def _answers(target: str, name: str, request: Any, within_s: float) -> Iterator[Any]:
    call = callable_of(target, name)(iter((request,)), timeout=within_s)
    try:
        yield from call
    finally:
        call.cancel()
