"""Which of several things that are ready at nearly one moment comes first, where that is free."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from storcert.scenarios.format.base import Positive, Value
from storcert.scenarios.format.units import Duration


def _in_order(value: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(value)))


class Schedule(Value):
    """Which of several things comes first where that is free. With `lag`, tasks (whatever runs at a location: a job, a command,
    a virtual machine) have priorities while faults strike, as in probabilistic concurrency testing: the seed draws them, and a
    task that is woken goes on the later the lower its priority is. So one overtakes another that was woken up to a lag earlier,
    again and again, and a task that falls behind does so in the middle of what it does."""

    ties: Literal["seeded", "first-come"] = "seeded"
    """Events of one instant: in an order that the seed decides, or in the order in which they were caused."""
    lag_ns: Duration = Field(default=0, alias="lag")
    """How long after it was woken the task of the lowest priority goes on; the others after a part of that. 0: all at once."""
    falls: Annotated[tuple[Positive, ...], Field(max_length=64), AfterValidator(_in_order)] = ()
    """At these turns (wake-ups of tasks in the faulty phase, counted from 1) whoever goes on falls behind: from then on it
    takes up to twice the lag."""
    falls_drawn: Annotated[int, Field(ge=0, le=64)] = 0
    """So many more, at turns that the seed chooses."""
    turns: Positive = 1000
    """From the first so many turns it chooses them."""
