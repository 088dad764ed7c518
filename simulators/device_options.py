"""How a table of simulator options becomes a device's options: names, types and smallest values. No device here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def read_options(made_as: type[T], device: str, options: Mapping[str, Any] | None, at_least_one: Collection[str] = ()) -> T:
    """``made_as``: the frozen dataclass of the device's options, every field with a default. ``at_least_one``: whole numbers
    that may not be 0, as every ``..._per_s`` may not; no whole number may be below 0.

    Raises ``ValueError`` for a name, type or value there is none of.
    """
    known = {field.name: field for field in fields(made_as)}  # type: ignore[arg-type]
    given = dict(options or {})
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{device} has no option {name!r}; there are: {', '.join(known)}")
        default = known[name].default
        if type(value) is not type(default):
            raise ValueError(f"{device} option {name}: {value!r} is no {type(default).__name__}")
        least = 1 if name in at_least_one or name.endswith("_per_s") else 0
        if type(value) is int and value < least:
            raise ValueError(f"{device} option {name}: {value} is too small")
    return made_as(**given)
