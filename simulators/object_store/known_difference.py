"""One known difference between the native model and a real server, as a value: what it explains, and a program that shows it.

The rows are in ``known_differences`` (moto) and ``known_differences_radosgw``; the differential tests read them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypeAlias

Call: TypeAlias = tuple[str, Mapping[str, Any]]
Scope: TypeAlias = Literal["field", "answer", "program"]


class _Mark:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


ANYTHING: Final = _Mark("ANYTHING")
"""Matches every value of a field, ``None`` too, and every value of an argument that is there."""
ABSENT: Final = _Mark("ABSENT")
"""Matches an argument that is not there."""


@dataclasses.dataclass(frozen=True, slots=True)
class KnownDifference:
    """``field``: path without indices, or ``outcome`` where a side raised; a shell pattern.

    ``native`` and ``real``: the values on each side, ``None`` for an absent field; texts are shell patterns. ``given``:
    arguments the call must have; ``after``: operations, as shell patterns, each of which must have been called before.
    ``scope``: what is not compared further: this field, this whole answer, or the rest of the program as well, because
    from here on the two hold different things. ``example``: calls that show it.
    """

    name: str
    operations: tuple[str, ...]
    field: str
    native: object
    real: object
    reason: str
    example: tuple[Call, ...]
    given: Mapping[str, object] = dataclasses.field(default_factory=dict)
    after: tuple[str, ...] = ()
    scope: Scope = "field"

    def explains(self, program: Sequence[Call], field: str, native: object, real: object) -> bool:
        """Whether this row is about a difference in the answer to the last call of ``program``."""
        operation, arguments = program[-1]
        earlier = [name for name, _ in program[:-1]]
        return (
            all(any(fnmatchcase(name, pattern) for name in earlier) for pattern in self.after)
            and operation in self.operations
            and all(_fits(value, arguments.get(name, ABSENT)) for name, value in self.given.items())
            and fnmatchcase(field.replace("[]", ""), self.field)
            and _fits(self.native, native)
            and _fits(self.real, real)
        )


def _fits(expected: object, value: object) -> bool:
    if isinstance(expected, str) and isinstance(value, str):
        return fnmatchcase(value, expected)
    if expected is ANYTHING:
        return value is not ABSENT
    return expected is value or expected == value


def row(
    name: str, operations: str, field: str, native: object, real: object, reason: str,
    *example: Call, given: Mapping[str, object] | None = None, after: str = "", scope: Scope = "field",
) -> KnownDifference:  # fmt: skip
    """A row; ``operations`` and ``after`` are separated by spaces."""
    return KnownDifference(
        name, tuple(operations.split()), field, native, real, reason, example, given or {}, tuple(after.split()), scope
    )
