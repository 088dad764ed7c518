"""What can happen to the world in a scenario, one value per kind of step: crashes, clocks, partitions, faults, hands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from storcert.scenarios.format.base import Name, Object
from storcert.scenarios.format.faults import Strike
from storcert.scenarios.format.timed import Timed
from storcert.scenarios.format.units import Duration, Size


class Crash(Timed):
    """A location dies; it comes back by itself, if the region says so."""

    do: Literal["crash"]
    place: Name
    """A management server, storage VM or host."""


class Pause(Timed):
    """A location stands still, as a machine that is suspended does; then it goes on as if nothing had been."""

    do: Literal["pause"]
    place: Name
    """A management server, storage VM or host."""
    lasts_ns: Duration = Field(alias="lasts")
    """How long."""


class Clock(Timed):
    """The clock of a location is wrong: what code there takes for the time of day jumps, at once, and jumps back when it is put
    right. What measures durations (a monotonic clock, sleep) goes on as ever. Say `ahead` or `behind`."""

    do: Literal["clock"]
    place: Name
    """A management server, storage VM or host."""
    ahead_ns: Duration = Field(default=0, alias="ahead")
    """So much later than it is."""
    behind_ns: Duration = Field(default=0, alias="behind")
    """So much earlier than it is."""
    lasts_ns: Duration = Field(default=0, alias="lasts")
    """How long; left out: until everything is healed."""


class Partition(Timed):
    """Nothing passes between two groups of endpoints: locations, devices, "catalogue", hosts of URLs."""

    do: Literal["partition"]
    one: tuple[str, ...]
    """The one group."""
    other: tuple[str, ...] = ()
    """The other; left out: everybody else."""
    one_way: bool = False
    """Only what goes from the first group to the second is held up."""
    lasts_ns: Duration = Field(default=0, alias="lasts")
    """How long; left out: until everything is healed."""


class Outage(Timed):
    """A device, or the catalogue, is away: connections are refused, what was under way is cut off."""

    do: Literal["outage"]
    of: Name
    """The device, or "catalogue"."""
    lasts_ns: Duration = Field(alias="lasts")
    """How long."""


class Inject(Timed, Strike):
    """A fault is armed at a device, beside those that are armed there already; its requests are counted from now on."""

    do: Literal["fault"]


class Heal(Timed):
    """Everything works again: devices, network, crashed locations."""

    do: Literal["heal"]


class ByHand(Timed):
    """Somebody does something to a device past the control plane, as an operator with a shell might."""

    do: Literal["by-hand"]
    device: Name
    """Which device."""
    act: Literal["create", "delete"]
    """What is done there."""
    object: Object
    """To which object."""
    size_bytes: Size = Field(default=4096, alias="size")
    """Of a new one."""


class Wait(Timed):
    """Nothing happens."""

    do: Literal["wait"]
    lasts_ns: Duration = Field(alias="lasts")
    """For so long."""

Disturbance = Annotated[Crash | Pause | Clock | Partition | Outage | Inject, Field(discriminator="do")]
