"""How long the sheep work on a request: a table, calibrated on three real nodes. Jitter, latency and bandwidth are the wire's.

Source: three sheep on loopback, 2 copies, milliseconds p50: create object with 4K 0.39, write 4K 0.28, read 4K 0.08, NEW 41,
GET_INFO 0.7, DEL 65; ``dog vdi create`` 35-40, snapshot or clone 100, delete 75-105, list 15.
"""

from __future__ import annotations

from collections.abc import Mapping

US = 1_000

BASE_NS: Mapping[str, int] = {
    "NEW_VDI": 38_000 * US, "DEL_VDI": 60_000 * US, "READ_INODE": 900 * US, "READ_VDIS": 5_000 * US,
    "READ_INODES": 8_000 * US, "WRITE_OBJ": 390 * US, "READ_OBJ": 80 * US, "WRITE_INODE": 280 * US,
}
OTHER_BASE_NS = 700 * US


def service_ns(operation: str) -> int:
    """Time from the effect to the first byte of the answer."""
    return BASE_NS.get(operation, OTHER_BASE_NS)
