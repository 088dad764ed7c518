"""Options of a simulated Sheepdog cluster, as a configuration file gives them. Values and their checks only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from storcert.simulators.network.link import Link


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
        known = {field.name: field for field in fields(cls)}
        for name, value in (options or {}).items():
            if name not in known:
                raise ValueError(f"sheepdog has no option {name!r}; there are: {', '.join(known)}")
            default = known[name].default
            if type(value) is not type(default):
                raise ValueError(f"sheepdog option {name}: {value!r} is no {type(default).__name__}")
        made = cls(**(options or {}))
        for name in known:
            value = getattr(made, name)
            least = 0 if name in ("latency_ns", "jitter_percent") else 1
            if type(value) is int and value < least:
                raise ValueError(f"sheepdog option {name}: {value} is too small")
        if not 20 <= made.block_size_shift <= 31:
            raise ValueError(f"sheepdog option block_size_shift: {made.block_size_shift}; there are 20 to 31")
        return made

    def link(self) -> Link:
        """The wire's numbers."""
        return Link(
            one_way_ns=self.latency_ns, jitter_percent=self.jitter_percent, up_bytes_per_s=self.write_bytes_per_s,
            down_bytes_per_s=self.read_bytes_per_s,
        )
