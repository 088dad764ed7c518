"""What the kit learned about driver and device before the first check: sizes at which something may break."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from storcert.harness.contract import Capabilities, ObjectKind

SHOWN_LIVE: Mapping[str, str] = {
    "census": "a look at all that the device holds",
    "requests": "requests that are counted",
    "faults": "faults that are put on the way",
}
"""What a live device may let the kit see or do beside its answers."""
SMALL_SIZES = (0, 1, 2, 511, 512, 4095, 4096, 4097, 65_535, 65_536, 65_537)


@dataclass(frozen=True, slots=True)
class Facts:
    """``capabilities``: as declared. ``mode``: ``simulated``, ``in_process`` (the driver makes no request to the simulated
    device) or ``live``. ``part_bytes``: the largest body the driver sent in one request for a large object, else the
    device's smallest part. ``page_size``: names per listing page of the device. ``legal_faults``: the requests each can
    strike; ``fault_phases``: the phases of each that leaves the location alive.
    ``fixed_entries``: census keys that stay after everything was deleted (fixed driver-private markers). ``shows``: what can be
    seen or done on a live device beside its answers; see :data:`SHOWN_LIVE`. ``later_faults``: faults that are legal too, and
    that no frozen check tries. ``operator_moves``: settings of the device that its operator may change while it is in use."""

    capabilities: Capabilities
    mode: str
    part_bytes: int
    page_size: int
    legal_faults: Mapping[str, tuple[str, ...]]
    fault_phases: Mapping[str, tuple[str, ...]]
    fixed_entries: frozenset[tuple[str, str]]
    shows: frozenset[str] = frozenset()
    later_faults: tuple[str, ...] = ()
    operator_moves: tuple[str, ...] = ()

    @property
    def real_time(self) -> bool:
        """Whether waiting really takes that long: then fewer faults are tried, and short ones."""
        return self.mode == "live"

    @property
    def has_census(self) -> bool:
        """Whether all that the device holds can be seen."""
        return self.mode == "simulated" or "census" in self.shows

    @property
    def kind(self) -> ObjectKind:
        """The kind most checks use: volume where held, else the first one held."""
        held = self.capabilities.kinds
        return ObjectKind.VOLUME if ObjectKind.VOLUME in held or not held else min(held)

    def fit(self, size: int) -> int:
        """``size`` rounded up to the device's granularity and kept under its limit."""
        grain = self.capabilities.size_granularity_bytes
        fitted = -(-size // grain) * grain
        limit = self.capabilities.max_object_size_bytes
        return fitted if limit is None else min(fitted, limit // grain * grain)

    def sizes(self, *candidates: int) -> tuple[int, ...]:
        """The distinct fitted sizes, ascending."""
        return tuple(sorted({self.fit(size) for size in candidates}))

    @property
    def small_sizes(self) -> tuple[int, ...]:
        """Sizes around the usual small boundaries."""
        return self.sizes(*SMALL_SIZES)

    @property
    def boundary_sizes(self) -> tuple[int, ...]:
        """Sizes around the part boundaries, and one of more than three parts."""
        part = self.part_bytes
        return self.sizes(part - 1, part, part + 1, 2 * part, 3 * part + 1)

    @property
    def large_size(self) -> int:
        """An object of two parts and a bit."""
        return self.fit(self.part_bytes + self.part_bytes // 2 + 1)
