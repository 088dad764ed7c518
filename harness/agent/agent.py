"""The agent: what runs at a storage VM or a host and carries out commands. Only here are drivers made and streams opened.

It answers every command with what came of it, remembers the answer, and does nothing twice for the same command. It begins
nothing after a command's deadline. What it remembers dies with its process; then it says that it began later.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from storcert.harness.agent.doors import Doors
from storcert.harness.agent.expected import Expected
from storcert.harness.agent.http_output import send
from storcert.harness.agent.link_door import LinkDoor
from storcert.harness.agent.ports import Machine
from storcert.harness.agent.steady_input import open_steadily
from storcert.harness.agent.transfer import Ticket, TooLate, digest_of, pump
from storcert.harness.agent.upload_door import UploadDoor
from storcert.harness.agent.virtual_machine import VirtualMachine
from storcert.harness.agent.web import download
from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    InputStream,
    InvalidRequest,
    Outcome,
    StorageDevice,
    StorageError,
    Unsupported,
)
from storcert.harness.record.command import Answer, Command, Ending, Verb

REMEMBERED_MAX = 4096
_DOOR_POLL_NS = 250_000_000


class Agent:
    """Made anew whenever its location starts. :meth:`handle` may be called for several commands side by side. ``doors``: what
    clients come to; the machine brings their requests."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.doors = Doors(machine)
        self._drivers: dict[str, Any] = {}
        self._ended: OrderedDict[str, Answer] = OrderedDict()
        self._running: dict[str, Ticket] = {}
        self._attached: dict[str, VirtualMachine] = {}

    def handle(self, command: Command) -> Answer:
        """Carry out a command: how it ended. Never raises; an error is an answer."""
        if command.verb in _ABOUT_AGENT:
            return _ABOUT_AGENT[command.verb](self, command.arguments)
        known = self._known(command.id)
        if known is not None:
            return known
        if command.boot != self.machine.boot:
            return self._answer(Ending.UNHEARD, {})  # its deadline is by a clock that is gone
        ticket = self._running[command.id] = Ticket(command.deadline_ns, self.machine.clock_ns)
        try:
            ticket.refuse_late()
            result = _VERBS[command.verb](self, command.arguments, ticket)
            if "look" in command.arguments:
                result = {**result, "found": self._look(command.arguments, ticket)}
            answer = self._answer(Ending.DONE, result)
        except StorageError as error:
            answer = self._answer(Ending.FAILED, error.to_json())
        except TooLate as late:
            answer = self._answer(Ending.FAILED, DeviceUnavailable(str(late), None, Outcome.NOT_DONE).to_json())
        except Exception as error:  # noqa: BLE001  (a driver may raise anything: that it did is the answer)
            told = f"the driver raised {type(error).__name__}: {error}"
            answer = self._answer(Ending.FAILED, DeviceUnavailable(told, None, Outcome.UNKNOWN, False).to_json())
        finally:
            del self._running[command.id]
        self._ended[command.id] = answer
        if len(self._ended) > REMEMBERED_MAX:
            self._ended.popitem(last=False)
        return answer

    # -- about the agent itself

    def _known(self, identity: str) -> Answer | None:
        ticket = self._running.get(identity)
        if ticket is not None:
            return self._answer(Ending.RUNNING, {"moved_bytes": ticket.moved_bytes})
        ended = self._ended.get(identity)
        return None if ended is None else replace(ended, clock_ns=self.machine.clock_ns())

    def _answer(self, ending: Ending, result: Mapping[str, Any]) -> Answer:
        return Answer(ending, self.machine.boot, result, self.machine.clock_ns())

    def _status(self, arguments: Mapping[str, Any]) -> Answer:
        return self._known(str(arguments["command"])) or self._answer(Ending.UNHEARD, {})

    def _cancel(self, arguments: Mapping[str, Any]) -> Answer:
        ticket = self._running.get(str(arguments["command"]))
        if ticket is not None:
            ticket.cancelled = True
        return self._answer(Ending.DONE, {"running": ticket is not None})

    def _hello(self, arguments: Mapping[str, Any]) -> Answer:
        return self._answer(Ending.DONE, {
            "boot": self.machine.boot, "attached": sorted(self._attached), "links": self.doors.links(),
            "transfer_url": self.machine.transfer_url,
        })

    # -- about devices

    def _driver(self, travel: str) -> Any:
        """The driver of a device, made here, from JSON. One per device: drivers keep nothing between calls."""
        found = self._drivers.get(travel)
        if found is None:
            found = self._drivers[travel] = StorageDevice.from_json(travel).make_driver()
        return found

    def _create(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        self._driver(arguments["device"]).create(_uri(arguments, "uri"), int(arguments["size_bytes"]))
        return {}

    def _delete(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        self._driver(arguments["device"]).delete(_uri(arguments, "uri"))
        return {}

    def _describe(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        driver, uri = self._driver(arguments["device"]), _uri(arguments, "uri")
        return _described(driver, uri, str(arguments.get("digest") or ""), ticket)

    def _look(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any] | None:
        """What is there of what was just made, with the digest of the algorithm asked for. ``None``: it could not be looked at,
        which says nothing about the making; whoever asked looks again."""
        driver = self._driver(arguments["target_device" if "target_device" in arguments else "device"])
        uri = _uri(arguments, "target" if "target" in arguments else "uri")
        try:
            return _described(driver, uri, arguments["look"], ticket)
        except (StorageError, TooLate):
            return None

    def _list(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        return {"uris": sorted(str(uri) for uri in self._driver(arguments["device"]).list_objects())}

    def _capabilities(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        return {"capabilities": self._driver(arguments["device"]).capabilities().to_json()}

    def _copy(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        self._driver(arguments["device"]).copy(_uri(arguments, "source"), _uri(arguments, "target"))
        return {}

    def _snapshot(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        take = self._optional(arguments["device"], "take_snapshot")
        take(_uri(arguments, "source"), _uri(arguments, "target"))
        return {}

    def _clone(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        self._optional(arguments["device"], "clone")(_uri(arguments, "source"), _uri(arguments, "target"))
        return {}

    def _revert(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        self._optional(arguments["device"], "revert")(_uri(arguments, "volume"), _uri(arguments, "snapshot"))
        return {}

    def _optional(self, travel: str, method: str) -> Callable[..., None]:
        found = getattr(self._driver(travel), method, None)
        if found is None:
            raise Unsupported(f"the driver has no {method}")
        made: Callable[..., None] = found
        return made

    # -- moving bytes

    def _input(
        self, driver: Any, uri: DataObjectUri, ticket: Ticket, offset: int = 0, length: int | None = None
    ) -> InputStream:
        return open_steadily(driver, uri, ticket, self.machine.sleep_ns, offset, length)

    def _stream(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        source, target = self._driver(arguments["source_device"]), self._driver(arguments["target_device"])
        start, end = _uri(arguments, "source"), _uri(arguments, "target")
        return pump(
            lambda: self._input(source, start, ticket), lambda: target.open_output(end, arguments["size_bytes"]), ticket,
            arguments["digest"],
        )

    def _download(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        driver, uri = self._driver(arguments["device"]), _uri(arguments, "uri")
        return download(
            arguments["url"], lambda size: driver.open_output(uri, size), ticket, arguments["size_bytes"],
            arguments["digest"], int(arguments["limit_bytes"]),
        )

    def _export(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        driver, uri = self._driver(arguments["device"]), _uri(arguments, "uri")
        size_bytes = driver.describe(uri).size_bytes
        return send(arguments["url"], lambda: self._input(driver, uri, ticket), size_bytes, ticket, uri)

    # -- doors

    def _receive(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        """Wait until a client has uploaded the object; with another command for the same key, where there is one already."""
        driver, uri, key = self._driver(arguments["device"]), _uri(arguments, "uri"), str(arguments["key"])
        expected = Expected(arguments["size_bytes"], arguments["digest"])
        done = self.doors.done(key)
        if done is not None:
            return done
        door = self.doors.find(key)
        if not isinstance(door, UploadDoor):
            door = UploadDoor(
                int(arguments["link"]), ticket, expected.size_bytes, expected.digest, int(arguments["limit_bytes"]),
                lambda size: driver.open_output(uri, size), self.doors.came,
            )
            self.doors.open(key, door)
        while not door.over:
            self.machine.sleep_ns(_DOOR_POLL_NS)
            ticket.moved_bytes = door.moved_bytes
            late = ticket.cancelled or self.machine.clock_ns() >= ticket.deadline_ns
            if late and door.shut():
                break
        self.doors.close(key, door.result)
        if door.result is not None:
            return door.result
        assert door.error is not None
        raise door.error

    def _offer(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        driver, uri, key = self._driver(arguments["device"]), _uri(arguments, "uri"), str(arguments["key"])
        if self.doors.find(key) is None:
            expires_ns = ticket.deadline_ns + int(arguments["lasts_longer_ns"])
            reading = Ticket(expires_ns, self.machine.clock_ns)
            found, ranges = driver.describe(uri), bool(driver.capabilities().range_read)
            door = LinkDoor(
                int(arguments["link"]), expires_ns, self.machine.clock_ns, found.size_bytes,
                hashlib.sha256(f"{uri} {found.size_bytes} {found.digest} {key}".encode()).hexdigest()[:32], ranges,
                lambda offset, length: self._input(driver, uri, reading, offset, length),
            )
            ticket.refuse_late()
            self.doors.open(key, door)
        return {}

    def _withdraw(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        self.doors.close(str(arguments["key"]))
        return {}

    # -- virtual machines

    def _attach(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        volume = str(_uri(arguments, "volume"))
        if volume not in self._attached:
            opened = self._optional(arguments["device"], "open_volume")
            size_bytes = self._driver(arguments["device"]).describe(_uri(arguments, "volume")).size_bytes
            handle: Any = opened(_uri(arguments, "volume"))
            machine = self._attached[volume] = VirtualMachine(self.machine, volume, handle, size_bytes)
            self.machine.note("attached", volume=volume, host=self.machine.name)
            machine.start(arguments.get("io"))
        return {}

    def _detach(self, arguments: Mapping[str, Any], ticket: Ticket) -> Mapping[str, Any]:
        machine = self._attached.get(str(_uri(arguments, "volume")))
        if machine is None:
            return {}
        result = machine.stop()
        del self._attached[machine.volume]
        self.machine.note("detached", volume=machine.volume, host=self.machine.name)
        return result


def _described(driver: Any, uri: DataObjectUri, algorithm: str, ticket: Ticket) -> Mapping[str, Any]:
    found = driver.describe(uri)
    digest = found.digest
    if algorithm and (digest is None or digest.partition(":")[0] != algorithm):
        digest = digest_of(driver.open_input(uri), algorithm, ticket)
    return {"size_bytes": found.size_bytes, "digest": digest}


def _uri(arguments: Mapping[str, Any], name: str) -> DataObjectUri:
    if name not in arguments:
        raise InvalidRequest(f"the command has no {name}")
    return DataObjectUri.parse(arguments[name])


_VERBS: Mapping[Verb, Callable[[Agent, Mapping[str, Any], Ticket], Mapping[str, Any]]] = {
    Verb.CREATE: Agent._create,
    Verb.DELETE: Agent._delete,
    Verb.DESCRIBE: Agent._describe,
    Verb.LIST: Agent._list,
    Verb.CAPABILITIES: Agent._capabilities,
    Verb.DEVICE_COPY: Agent._copy,
    Verb.SNAPSHOT: Agent._snapshot,
    Verb.CLONE: Agent._clone,
    Verb.REVERT: Agent._revert,
    Verb.STREAM: Agent._stream,
    Verb.DOWNLOAD: Agent._download,
    Verb.EXPORT: Agent._export,
    Verb.RECEIVE: Agent._receive,
    Verb.OFFER: Agent._offer,
    Verb.WITHDRAW: Agent._withdraw,
    Verb.ATTACH: Agent._attach,
    Verb.DETACH: Agent._detach,
}
_ABOUT_AGENT: Mapping[Verb, Callable[[Agent, Mapping[str, Any]], Answer]] = {
    Verb.STATUS: Agent._status,
    Verb.CANCEL: Agent._cancel,
    Verb.HELLO: Agent._hello,
}
