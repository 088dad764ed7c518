"""What can be done in a scenario: one value per kind of step. Here is what is asked of the control plane, and the name of
every kind; what happens to the world is in ``events``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from storcert.scenarios.format.base import Name, Object, Positive, Snapshot, Volume
from storcert.scenarios.format.events import ByHand as ByHand
from storcert.scenarios.format.events import Clock as Clock
from storcert.scenarios.format.events import Crash as Crash
from storcert.scenarios.format.events import Disturbance as Disturbance
from storcert.scenarios.format.events import Heal as Heal
from storcert.scenarios.format.events import Inject as Inject
from storcert.scenarios.format.events import Outage as Outage
from storcert.scenarios.format.events import Partition as Partition
from storcert.scenarios.format.events import Pause as Pause
from storcert.scenarios.format.events import Wait as Wait
from storcert.scenarios.format.timed import Ended as Ended
from storcert.scenarios.format.timed import Timed as Timed
from storcert.scenarios.format.units import Duration, Size


class Asked(Ended):
    """What every request to the control plane may say."""

    server: Name | None = None
    """Which management server is asked; left out: the first one that is up."""


class Placed(Asked):
    """Where something new goes: a device, or the best device reached from a zone, cluster or host."""

    device: Name | None = None
    """On that device."""
    zone: str = ""
    """Where that zone reaches it; left out, with no device, cluster or host named: the only zone."""
    cluster: str = ""
    """Where that cluster reaches it."""
    host: str = ""
    """Where that host reaches it."""


class Create(Placed):
    """An empty volume of zeros."""

    do: Literal["create"]
    object: Volume
    """The new volume."""
    size_bytes: Size = Field(alias="size")
    """How large."""


class CreateFrom(Placed):
    """A new object with the bytes of another: a volume from a template, snapshot or volume; a template from a volume."""

    do: Literal["create-from"]
    object: Object
    """The new object."""
    source: Object
    """What it is made from."""


class Register(Asked):
    """A template, ISO or volume from a web server."""

    do: Literal["register"]
    object: Object
    """The new object."""
    url: str
    """Where it is downloaded from."""
    device: Name | None = None
    """On that device."""
    zone: str = ""
    """Or on the best device of that zone; left out: of the only zone."""
    size_bytes: Size | None = Field(default=None, alias="size")
    """How large it must be."""
    digest: str | None = None
    """What its bytes must be, as in "sha256:...". """


class Upload(Asked):
    """A client uploads an object: it asks for a ticket, sends the bytes to a storage VM, again and again until they are taken,
    and waits until they are on the device."""

    do: Literal["upload"]
    object: Object
    """The new object."""
    size_bytes: Size = Field(alias="size")
    """How many bytes the client sends."""
    device: Name | None = None
    """On that device."""
    zone: str = ""
    """Or on the best device of that zone; left out: of the only zone."""
    lasts_ns: Duration = Field(default=3600 * 10**9, alias="lasts")
    """How long the ticket is good for."""
    comes: bool = True
    """Whether the client comes at all once it has its ticket."""


class MakeLink(Asked):
    """A link from which an object can be downloaded."""

    do: Literal["link"]
    object: Object
    """Which object."""
    lasts_ns: Duration = Field(default=3600 * 10**9, alias="lasts")
    """How long the link is good for."""


class Unlink(Asked):
    """A link leads nowhere any more."""

    do: Literal["unlink"]
    link: Name
    """The name of the step that made it."""


class Download(Ended):
    """A client downloads through a link; it ends "done" with all the bytes, and "DeviceUnavailable" without."""

    do: Literal["download"]
    link: Name
    """The name of the step that made it."""


class TakeSnapshot(Asked):
    """A snapshot of a volume."""

    do: Literal["snapshot"]
    object: Snapshot
    """The new snapshot."""
    volume: Volume
    """Of what."""
    device: Name | None = None
    """Where it is kept; left out: on the volume's own device."""


class Copy(Asked):
    """One more copy of a template, ISO or snapshot, under the same name."""

    do: Literal["copy"]
    object: Object
    """What is copied."""
    device: Name
    """Where to."""


class Seed(Asked):
    """Copies of a template in several zones, side by side."""

    do: Literal["seed"]
    object: Object
    """What is copied."""
    zones: tuple[Name, ...] = ()
    """Where to; left out: every zone. The step is done once each zone has a copy."""


class Migrate(Asked):
    """A volume to another device."""

    do: Literal["migrate"]
    object: Volume
    """What is moved."""
    device: Name
    """Where to."""


class Export(Asked):
    """An object sent to a web server."""

    do: Literal["export"]
    object: Object
    """What is sent."""
    url: str
    """Where to."""


class Revert(Asked):
    """A volume made equal to one of its snapshots."""

    do: Literal["revert"]
    volume: Volume
    """Which volume."""
    snapshot: Snapshot
    """To which snapshot."""


class Delete(Asked):
    """An object from every device."""

    do: Literal["delete"]
    object: Object
    """What goes."""
    dependants: bool = False
    """A volume's snapshots go first."""


class Attach(Asked):
    """A host may use a volume; a virtual machine there may write to it."""

    do: Literal["attach"]
    volume: Volume
    """Which volume."""
    host: Name
    """Which host."""
    write_every_ns: Duration | None = Field(default=None, alias="write_every")
    """The virtual machine writes a block so often; left out: it writes nothing."""
    block_bytes: Size = Field(default=4096, alias="block")
    """How large a block is."""
    flush_every: Positive = 8
    """After how many blocks it flushes."""


class Detach(Asked):
    """The host uses it no more."""

    do: Literal["detach"]
    volume: Volume
    """Which volume."""
    host: Name
    """Which host."""


class Fence(Asked):
    """The operator's word that a host was switched off or cut off from every device, and never goes on as it was: what it was
    granted is taken back. It is refused ("ObjectInUse") where the host answers."""

    do: Literal["fence"]
    host: Name
    """Which host."""


class Cancel(Asked):
    """The unfinished job on an object is asked to end early."""

    do: Literal["cancel"]
    object: Object
    """What it is making, moving or deleting."""
    device: Name | None = None
    """Of a copy: the device it goes to."""


class Reconcile(Asked):
    """One round of reconciliation."""

    do: Literal["reconcile"]


class Maintenance(Asked):
    """A device takes nothing new, or takes it again."""

    do: Literal["maintenance"]
    device: Name
    """Which device."""
    on: bool = True
    """Whether it is in maintenance from now on."""


class Check(Asked):
    """Look at the catalogue: is the object ready on exactly these devices?"""

    do: Literal["check"]
    object: Object
    """Which object."""
    on: tuple[Name, ...] = ()
    """The devices, in any order; left out: on none."""


Request = (
    Create | CreateFrom | Register | Upload | MakeLink | Unlink | TakeSnapshot | Copy | Seed | Migrate | Export | Revert
    | Delete | Attach | Detach | Fence | Cancel | Reconcile | Maintenance | Check
)
"""What is asked of the control plane."""
Event = Crash | Pause | Clock | Partition | Outage | Inject | Heal | ByHand | Download | Wait
"""What happens to everybody."""
Step = Annotated[Request | Event, Field(discriminator="do")]
