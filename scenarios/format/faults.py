"""What goes wrong by itself: faults that strike requests, and a nemesis that does things to the world again and again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from storcert.harness.record import fault as record
from storcert.scenarios.format.base import Name, Value, Whole
from storcert.scenarios.format.units import BYTES, Duration, duration_text, parse_duration, parse_size

Chance = Annotated[float, Field(gt=0, le=1)]


def _amount(value: Any) -> Any:
    """Nanoseconds of a duration, bytes of a size, a whole number as it is."""
    if not isinstance(value, str):
        return value
    unit = value.strip().lstrip("0123456789. ")
    return parse_size(value) if unit in BYTES else parse_duration(value)


def _range_of_counts(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    return tuple(value) if isinstance(value, list) else value


def _range_of_durations(value: Any) -> Any:
    found = value if isinstance(value, (list, tuple)) else [value]
    return tuple(parse_duration(one) for one in (found if len(found) == 2 else [*found, *found]))


def _ordered(value: tuple[int, int]) -> Any:
    return value[0] if value[0] == value[1] else list(value)


def _ordered_text(value: tuple[int, int]) -> Any:
    return duration_text(value[0]) if value[0] == value[1] else [duration_text(one) for one in value]


def _either(one: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one, "minItems": 2, "maxItems": 2}]})


Counts = Annotated[
    tuple[int, int], BeforeValidator(_range_of_counts), PlainSerializer(_ordered), _either({"type": "integer", "minimum": 1}),
]
"""A number, or two between which the seed chooses."""
Durations = Annotated[
    tuple[int, int], BeforeValidator(_range_of_durations), PlainSerializer(_ordered_text),
    _either({"type": "string", "examples": ["10 s"]}),
]
Amount = Annotated[
    int, BeforeValidator(_amount), Field(ge=0),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "examples": ["30 s", "64 KiB"]}]}),
]


class Strike(Value):
    """Where a fault strikes, when and what. See the pages of the devices for what is legal where."""

    place: Name
    """A device, "catalogue", or "web" (all web servers)."""
    fault: Name
    """Which fault: one of the place's, as docs/faults lists them; "crash" kills whoever makes the request."""
    operation: str = "*"
    """Only requests of that name ("PutObject", "WRITE"; of the catalogue: "submit copy", "copy: finish"); "*": every request
    that this fault can strike."""
    nth: Counts = (1, 1)
    """The first such request that is struck, counted from 1 since it was armed; two numbers: the seed chooses between."""
    phase: Literal["before", "during", "after"] = "before"
    """Whether it strikes before the request has its effect, after, or in the middle of a body."""
    count: Whole = 1
    """How many requests in a row; 0: every one from then on."""
    value: Amount = 0
    """What the fault needs: how long, after how many bytes; docs/faults says which."""
    location: Name | Literal["*"] = "*"
    """Only requests from that location."""
    chance_per_request: Chance | None = None
    """Instead of nth and count: every such request is struck with that chance. The seed decides which."""
    must_strike: bool = True
    """A run in which it takes part and strikes nothing has shown nothing, and fails. Not asked of a fault by chance."""

    def armed(self) -> record.Fault:
        """As devices know it; of a range the first number."""
        return record.Fault(
            self.fault, self.operation, self.nth[0], record.Phase(self.phase), self.count, self.value, self.location)


class Fault(Strike):
    """A fault of the schedule: armed when the faulty phase begins, or later."""

    start_ns: Durations = Field(default=(0, 0), alias="start")
    """How long after the faulty phase began it is armed; two durations: the seed chooses between."""
    lasts_ns: Duration = Field(default=0, alias="lasts")
    """After so long the place is healed; left out: when the faulty phase is over."""
    chance: Chance = 1.0
    """In how many runs it takes part at all (swarm testing); the seed decides in which."""
