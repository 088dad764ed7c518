"""Whoever looks on while a scenario is played, and may not touch anything: what phase it is, what clients ask for, how the
region stands at the end."""

from __future__ import annotations

from storcert.scenarios.format.load import Phase
from storcert.scenarios.format.steps import Request
from storcert.scenarios.region import Region


class Onlooker:
    """Sees nothing; others see what they are interested in."""

    def begins(self, region: Region) -> None:
        """The region is built, and nothing has happened yet."""

    def phase(self, phase: Phase, now_ns: int) -> None:
        """That phase begins. Virtual time."""

    def asked(self, workload: str, step: Request, server: str, now_ns: int) -> None:
        """A client of a workload asks a management server for that."""

    def over(self, region: Region) -> None:
        """The run is judged; the region can still be looked at."""
