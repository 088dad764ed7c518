"""What a management server asks of a location, and what comes back. Values that travel as JSON; nothing here does anything.

A command names devices by their JSON and objects by their URIs. It carries a deadline: an agent begins nothing for it, and
publishes nothing, after that. An agent remembers how a command ended, so asking again for the same command does nothing twice.

No two machines agree on the time of day, so a deadline is said in the time of the agent that is asked: nanoseconds of a clock
that never jumps, since some moment of that run of its process. Each answer tells that clock; whoever asks reckons by it. The
clock of another run is another clock: an agent refuses a command that was meant for one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Verb(StrEnum):
    """What can be asked. Those up to ``RECEIVE`` act on devices; the rest asks the agent about itself.

    ``RECEIVE`` waits for a client to upload an object; ``OFFER`` lets clients read one, from then on until ``WITHDRAW``."""

    CREATE = "create"
    DELETE = "delete"
    DESCRIBE = "describe"
    LIST = "list"
    DEVICE_COPY = "device-copy"
    SNAPSHOT = "snapshot"
    CLONE = "clone"
    REVERT = "revert"
    STREAM = "stream"
    DOWNLOAD = "download"
    EXPORT = "export"
    RECEIVE = "receive"
    OFFER = "offer"
    WITHDRAW = "withdraw"
    CAPABILITIES = "capabilities"
    ATTACH = "attach"
    DETACH = "detach"
    STATUS = "status"
    CANCEL = "cancel"
    HELLO = "hello"


@dataclass(frozen=True, slots=True)
class Command:
    """``id``: unique for ever. ``arguments``: a JSON object. ``deadline_ns``: by the clock of the agent of run ``boot``;
    neither counts for what asks the agent about itself."""

    id: str
    verb: Verb
    arguments: Mapping[str, Any]
    deadline_ns: int = 0
    boot: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "id": self.id, "verb": str(self.verb), "arguments": dict(self.arguments), "deadline_ns": self.deadline_ns,
            "boot": self.boot,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
        return cls(
            str(value["id"]), Verb(value["verb"]), dict(value["arguments"]), int(value["deadline_ns"]), str(value["boot"]))


class Ending(StrEnum):
    """How a command stands at its agent. ``unheard``: the agent knows nothing of it: it was never told, or has restarted, or
    the command was meant for a run of it that is over."""

    DONE = "done"
    FAILED = "failed"
    RUNNING = "running"
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Answer:
    """``result``: of a command that is done, its result; of a failed one, the error as JSON; of a running one, its progress.
    ``boot``: identifies the agent's process; another one after a restart. ``clock_ns``: its clock, when it answered."""

    ending: Ending
    boot: str
    result: Mapping[str, Any] = field(default_factory=dict)
    clock_ns: int = 0

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "ending": str(self.ending), "boot": self.boot, "result": dict(self.result), "clock_ns": self.clock_ns}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
        return cls(Ending(value["ending"]), str(value["boot"]), dict(value["result"]), int(value["clock_ns"]))
