"""Regions for tests: small ones, built the same way each time."""

from __future__ import annotations

from typing import Any

from storcert.harness.checkers.control_plane import Broken
from storcert.harness.contract import DataObjectUri, ObjectKind
from storcert.scenarios.region import Region

SLOW_NS = 300 * 10**9


def volume(name: str) -> DataObjectUri:
    return DataObjectUri(ObjectKind.VOLUME, "1", name)


def template(name: str = "t") -> DataObjectUri:
    return DataObjectUri(ObjectKind.TEMPLATE, "1", name)


def snapshot(name: str = "s") -> DataObjectUri:
    return DataObjectUri(ObjectKind.SNAPSHOT, "1", name)


def one_zone(kind: str = "object-store", seed: int = 1, *, servers: int = 2, other: str = "", **more: Any) -> Region:
    """A zone with a device of ``kind`` for volumes, one of ``other`` beside it, and an object store for images."""
    region = Region(seed, management_servers=servers, reconcile_ns=SLOW_NS, **more)
    region.zone("z1", hosts=2)
    region.device("images", "object-store", role="image", scope_id="z1", policy={"verify_digest": True})
    region.device("volumes", kind, scope_id="z1")
    region.device("beside", other or kind, scope_id="z1", capacity_bytes=1 << 40)
    return region


def broken(region: Region) -> list[Broken]:
    """Everything that breaks a rule, once the region is at rest."""
    region.settle()
    return [one for finding in region.findings() for one in finding.broken]
