"""A world with web servers and a location that asks them with httpx."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.kernel import Kernel
from storcert.harness.kernel.interpose import installed
from storcert.simulators.http_source import HttpSource

URL = "http://templates.sim/file"


class Web:
    """``run`` calls a function at the location and gives what it returns, or raises what it raised."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.source = HttpSource(kernel, {"latency_ns": 1_000_000, "jitter_percent": 0})
        self.here = kernel.location("ssvm")
        self.source.attach(self.here)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        task = self.kernel.spawn(function, *args, location=self.here)
        assert self.kernel.run_until_done(task, limit_ns=10**15)
        if task.error is not None:
            raise task.error
        assert not self.here.findings
        return task.result


@pytest.fixture
def web() -> Iterator[Web]:
    with Kernel(3) as kernel, installed():
        yield Web(kernel)
