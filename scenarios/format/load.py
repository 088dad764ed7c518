"""Who works on the region while it runs: workloads of clients, and a nemesis that disturbs it again and again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from storcert.scenarios.format.base import Name, Positive, Value, Whole
from storcert.scenarios.format.faults import Chance
from storcert.scenarios.format.steps import Disturbance
from storcert.scenarios.format.units import Duration, Rate, Size

Phase = Literal["warm-up", "faulty", "healed"]
Operation = Literal[
    "create", "create-from", "clone", "template", "snapshot", "backup", "copy", "seed", "migrate", "revert", "attach", "detach",
    "register", "delete",
]


class Workload(Value):
    """Clients that do a mix of operations on objects of their own. With `rate` an open loop: operations begin at that rate,
    whatever became of those before; without it a closed loop: each client waits for the end of one before the next."""

    name: Name
    """How the result calls it, and what the names of its objects begin with."""
    mix: dict[Operation, Positive] = Field(min_length=1)
    """The operations, each with its weight. What cannot be done (nothing there to delete) is a create instead."""
    clients: Positive = 1
    """How many in a closed loop."""
    think_ns: Duration = Field(default=0, alias="think")
    """How long a client of a closed loop waits between two operations, on average."""
    every_ns: Rate | None = Field(default=None, alias="rate")
    """Makes it an open loop: so many operations in a time, at random moments."""
    count: Positive | None = None
    """So many operations in all, then it is over; needed where no phase has a duration."""
    phases: tuple[Phase, ...] = ("warm-up", "faulty", "healed")
    """When it is at work."""
    sizes: Annotated[tuple[Size, ...], Field(min_length=1)] = (4096, 65536, 1 << 20)
    """How large its volumes are; one is chosen each time."""
    objects_max: Positive = 50
    """Where it has so many, what would make one more is a delete instead."""
    devices: tuple[Name, ...] = ()
    """Where its volumes are made and migrated to; left out: every primary device."""
    zones: tuple[Name, ...] = ()
    """Where it makes things, seeds templates and attaches volumes; left out: every zone."""
    urls: tuple[str, ...] = ()
    """What it registers; left out: every URL of the scenario."""
    write_every_ns: Duration = Field(default=10**9, alias="write_every")
    """How often virtual machines write to the volumes it attaches."""
    contend: Annotated[int, Field(ge=0, le=100)] = 0
    """In so many of a hundred operations the object is one that another client is working on."""


class Nemesis(Value):
    """Somebody who disturbs the faulty phase again and again, at random moments, with one of his means at a time."""

    name: Name
    """How the result calls it."""
    every_ns: Duration = Field(alias="every")
    """How often, on average."""
    means: Annotated[tuple[Disturbance, ...], Field(min_length=1)]
    """What he does: steps without times of their own; one is chosen each time."""
    count: Whole = 0
    """No more than so often; 0: as long as the phase lasts."""
    chance: Chance = 1.0
    """In how many runs he takes part at all; the seed decides in which."""


class Phases(Value):
    """How long the parts of a run last at least; a part lasts until its steps have ended, too."""

    warm_up_ns: Duration = Field(default=0, alias="warm_up")
    """Workloads alone: nothing goes wrong yet."""
    faulty_ns: Duration = Field(default=0, alias="faulty")
    """Faults strike and the nemesis is at work; the steps are taken."""
    healed_ns: Duration = Field(default=0, alias="healed")
    """Everything works again, workloads go on."""
