"""Options of a simulated object store, as a configuration file gives them. Values and their checks only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from storcert.simulators.device_options import read_options
from storcert.simulators.network.link import Link
from storcert.simulators.object_store.dialect import DialectName
from storcert.simulators.object_store.model import Limits

_LIMITS = Limits()
_LINK = Link()


@dataclass(frozen=True, slots=True)
class ObjectStoreOptions:
    """``name``: of the device, where there are several.

    ``dialect``: whose habits. ``versioning``: the bucket is delivered with versioning enabled; ``versioning_suspended``: with
    versioning that was on once and is suspended. ``face``: the native model, or real boto3 in front of moto. Sizes are S3's
    unless made smaller; delays are one way and per byte."""

    name: str = "object-store"
    dialect: DialectName = "aws"
    face: Literal["native", "moto"] = "native"
    versioning: bool = False
    versioning_suspended: bool = False
    endpoint_url: str = "http://s3.sim"
    bucket: str = "storcert"
    region_name: str = "us-east-1"
    access_key: str = "AKIASTORCERTSIM"
    secret_key: str = "storcert-simulated-secret"
    part_size_min_bytes: int = _LIMITS.part_size_min_bytes
    part_size_max_bytes: int = _LIMITS.part_size_max_bytes
    put_max_bytes: int = _LIMITS.put_max_bytes
    copy_max_bytes: int = _LIMITS.copy_max_bytes
    object_max_bytes: int = _LIMITS.object_max_bytes
    parts_max: int = _LIMITS.parts_max
    page_size: int = _LIMITS.page_size
    latency_ns: int = _LINK.one_way_ns
    jitter_percent: int = _LINK.jitter_percent
    put_bytes_per_s: int = _LINK.up_bytes_per_s
    get_bytes_per_s: int = _LINK.down_bytes_per_s

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any] | None) -> ObjectStoreOptions:
        """From a configuration table; ``ValueError`` for a name, type or value there is none of."""
        made = read_options(cls, "object-store", options)
        if made.face not in ("native", "moto"):
            raise ValueError(f"object-store option face: {made.face!r}; there are native and moto")
        if made.versioning and made.versioning_suspended:
            raise ValueError("object-store options versioning and versioning_suspended: it is on or suspended, not both")
        if made.face == "moto" and made.versioning_suspended:
            raise ValueError("object-store option versioning_suspended: moto does not model it; use the native face")
        return made

    def limits(self) -> Limits:
        """The model's numbers."""
        return Limits(
            part_size_min_bytes=self.part_size_min_bytes, part_size_max_bytes=self.part_size_max_bytes,
            put_max_bytes=self.put_max_bytes, copy_max_bytes=self.copy_max_bytes, object_max_bytes=self.object_max_bytes,
            parts_max=self.parts_max, page_size=self.page_size,
        )

    def link(self) -> Link:
        """The wire's numbers."""
        return Link(
            one_way_ns=self.latency_ns, jitter_percent=self.jitter_percent, up_bytes_per_s=self.put_bytes_per_s,
            down_bytes_per_s=self.get_bytes_per_s,
        )
