"""Where a driver can be certified: on each simulated device, on a live one, and on live targets that storcert starts itself."""

from __future__ import annotations

from storcert.conformance.live_targets.target import PREFIX
from storcert.conformance.live_targets.targets import TARGETS
from storcert.simulators.registry import SIMULATED

LIVE = "live"
DEFAULT_DEVICE = "object-store"
DEVICES = (*SIMULATED, LIVE, *TARGETS)


def is_live(device: str) -> bool:
    """Whether it is a real one."""
    return device == LIVE or device.startswith(PREFIX)


def prepare(device: str) -> None:
    """Before driver code is imported: the client library of that device can be imported. Nothing for a live one that was
    started by others."""
    if device in SIMULATED:
        SIMULATED[device].load()
    elif device in TARGETS:
        TARGETS[device].provide()
