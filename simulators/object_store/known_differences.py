"""Where moto 5.2 answers otherwise than the native model in its ``moto`` dialect, as data; the differential test reads it.

A row explains one difference in one field and carries a program that shows it. A difference without a row fails the test, and
so does a row whose own program no longer shows it. Nothing but rows and their type lives here: what moto does and a
client can make use of belongs into the dialect, not into this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final


class _Anything:
    def __repr__(self) -> str:
        return "ANYTHING"


ANYTHING: Final = _Anything()
"""Matches every value, an absent one too."""


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """``field``: path with ``[]`` for any index, or ``outcome`` where only one side raised; shell patterns allowed.

    ``native`` and ``moto``: the values on each side, ``None`` for an absent field, or :data:`ANYTHING`. ``diverges``: from
    here on the two hold different things and the rest of a program is not compared. ``example``: calls that show it.
    """

    name: str
    operations: tuple[str, ...]
    field: str
    native: object
    moto: object
    reason: str
    example: tuple[tuple[str, Mapping[str, Any]], ...]
    diverges: bool = False

    def explains(self, operation: str, field: str, native: object, moto: object) -> bool:
        """Whether this row is about that difference."""
        return (
            (operation in self.operations or self.operations == ("*",))
            and fnmatchcase(field.replace("[]", ""), self.field.replace("[]", ""))
            and (self.native is ANYTHING or self.native == native)
            and (self.moto is ANYTHING or self.moto == moto)
        )


_PUT: Final = ("put_object", {"Key": "a", "Body": "$bytes:5:0"})

KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = ()
