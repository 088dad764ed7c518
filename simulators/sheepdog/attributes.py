"""Attributes of VDIs. They hang on the name, not on the VDI: whoever makes the name again finds the old ones.

Source: get_vdi_attr in sheep/vdi.c. An attribute is an object placed by a hash of name, tag and key. Deleting one only
blanks the name in it, the object stays; deleting the VDI touches none of them.
"""

from __future__ import annotations

from storcert.simulators.sheepdog.results import Refused, Result

VALUE_BYTES_MAX = 65_536
Key = tuple[bytes, bytes, int, bytes]
"""Name, tag, snapshot id, key."""


class Attributes:
    """By name, tag, snapshot id and key. ``blanked``: how many were deleted; their objects stay."""

    def __init__(self) -> None:
        self._values: dict[Key, bytes] = {}
        self.blanked = 0

    def all_keys(self) -> list[Key]:
        """All that can be found, sorted."""
        return sorted(self._values)

    def get(self, key: Key) -> bytes:
        """The value. Raises ``NO_OBJ``."""
        if key not in self._values:
            raise Refused(Result.NO_OBJ)
        return self._values[key]

    def set(self, key: Key, value: bytes, *, exclusive: bool) -> None:
        """Write it. ``exclusive`` raises ``VDI_EXIST`` where it is there."""
        if exclusive and key in self._values:
            raise Refused(Result.VDI_EXIST)
        self._values[key] = value

    def blank(self, key: Key) -> None:
        """Delete it. Raises ``NO_OBJ``."""
        self.get(key)
        del self._values[key]
        self.blanked += 1
