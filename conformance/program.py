"""Programs: what generated checks run. A few tasks, each a list of steps at a location, and a fault schedule. Pure data.

A program goes through JSON, so that it fits in a replay token, can be read by a person, and is run again without the
generator that made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storcert.harness.record.fault import Fault


@dataclass(frozen=True, slots=True)
class Step:
    """``verb``: create, write, copy, delete, read, describe, list; pwrite, pread, snapshot, revert, clone. ``uri`` and
    ``source``: number of a name of the program (a revert's volume is ``uri``). ``size``: bytes.
    ``pieces``: write or read sizes in turn. ``end``: how a write ends. ``offset`` and ``length``: range of a read or
    pwrite. ``announced``: whether a write announces its size. ``pause_ms``: before the step."""

    verb: str
    uri: int = 0
    source: int = 0
    size: int = 0
    pieces: tuple[int, ...] = ()
    end: str = "commit"
    offset: int = 0
    length: int | None = None
    announced: bool = False
    pause_ms: int = 0

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults."""
        value: dict[str, Any] = {"verb": self.verb}
        for name in _FIELDS:
            item = getattr(self, name)
            if item != getattr(_PLAIN, name):
                value[name] = list(item) if isinstance(item, tuple) else item
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Step:
        """Inverse of :meth:`to_json`."""
        fields = dict(value)
        if "pieces" in fields:
            fields["pieces"] = tuple(fields["pieces"])
        return cls(**fields)


_FIELDS = ("uri", "source", "size", "pieces", "end", "offset", "length", "announced", "pause_ms")
_PLAIN = Step("")


@dataclass(frozen=True, slots=True)
class Program:
    """``names``: (kind, account, object id) per number. ``tasks``: location and steps of each."""

    names: tuple[tuple[str, str, str], ...]
    tasks: tuple[tuple[str, tuple[Step, ...]], ...]
    faults: tuple[Fault, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "names": [list(name) for name in self.names],
            "tasks": [[location, [step.to_json() for step in steps]] for location, steps in self.tasks],
            "faults": [fault.to_json() for fault in self.faults],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Program:
        """Inverse of :meth:`to_json`. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
        return cls(
            tuple((str(kind), str(account), str(name)) for kind, account, name in value["names"]),
            tuple((str(location), tuple(Step.from_json(step) for step in steps)) for location, steps in value["tasks"]),
            tuple(Fault.from_json(fault) for fault in value["faults"]),
        )

    @property
    def concurrent(self) -> bool:
        """Whether more than one task runs."""
        return len(self.tasks) > 1

    def operations(self) -> int:
        """How many steps there are in all."""
        return sum(len(steps) for _, steps in self.tasks)


def key_of(task: int, number: int) -> str:
    """Content key of the write that is step ``number`` of task ``task``; unique in a program."""
    return f"t{task}s{number}"


def locations(program: Program) -> Sequence[str]:
    """The locations in use, sorted."""
    return sorted({location for location, _ in program.tasks})
