"""How long the cluster works on a request. Calibrated: Ceph 16.2.15 on loopback, memstore; the way there is the wire's."""

from __future__ import annotations

_MS = 1_000_000
_DEFAULT_NS = 300_000
_SERVICE_NS = {
    "connect": 8 * _MS,
    "pool_create": 45 * _MS,
    "pool_delete": 45 * _MS,
    "mon_command": 5 * _MS,
    # The interval of the monitor's paxos, here as tuned for tests; a default cluster takes a second.
    "snap_allocate": 50 * _MS,
    "snap_release": 45 * _MS,
    "open": 3 * _MS,
    "close": 1 * _MS,
    "lock_acquire": 2 * _MS,
    "header_create": 1 * _MS,
    "list": 200_000,
    "read": 100_000,
    "write": 600_000,
    "trim": 8 * _MS,
    "header_remove": 4 * _MS,
    "copyup": 10 * _MS,
    "rollback": 4 * _MS,
    "object_read": 100_000,
    "object_write": 150_000,
}


def service_ns(operation: str) -> int:
    """For one request, without jitter."""
    return _SERVICE_NS.get(operation, _DEFAULT_NS)
