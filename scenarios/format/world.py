"""What a scenario's world consists of: management servers, zones, devices, links, ports, web servers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from storcert.scenarios.format.base import NEVER, Name, PerMillion, Positive, Value, Whole
from storcert.scenarios.format.units import ByteRate, Duration, Size, duration_text, parse_duration

DeviceKindName = Literal["object-store", "nfs", "rbd", "sheepdog"]
ObjectKindName = Literal["volume", "template", "snapshot", "iso"]


def _or_never(value: Any) -> int | None:
    return None if value in (NEVER, None) else parse_duration(value)


DurationOrNever = Annotated[
    int | None, BeforeValidator(_or_never),
    PlainSerializer(lambda value: NEVER if value is None else duration_text(value), return_type=str),
    WithJsonSchema({
        "anyOf": [{"type": "string", "examples": ["30 s", NEVER]}, {"type": "integer", "description": "nanoseconds"}]}),
]


class Region(Value):
    """What all zones share."""

    management_servers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many; they are called ms-1, ms-2 and so on, and share one catalogue."""
    reconcile_every_ns: DurationOrNever = Field(default=30 * 10**9, alias="reconcile_every")
    """How often each management server reconciles by itself, on average; "never": only when the run settles."""
    restart_after_ns: DurationOrNever = Field(default=5 * 10**9, alias="restart_after")
    """How long a crashed location stays down; "never": until everything is healed."""


class Zone(Value):
    """A zone with its clusters, hosts and storage VMs. Of zone z1 they are called z1-c1, z1-h1, z1-ssvm1 and so on."""

    name: Name
    """How it is called, and what its locations' names begin with."""
    hosts: Whole = 1
    """Hypervisor hosts in each cluster."""
    clusters: Positive = 1
    """How many clusters."""
    storage_vms: Whole = 1
    """How many storage VMs."""


class Policy(Value):
    """What the operator allows on a device, beside role and scope."""

    kinds: tuple[ObjectKindName, ...] | None = None
    """Only these kinds of objects; left out: all that the device can hold."""
    quota_bytes: Size | None = Field(default=None, alias="quota")
    """No more than so much in all."""
    max_object_size_bytes: Size | None = Field(default=None, alias="max_object_size")
    """No object larger than that."""
    read_only: bool = False
    """Nothing is made, changed or deleted there."""
    max_concurrent_transfers: Positive | None = None
    """So many transfers at once."""
    verify_digest: bool = False
    """What was made is read again and its digest kept."""


class Device(Value):
    """A storage device: a simulated device of some kind, with the driver that speaks to it."""

    name: Name
    """How steps and faults call it."""
    kind: DeviceKindName
    """What stands behind it: one of `storcert list devices`."""
    role: Literal["primary", "image", "staging"] = "primary"
    """What it is used for: volumes, templates and copies for keeping, or copies on their way."""
    scope: Literal["host", "cluster", "zone", "region"] = "zone"
    """How far it reaches."""
    scope_id: str = ""
    """The host, cluster or zone it belongs to; may be left out where there is one zone only."""
    capacity_bytes: Size = Field(default=1 << 44, alias="capacity")
    """How much the control plane may place there."""
    driver: str = ""
    """Installed name or package.module:Class; left out: the bundled driver of the kind."""
    provider: Literal["direct", "default"] = "direct"
    """Whose rules place objects there."""
    configuration: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """More of the driver's configuration, as in `--config`'s table [configuration]; the rest the device gives."""
    simulator: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """Options of the simulated device, as in `--config`'s table [simulator]: latency, speed, dialect, sizes."""
    policy: Policy = Policy()
    """What the operator allows there."""


class Link(Value):
    """What lies between two endpoints: locations, devices, "catalogue", or the host of a URL. What is left out is as usual."""

    between: tuple[str, str]
    """The two ends; bytes from the first to the second go "up"."""
    one_way_ns: Duration = Field(default=200_000, alias="latency")
    """How long an empty message takes, one way."""
    jitter_percent: Whole = 10
    """Each delay is stretched by up to so many percent."""
    up_bytes_per_s: ByteRate = Field(default=65_000_000, alias="up")
    """How fast one connection sends from the first end to the second."""
    down_bytes_per_s: ByteRate = Field(default=300_000_000, alias="down")
    """And back."""
    lost_per_million: PerMillion = 0
    """So many packets of a million are lost (TCP sends them again, a datagram is gone)."""
    late_per_million: PerMillion = 0
    """So many messages of a million come later than others sent after them."""
    late_ns: Duration = Field(default=5_000_000, alias="late_by")
    """How much later."""
    twice_per_million: PerMillion = 0
    """So many datagrams of a million come twice."""


class Port(Value):
    """What one endpoint sends and receives in all, shared fairly by all transfers through it."""

    of: str
    """A location or device."""
    out_bytes_per_s: ByteRate = Field(default=0, alias="out")
    """All it sends; left out: no limit."""
    in_bytes_per_s: ByteRate = Field(default=0, alias="in")
    """All it receives; left out: no limit."""


class Web(Value):
    """A file on a web server, for register, by default well served; or a place for export."""

    url: Annotated[str, Field(pattern=r"^https?://[^/]+(/.*)?$")]
    """Where it is."""
    size_bytes: Size = Field(default=0, alias="size")
    """How large it is."""
    pattern: Annotated[str, Field(min_length=1)] = "storcert "
    """Its bytes: this text again and again."""
    bytes_per_s: ByteRate = Field(default=0, alias="speed")
    """How fast its server sends; left out: as the link allows."""
    framing: Literal["length", "chunked", "close"] = "length"
    """How the end is told: Content-Length, chunks, or the end of the connection."""
    ranges: Literal["yes", "unconditional", "whole", "ignored", "refused"] = "yes"
    """What the server does with a request for a part."""
    declared_bytes: Size | None = Field(default=None, alias="declared")
    """A Content-Length that is wrong."""
    cut_after_bytes: Size | None = Field(default=None, alias="cut_after")
    """Each answer's connection ends after so much."""
    short_bytes: Size | None = Field(default=None, alias="short")
    """Each answer ends in good form after so much, as behind a proxy whose source broke off."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The status of every answer."""
    takes: bool = False
    """Whether it takes what is sent there, for export."""
    certificate: Literal["good", "expired", "self-signed", "other-name"] = "good"
    """What a client finds, for https."""
