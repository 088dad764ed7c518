"""A storage VM that downloads from simulated web servers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from storcert.harness.agent.expected import Expected
from storcert.harness.agent.http_input import open_url
from storcert.harness.contract import StorageError
from storcert.harness.kernel import Kernel, Location
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.fault import Fault
from storcert.simulators.http_source import HttpSource, Resource

URL = "http://templates.sim/debian.qcow2"
CALL_LIMIT_NS = 15 * 60 * 10**9


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Downloads:
    """``get`` downloads at the location and gives the bytes, or the typed error. ``longest_call_ns``: of all calls so far."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.source = HttpSource(kernel, {"latency_ns": 1_000_000})
        self.here: Location = kernel.location("ssvm")
        self.source.attach(self.here)
        self.longest_call_ns = 0

    def serve(self, *resources: Resource, url: str = URL, stay: bool = False) -> None:
        self.source.put(url, *resources, stay=stay)

    def run(self, function: Any, *args: Any) -> Any:
        task = self.kernel.spawn(function, *args, location=self.here)
        assert self.kernel.run_until_done(task, limit_ns=10**15)
        assert not self.here.findings
        if task.error is not None:
            raise task.error
        return task.result

    def timed(self, call: Any, *args: Any) -> Any:
        began_ns = self.kernel.now_ns
        try:
            return call(*args)
        finally:
            self.longest_call_ns = max(self.longest_call_ns, self.kernel.now_ns - began_ns)

    def get(self, expected: Expected | None = None, *, url: str = URL, n: int = -1, upto: int | None = None) -> Any:
        """``upto``: stop reading after so many bytes."""

        def download() -> bytes | StorageError:
            got = bytearray()
            try:
                with self.timed(open_url, url, expected) as stream:
                    while piece := self.timed(stream.read, n):
                        got += piece
                        if upto is not None and len(got) >= upto:
                            break
            except StorageError as error:
                return error
            return bytes(got)

        return self.run(download)

    def arm(self, *faults: Fault) -> None:
        self.source.arm(faults)

    @property
    def asked(self) -> list[str]:
        """The answers to all requests, in order."""
        return [request.answer for request in self.source.requests]


@pytest.fixture
def world() -> Iterator[Downloads]:
    with Kernel(3) as kernel, installed():
        yield Downloads(kernel)
