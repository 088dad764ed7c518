"""How long the server works on a request: a table, calibrated on a real server. Jitter, latency and bandwidth are the wire's.

Source: nfs-ganesha 4.3 over loopback, milliseconds p50: stat 0.12, create and close 0.17, open and close 0.12, write 4K
unstable 0.05, read 4K 0.04, write 4K and COMMIT 3.1 to 4.0, rename 0.2, readdir of 500 names 0.4, unlink 0.13.
"""

from __future__ import annotations

from collections.abc import Mapping

from storcert.simulators.nfs.protocol import Procedure, ReaddirResult, Reply, Stable, WriteResult

US = 1_000

BASE_NS: Mapping[Procedure, int] = {
    Procedure.READ: 40 * US, Procedure.WRITE: 50 * US, Procedure.COMMIT: 3_000 * US, Procedure.RENAME: 200 * US,
    Procedure.CREATE: 150 * US, Procedure.REMOVE: 130 * US, Procedure.READDIR: 100 * US, Procedure.READDIRPLUS: 100 * US,
}  # fmt: skip
OTHER_BASE_NS = 100 * US
SYNC_NS = 3_000 * US
PER_ENTRY_NS = 600


def service_ns(procedure: Procedure, reply: Reply) -> int:
    """Time from the effect to the first byte of the answer."""
    duration_ns = BASE_NS.get(procedure, OTHER_BASE_NS)
    result = reply.result
    if procedure is Procedure.WRITE:
        if isinstance(result, WriteResult) and result.committed is not Stable.UNSTABLE:
            duration_ns += SYNC_NS
    elif isinstance(result, ReaddirResult):
        duration_ns += len(result.entries) * PER_ENTRY_NS
    return duration_ns
