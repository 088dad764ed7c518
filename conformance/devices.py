"""Where a driver can be certified: on each simulated device, and on a live one."""

from __future__ import annotations

from storcert.simulators.registry import SIMULATED

LIVE = "live"
DEFAULT_DEVICE = "object-store"
DEVICES = (*SIMULATED, LIVE)


def prepare(device: str) -> None:
    """Before driver code is imported: the client library of that simulated device can be imported. Nothing for a live one."""
    if device in SIMULATED:
        SIMULATED[device].load()
