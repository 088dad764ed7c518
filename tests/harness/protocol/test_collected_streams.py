"""Streams that only the collector finds. It runs anywhere, also inside of the gRPC library while that holds its locks, and what
finalizes a call there waits for ever: so it may not."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from storcert.harness.contract import DataObjectUri
from storcert.harness.drivers.grpc import GrpcDriver
from tests.harness.protocol.broken_servers import correct, serving

A = DataObjectUri.parse("/volume/1/a")


def _knot(thing: Any) -> None:
    """Leave it to the collector."""
    knot = [thing]
    knot.append(knot)


def test_the_collector_ends_no_call_and_the_next_call_does() -> None:
    with serving(correct()) as target:
        driver = GrpcDriver({"grpc_target": target})
        gc.collect()
        stream = driver.open_input(A)
        call: Any = weakref.ref(stream._call._call)
        _knot(stream)
        del stream
        gc.collect()
        assert call() is not None and call().is_active(), "the collector touched it"
        driver.describe(A)
        assert call() is None or not call().is_active()


def test_a_listing_that_nobody_finishes() -> None:
    with serving(correct()) as target:
        driver = GrpcDriver({"grpc_target": target})
        names = driver.list_objects()
        next(names)
        _knot(names)
        del names
        gc.collect()
        driver.describe(A)
        assert list(driver.list_objects()) == [A]
