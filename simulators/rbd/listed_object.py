"""What listing a pool gives: one object by name, with the few things that can be done through it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storcert.simulators.rbd.ioctx import Ioctx


class ListedObject:
    """What ``list_objects`` gives: a name, and the context it is in."""

    def __init__(self, ioctx: Ioctx, key: str) -> None:
        self.ioctx, self.key, self.locator_key, self.nspace = ioctx, key, "", ""

    def stat(self) -> tuple[int, time.struct_time]:
        """Size and time of change."""
        return self.ioctx.stat(self.key)

    def read(self, length: int = 1024 * 1024) -> bytes:
        """From the beginning."""
        return self.ioctx.read(self.key, length)

    def remove(self) -> None:
        """Delete it."""
        self.ioctx.remove_object(self.key)
