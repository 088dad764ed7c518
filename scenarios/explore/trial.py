"""One run of an exploration, and what came of it, as values: both travel to workers and back. Nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.format.scenario import Scenario

EXPECTED = "EXPECTED"
"""The rule that stands for what is expected of any run: it comes to rest, and the program raises nothing of its own."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One cell of the matrix: a fault, at an operation of a place, in a phase of its request. ``operation``: ``*`` for any."""

    place: str
    operation: str
    fault: str
    phase: str

    def __str__(self) -> str:
        return f"{self.fault} {self.phase} {self.operation} at {self.place}"


@dataclass(frozen=True, slots=True)
class Trial:
    """A scenario and a seed: all that decides a run. ``parent``: the trial it was made from, -1 where that is the scenario
    that was given."""

    scenario: Scenario
    seed: int
    parent: int = -1


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """A rule that broke. ``key``: its words with names and numbers taken out, by which findings are told apart; ``time_ns``:
    virtual time since the epoch of the simulation, 0 where it has none."""

    rule: str
    key: str
    text: str
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class TrialResult:
    """``breaks``: the first of each key. ``struck``: how often each fault of the scenario struck; 0: it never did. ``rules``:
    those that had something to look at. ``operations``: how many steps and operations of clients there were. ``lines``: of the
    program under test, by file, as the bits of a number; empty where they are not watched. ``error``: the kit itself failed."""

    verdict: Verdict
    breaks: tuple[Break, ...] = ()
    struck: tuple[tuple[Cell, int], ...] = ()
    rules: tuple[str, ...] = ()
    operations: int = 0
    lasted_ns: int = 0
    digest: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """For the journal of an exploration. Bits of lines as hexadecimal text."""
        value: dict[str, Any] = {"verdict": str(self.verdict), "digest": self.digest, "operations": self.operations}
        value["lasted_ns"] = self.lasted_ns
        if self.breaks:
            value["breaks"] = [[one.rule, one.key, one.text, one.time_ns] for one in self.breaks]
        if self.struck:
            value["struck"] = [
                [cell.place, cell.operation, cell.fault, cell.phase, count] for cell, count in self.struck]
        if self.rules:
            value["rules"] = list(self.rules)
        if self.lines:
            value["lines"] = {file: f"{bits:x}" for file, bits in self.lines}
        if self.error:
            value["error"] = self.error
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrialResult:
        """Inverse of :meth:`to_json`. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
        return cls(
            Verdict(value["verdict"]),
            tuple(Break(*one) for one in value.get("breaks", ())),
            tuple((Cell(*one[:4]), int(one[4])) for one in value.get("struck", ())),
            tuple(str(rule) for rule in value.get("rules", ())),
            int(value["operations"]), int(value["lasted_ns"]), str(value["digest"]),
            tuple((file, int(bits, 16)) for file, bits in value.get("lines", {}).items()),
            str(value.get("error", "")),
        )
