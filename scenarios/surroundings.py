"""Management servers and agents in a simulation: their clocks are virtual, their catalogue is a server on a wire, what they
say to each other are messages of the network. The code that runs on them is the same as outside.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from storcert.harness.agent.agent import Agent
from storcert.harness.kernel import DeadlineExpired, Kernel, Location
from storcert.harness.logical.ports import CatalogueLost, NoAnswer
from storcert.harness.logical.repository import Repository
from storcert.harness.logical.session import Fact, Session
from storcert.harness.record.command import Answer, Command, Verb
from storcert.simulators.http_source import HttpSource
from storcert.simulators.network import wire as wires
from storcert.simulators.network.errors import WireError
from storcert.simulators.network.messages import Sending
from storcert.simulators.network.topology import network_of
from storcert.simulators.network.wire import Wire

T = TypeVar("T")
MESSAGE_BYTES = 512
CATALOGUE_NS = 200_000
"""How long the catalogue works on a transaction."""
CATALOGUE_PATIENCE_NS = 60 * 10**9
"""How long a server waits for the answer to one, as clients of databases do; it may still happen, or have happened."""
_ANSWERED_AT_ONCE = (Verb.STATUS, Verb.CANCEL, Verb.HELLO)
_as_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # one for all: json.dumps makes one each time


class Catalogue:
    """The one catalogue of a region, on a wire: each transaction is a request, so a server can die before or after it.

    Fault model. A transaction is one instant: it is done whole or not at all, and one that was answered is never lost. What
    varies is what the server that asked for it learns: nothing (a lost answer, a connection that is reset, a catalogue that is
    down), late, or not any more, because it died. [a SQL database behind a network: what commit promises, and what a client
    does not know when the connection breaks during it]

    Not modelled, and why:

    - a replica that lags behind: all servers ask the one primary, as they do behind a real one that fails over.
    - deadlocks and serialisation failures between transactions: transactions here run one after another; what a server does
      when it must repeat one is what it does after a lost answer.
    - a catalogue that is lost or restored from an old copy: no control plane could tell; reconciliation finds what is left.
    """

    name = "catalogue"

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.repository = Repository(on_commit=self._committed, clock_ns=lambda: kernel.now_ns)
        self.wire = Wire(kernel, self.name)

    def _committed(self, fact: Fact) -> None:
        note(self._kernel, "", *fact)

    def transact(self, label: str, body: Callable[[Session], T]) -> T:
        """One transaction, for the server whose task runs. Raises what ``body`` raises, and :class:`CatalogueLost`."""

        def effect() -> wires.Answer:
            try:
                return wires.Answer((self.repository.transact(body), None), service_ns=CATALOGUE_NS)
            except Exception as error:  # noqa: BLE001  (it is the caller's: a refusal of the control plane, or a bug of it)
                return wires.Answer((None, error), "undone", service_ns=CATALOGUE_NS)

        try:
            result, error = self.wire.call(label, "", effect, read_timeout_ns=CATALOGUE_PATIENCE_NS).answer.result
        except WireError as lost:
            raise CatalogueLost(f"{label}: {type(lost).__name__}") from lost
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: a cycle
        found: T = result
        return found


def note(kernel: Kernel, location: str, sort: str, value: dict[str, Any]) -> None:
    """A fact, into the journal of the run, and to whoever listens. Nobody may change ``value`` afterwards."""
    kernel.journal.record(sort, location, _as_json(value), value)


class _At:
    """What every simulated location has."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.kernel = location.kernel

    @property
    def name(self) -> str:
        """Of the location."""
        return self.location.name

    def clock_ns(self) -> int:
        """Virtual time since this run of the location began."""
        return self.kernel.now_ns - self.location.booted_ns

    def sleep_ns(self, duration_ns: int) -> None:
        """Let virtual time pass."""
        self.kernel.sleep_ns(duration_ns)

    def spawn(self, label: str, body: Callable[[], None]) -> None:
        """A task of the location."""
        self.kernel.spawn(body, location=self.location, name=label)

    def note(self, sort: str, /, **value: Any) -> None:
        """A fact."""
        note(self.kernel, self.location.name, sort, value)


class SimulatedServer(_At):
    """The surroundings of a management server. Made anew when its location restarts."""

    def __init__(self, location: Location, catalogue: Catalogue) -> None:
        super().__init__(location)
        self.boot = str(location.epoch)
        self._catalogue = catalogue
        self._messages = network_of(location.kernel).messages
        self._waiting: dict[str, Any] = {}
        self._asked = 0
        self._messages.listen(location, "", self._hear)

    def transact(self, label: str, body: Callable[[Session], T]) -> T:
        """One transaction of the region's catalogue."""
        return self._catalogue.transact(label, body)

    def ask(self, location: str, command: Command, timeout_ns: int) -> Answer:
        """Send a command and wait for the answer."""
        agent = self.kernel.locations.get(location)
        if agent is None:
            raise NoAnswer(f"there is no location {location!r}")
        self._asked += 1
        number = f"{self.location.epoch}/{self._asked}"
        arrived = self._waiting[number] = self.kernel.event()
        payload = {"number": number, "command": command.to_json()}
        self._messages.send(self.location, agent, payload, MESSAGE_BYTES)
        try:
            reason = f"{command.verb} {command.id} at {location}"
            answer: Answer = self.kernel.wait(arrived, timeout_ns, reason=reason)
        except DeadlineExpired:
            raise NoAnswer(f"{command.verb} at {location}") from None
        finally:
            self._waiting.pop(number, None)
        return answer

    def _hear(self, letter: Sending) -> None:
        waiting = self._waiting.get(letter.payload["number"]) if "answer" in letter.payload else None
        if waiting is not None and not waiting.triggered:
            waiting.succeed(Answer.from_json(letter.payload["answer"]))


@dataclass(slots=True)
class Guests:
    """The virtual machines of a region: each waits at least for ``pause_ns`` between two writes."""

    pause_ns: int = 0


class SimulatedMachine(_At):
    """The machine an agent runs on. Made anew when its location restarts. ``transfer_url``: where clients reach its doors."""

    def __init__(self, location: Location, guests: Guests) -> None:
        super().__init__(location)
        self._guests = guests
        self.transfer_url = ""
        self.boot = f"{location.name}/{location.epoch}"

    def pace_ns(self, pause_ns: int) -> int:
        """No shorter than the region lets its virtual machines wait."""
        return max(pause_ns, self._guests.pause_ns)

    def stream(self, name: str) -> Random:
        """A random stream of this life of the location."""
        return self.kernel.new_stream(f"location/{self.boot}/{name}")


def run_agent(location: Location, web: HttpSource, guests: Guests) -> None:
    """The agent of a location, from its start to its death. Runs as a task there. ``web``: where clients find its doors."""
    machine = SimulatedMachine(location, guests)
    agent = Agent(machine)
    machine.transfer_url = web.serve_at(location, agent.doors.answer)
    messages = network_of(location.kernel).messages

    def serve(source: Location, number: str, command: Command) -> None:
        answer = agent.handle(command)
        messages.send(location, source, {"number": number, "answer": answer.to_json()}, MESSAGE_BYTES)

    def hear(letter: Sending) -> None:
        source, number = location.kernel.locations[letter.source], letter.payload["number"]
        command = Command.from_json(letter.payload["command"])
        if command.verb in _ANSWERED_AT_ONCE and not location.paused:
            serve(source, number, command)
        else:
            location.kernel.spawn(serve, source, number, command, location=location, name=f"{command.verb} {command.id}")

    messages.listen(location, "", hear)
    location.kernel.wait(location.kernel.event(), reason="commands")
