"""Options of a simulated Sheepdog cluster, as a configuration file gives them. Values and their checks only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storcert.simulators.device_options import read_options
from storcert.simulators.network.link import Link

_NOT_ZERO = frozenset(("port", "nodes", "copies", "block_size_shift", "capacity_bytes", "page_size"))


@dataclass(frozen=True, slots=True)
class SheepdogOptions:
    """``address`` and ``port``: of the sheep that dog talks to. ``nodes``: sheep in the cluster; ``copies``, ``strict``,
    ``use_locks``, ``block_size_shift``: as ``dog cluster format`` was told; ``formatted``: whether it was run at all.
    ``capacity_bytes``: of the whole cluster, reported by ``dog node info``. ``page_size``: inodes that one request of a
    listing reads. Delays are one way and per byte."""

    name: str = "sheepdog"
    address: str = "127.0.0.1"
    port: int = 7000
    nodes: int = 3
    copies: int = 2
    strict: bool = False
    use_locks: bool = True
    formatted: bool = True
    block_size_shift: int = 22
    capacity_bytes: int = 1 << 40
    page_size: int = 256
    latency_ns: int = 100_000
    jitter_percent: int = 10
    write_bytes_per_s: int = 125_000_000
    read_bytes_per_s: int = 230_000_000

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any] | None) -> SheepdogOptions:
        """From a configuration table; ``ValueError`` for a name, type or value there is none of."""
        made = read_options(cls, "sheepdog", options, _NOT_ZERO)
        if not 20 <= made.block_size_shift <= 31:
            raise ValueError(f"sheepdog option block_size_shift: {made.block_size_shift}; there are 20 to 31")
        return made

    def link(self) -> Link:
        """The wire's numbers."""
        return Link(
            one_way_ns=self.latency_ns, jitter_percent=self.jitter_percent, up_bytes_per_s=self.write_bytes_per_s,
            down_bytes_per_s=self.read_bytes_per_s,
        )
