"""How an operation of the server says no. Nothing else lives here."""

from __future__ import annotations

from storcert.simulators.nfs.status import NfsStatus


class Refusal(Exception):
    """The status of the answer. Nothing was changed."""

    def __init__(self, status: NfsStatus) -> None:
        super().__init__(status.name)
        self.status = status
