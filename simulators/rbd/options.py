"""Options of a simulated RBD cluster, as a configuration file gives them. Values and their checks only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storcert.simulators.device_options import read_options
from storcert.simulators.network.link import Link

_LINK = Link()


@dataclass(frozen=True, slots=True)
class RbdOptions:
    """``name``: of the device, where there are several.

    ``conf``: path of the configuration file, a name only; nothing is read. ``user``: the one client name that may connect,
    and ``client.admin``. ``clone_format``: the cluster's ``rbd_default_clone_format`` (``auto`` is 1 here, as on a cluster
    whose clients may be old). ``order``: 2^order bytes per data object. ``page_size``: keys of an omap
    that one read gives at most. Delays are one way, and per byte."""

    name: str = "rbd"
    conf: str = "/etc/ceph/ceph.conf"
    user: str = "storcert"
    pool: str = "storcert"
    clone_format: str = "auto"
    order: int = 22
    page_size: int = 1024
    cache: bool = True
    latency_ns: int = _LINK.one_way_ns
    jitter_percent: int = _LINK.jitter_percent
    write_bytes_per_s: int = 350_000_000
    read_bytes_per_s: int = 350_000_000

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any] | None) -> RbdOptions:
        """From a configuration table; ``ValueError`` for a name, type or value there is none of."""
        made = read_options(cls, "rbd", options)
        if made.clone_format not in ("auto", "1", "2"):
            raise ValueError(f"rbd option clone_format: {made.clone_format!r}; there are auto, 1 and 2")
        if made.page_size < 1:
            raise ValueError("rbd option page_size: there is no page without a key")
        if not 12 <= made.order <= 25:
            raise ValueError(f"rbd option order: {made.order} is not between 12 and 25")
        return made

    def link(self) -> Link:
        """The wire's numbers."""
        return Link(
            one_way_ns=self.latency_ns, jitter_percent=self.jitter_percent, up_bytes_per_s=self.write_bytes_per_s,
            down_bytes_per_s=self.read_bytes_per_s,
        )
