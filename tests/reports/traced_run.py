"""A short run with everything in it that a trace can show: jobs, a takeover, commands, requests, a crash, a fault."""

from __future__ import annotations

from functools import cache

from storcert.harness.contract import StorageError
from storcert.harness.record.fault import Fault
from storcert.harness.record.trace import Trace
from storcert.harness.record.trace_of_run import trace_of_run
from storcert.scenarios.region import Region
from storcert.simulators.http_source import pattern
from tests.scenarios.regions import one_zone, template, volume

MINUTE_NS = 60 * 10**9
URL = "http://web.example/t"


@cache
def traced(kind: str = "nfs", seed: int = 3, *, logs: bool = True) -> Trace:
    """Its trace; ``logs``: with what the devices know of their requests."""
    with one_zone(kind, seed) as region:
        region.web.put(URL, pattern(b"t", 1 << 20), stay=True)
        region.call(lambda control: control.register(template(), URL, zone="z1"))
        region.arm("volumes", Fault("slow", "*", nth=3, value=1000))
        first = region.start(lambda control: control.create_from(volume("a"), template(), zone="z1"))
        second = region.start(lambda control: control.create_volume(volume("b"), 1 << 20, zone="z1"), at="ms-2")
        region.advance(9_000_000)
        region.crash("ms-1")
        region.finish(first, second)
        region.advance(10 * MINUTE_NS)  # the other server takes over what the dead one had begun
        try:
            region.call(lambda control: control.delete(volume("nobody's")))
            region.call(lambda control: control.register(template("absent"), "http://web.example/absent", zone="z1"))
        except StorageError:
            pass
        return trace_of(region, logs=logs)


def trace_of(region: Region, *, logs: bool = True) -> Trace:
    """The trace of what a region did so far."""
    requests = {wire.name: wire.requests for wire in region.network.wires} if logs else {}
    return trace_of_run(region.kernel.journal.events, requests, run=region.kernel.journal.digest().hex())
