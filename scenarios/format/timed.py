"""What every step of a scenario may say: its name, when it is taken, how it must end."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from storcert.scenarios.format.base import Name, Value
from storcert.scenarios.format.units import Duration

ENDINGS = (
    "done", "failed", "any", "died", "unended", "ObjectNotFound", "ObjectExists", "ObjectInUse", "CapacityExceeded",
    "SizeMismatch", "InvalidRequest", "Unsupported", "PermissionDenied", "DeviceUnavailable", "DataCorrupted",
)


def _endings(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Ending = Literal[
    "done", "failed", "any", "died", "unended", "ObjectNotFound", "ObjectExists", "ObjectInUse", "CapacityExceeded",
    "SizeMismatch", "InvalidRequest", "Unsupported", "PermissionDenied", "DeviceUnavailable", "DataCorrupted",
]
Endings = Annotated[
    tuple[Ending, ...], BeforeValidator(_endings),
    PlainSerializer(lambda value: value[0] if len(value) == 1 else list(value), return_type=str | list[str]),
    WithJsonSchema({"anyOf": [{"enum": list(ENDINGS)}, {"type": "array", "items": {"enum": list(ENDINGS)}}]}),
]


class Timed(Value):
    """What every step may say. Steps run one after another, in the order of the file, each once the one before has ended;
    a step with `at` or `after` runs beside them, at its own time."""

    name: Name | None = None
    """What other steps, and the result, call it; left out: what it does, with its number."""
    at_ns: Duration | None = Field(default=None, alias="at")
    """So long after its part of the scenario began."""
    after: Name | None = None
    """Once the step of that name has ended."""
    delay_ns: Duration = Field(default=0, alias="delay")
    """And so long later."""
    background: bool = False
    """The next step does not wait until this one has ended."""


class Ended(Timed):
    """What every step may say that can end in more than one way."""

    expect: Endings = ("done",)
    """How it must end: "done", the name of an error of the contract, "failed" (with whichever error), "died" (the server it was
    asked of), "unended"; several of them where it may end in more than one way; "any": however it ends."""
