"""Doors: URLs at an agent behind which clients come to objects, each under a key that nobody can guess, each until a moment.

A door is opened for one object by a command and closed again, by a command or with the agent's process. The bytes go between
the client and the device here, and nowhere else. What is behind a door, ``upload_door`` and ``link_door`` say; what carries
HTTP to here, the machine does. No device is known here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from storcert.harness.agent.ports import Machine
from storcert.harness.record.web_request import Asked, Reply

PATH = "/transfer/"
DONE_MAX = 1024


def said(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """A short answer in words."""
    data = f"{text}\n".encode()
    return Reply(status, (("content-type", "text/plain; charset=utf-8"), *headers), (data,), len(data))


class Door(Protocol):
    """What is behind one URL."""

    @property
    def link(self) -> int:
        """Its number in the catalogue."""
        ...

    @property
    def expires_ns(self) -> int:
        """From then on nothing passes, by the agent's clock."""
        ...

    def answer(self, asked: Asked) -> Reply:
        """Do what the client asks."""
        ...


@dataclass(slots=True)
class Doors:
    """All doors of one agent, by key."""

    machine: Machine
    _open: dict[str, Door] = field(default_factory=dict)
    _done: OrderedDict[str, Mapping[str, Any]] = field(default_factory=OrderedDict)

    def find(self, key: str) -> Door | None:
        """The open door of that key."""
        return self._open.get(key)

    def open(self, key: str, door: Door) -> None:
        """Let clients in."""
        self._open[key] = door
        self.machine.note("door", link=door.link, event="opened", lasts_ns=door.expires_ns - self.machine.clock_ns())

    def done(self, key: str) -> Mapping[str, Any] | None:
        """What came of a door that was closed because it was done."""
        return self._done.get(key)

    def close(self, key: str, done: Mapping[str, Any] | None = None) -> None:
        """Let nobody in any more; repeating does nothing. ``done``: what came of it, if it was done: a client that did not
        hear it is told so, and so is whoever opens it again."""
        door = self._open.pop(key, None)
        if door is None:
            return
        if done is not None:
            self._done[key] = done
            if len(self._done) > DONE_MAX:
                self._done.popitem(last=False)
        self.machine.note("door", link=door.link, event="closed")

    def came(self, link: int) -> None:
        """What a client brought to that link is on the device; the client will be told so."""
        self.machine.note("door", link=link, event="came")

    def links(self) -> list[int]:
        """The numbers of the open doors."""
        return sorted(door.link for door in self._open.values())

    def answer(self, asked: Asked) -> Reply:
        """Find the door and let it answer."""
        path = asked.path.partition("?")[0]
        key = path.removeprefix(PATH)
        door = self._open.get(key) if path.startswith(PATH) else None
        if door is None:
            if key in self._done:
                return said(200, "it is there already")
            return said(404, "no such transfer: it is over, or its URL is another one by now")
        if self.machine.clock_ns() >= door.expires_ns:
            return said(410, "the time for this transfer is over")
        return door.answer(asked)
