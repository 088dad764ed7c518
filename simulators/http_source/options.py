"""Options of the simulated web servers: how far away they are. Values and their checks only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from storcert.simulators.network.link import Link


@dataclass(frozen=True, slots=True)
class HttpSourceOptions:
    """``latency_ns``: one way, as over the Internet; ``get_bytes_per_s``: what one download, or one body that is sent,
    gets at most."""

    latency_ns: int = 10_000_000
    jitter_percent: int = 10
    get_bytes_per_s: int = 50_000_000

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any] | None) -> HttpSourceOptions:
        """From a configuration table; ``ValueError`` for a name, type or value there is none of."""
        known = [field.name for field in fields(cls)]
        for name, value in (options or {}).items():
            if name not in known:
                raise ValueError(f"http-source has no option {name!r}; there are: {', '.join(known)}")
            if type(value) is not int:
                raise ValueError(f"http-source option {name}: {value!r} is no int")
            if value < 0 or (value == 0 and name.endswith("_per_s")):
                raise ValueError(f"http-source option {name}: {value} is too small")
        return cls(**(options or {}))

    def link(self, bytes_per_s: int = 0) -> Link:
        """The wire's numbers, for a host that sends and takes so fast (0: as the link allows)."""
        rate = min(bytes_per_s or self.get_bytes_per_s, self.get_bytes_per_s)
        # A slow server is slow all the time: no more of its body than of a tenth of a second comes at once.
        window = max(1, min(64 * 1024, rate // 10))
        return Link(
            one_way_ns=self.latency_ns, jitter_percent=self.jitter_percent, up_bytes_per_s=rate, down_bytes_per_s=rate,
            window_bytes=window,
        )
