"""How the cluster says no: an error number, turned into the exceptions of the two client libraries by their faces."""

from __future__ import annotations

import errno


class Refusal(Exception):
    """``number``: a positive error number."""

    def __init__(self, number: int, message: str = "") -> None:
        super().__init__(number, message)
        self.number = number
        self.message = message

    @property
    def code(self) -> str:
        """``ENOENT`` and the like: what stands in the request log."""
        return errno.errorcode.get(self.number, str(self.number))
