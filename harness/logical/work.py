"""One job at work: its transactions, which prove that it is still ours, and its commands, whose fate is always found out.

A command that was not answered is never guessed about. Its agent is asked how it ended; where the agent has forgotten it
(restarted) or cannot be reached, the command is over at its deadline, because no agent begins or publishes anything after
that, plus the time a device call that had begun may take. Only then the work goes on, and looks at the device itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from storcert.harness.contract import DeviceUnavailable, InvalidRequest, Outcome, StorageError
from storcert.harness.logical.engine import ASK_NS, SECOND_NS, Engine, hold
from storcert.harness.logical.ports import NoAnswer
from storcert.harness.logical.records import DeviceRecord, JobRecord, JobState
from storcert.harness.logical.session import Session
from storcert.harness.record.command import Answer, Command, Ending, Verb

T = TypeVar("T")
MINUTE_NS = 60 * SECOND_NS
CALL_NS = 15 * MINUTE_NS
"""Longest that one call of a driver may take (C-BUDGET)."""
SLOWEST_BYTES_PER_S = 1_000_000
TOLD_BYTES = 16 << 20
"""From so many bytes on it can be asked how far a command is; for less it is not worth a transaction."""
_POLL_NS, _POLL_SHARE = 2 * SECOND_NS, 8
"""A command that has not been answered is asked about again after so long, and ever less often: after an eighth of the time
that was waited so far. Who waits for its end learns it a little later; the questions would be most of the work otherwise."""
_REFUSALS_MAX = 3


class Lost(Exception):
    """Nobody knows how the command ended, and it certainly has: nothing of it happens any more."""

    def __init__(self, location: str, verb: Verb) -> None:
        self.location = location
        super().__init__(f"{verb} at {location} was not answered")

    def error(self, uri: str) -> DeviceUnavailable:
        """As the contract says it."""
        return DeviceUnavailable(str(self), uri, Outcome.UNKNOWN)


class Cancelled(StorageError):
    """The job was cancelled."""


class Work:
    """Given to a handler. ``job``: the row as it was when last proved ours. ``ended``: the same once it has ended."""

    def __init__(self, engine: Engine, job: JobRecord) -> None:
        self.engine = engine
        self.job = job
        self.ended: JobRecord | None = None
        self._ending: JobRecord | None = None
        self._commands = 0
        self._read: tuple[int, int] | None = None

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.job.arguments

    def now_ns(self) -> int:
        """Unix time by the catalogue's clock, as far as it is known from the last transaction."""
        if self._read is None:
            self.transact("time", lambda session: None)
        assert self._read is not None
        return self._read[0] + self.engine.surroundings.clock_ns() - self._read[1]

    def transact(self, label: str, body: Callable[[Session], T]) -> T:
        """One transaction of this job. Raises ``JobLost`` where another server has it by now."""
        now_ns = 0

        def held(session: Session) -> T:
            nonlocal now_ns
            self._ending = None
            self.job = hold(session, self.job)
            now_ns = session.now_ns
            return body(session)

        found = self.engine.surroundings.transact(f"{self.job.kind}: {label}", held)
        self._read = now_ns, self.engine.surroundings.clock_ns()
        self.ended = self._ending
        return found

    def end(self, session: Session, result: Mapping[str, Any]) -> None:
        """The job ends with that result in the transaction at hand, which is its last."""
        session.finish_job(self.job, JobState.SUCCEEDED, result)
        self._ending = replace(self.job, state=JobState.SUCCEEDED, result=result)

    def pause(self, duration_ns: int) -> None:
        """Wait. Raises :class:`Cancelled`, and ``JobLost`` where another server has the job by then."""
        self.engine.surroundings.sleep_ns(duration_ns)
        self.transact("waited", lambda session: None)
        self.refuse_cancelled()

    def refuse_cancelled(self) -> None:
        """Raise :class:`Cancelled` where somebody wants the job to end."""
        if self.job.cancelled:
            raise Cancelled(f"job {self.job.id} was cancelled", self.job.key)

    # -- commands

    def ask(
        self, location: str, verb: Verb, arguments: Mapping[str, Any], *, moves_bytes: int = 0, lasts_ns: int | None = None
    ) -> Mapping[str, Any]:
        """Have a location do something: its result. Raises the contract's error it ended with, or :class:`Lost`. ``lasts_ns``:
        it may take so long, whatever it moves."""
        around = self.engine.surroundings
        allowed_ns = ASK_NS + moves_bytes * SECOND_NS // SLOWEST_BYTES_PER_S
        if lasts_ns is not None:
            allowed_ns = max(0, lasts_ns)
        refusals = 0
        while True:
            command, until_ns = self._command(location, verb, arguments, allowed_ns)
            if moves_bytes >= TOLD_BYTES or lasts_ns is not None:
                self._tell_under_way(location, command, moves_bytes)
            if not self.engine.surely_alive:
                self.transact("still ours", lambda session: None)
                self.engine.beat()
            around.note(
                "command", id=command.id, event="sent", job=self.job.id, at=location, verb=str(verb),
                allowed_ns=until_ns - around.clock_ns(), **_shown(arguments),
            )
            self.engine.busy[location] += 1
            try:
                # What waits for a client is asked again and again, so that whoever cancels it need not wait for long.
                answer, refused = self._answer(location, command, until_ns, ASK_NS if lasts_ns is None else _POLL_NS)
            finally:
                self.engine.busy[location] -= 1
            around.note("command", id=command.id, event="ended", job=self.job.id, at=location, ending=str(answer.ending))
            refusals += refused
            if not refused or refusals == _REFUSALS_MAX:
                break
        if answer.ending is Ending.DONE:
            return answer.result
        if answer.ending is Ending.FAILED:
            raise StorageError.from_json(answer.result)
        raise Lost(location, verb)

    def _command(
        self, location: str, verb: Verb, arguments: Mapping[str, Any], allowed_ns: int
    ) -> tuple[Command, int]:
        """And until when it may take, by this server's clock. Raises :class:`Lost` where nobody answers there at all."""
        if verb is not Verb.HELLO and not self.engine.knows(location):
            self.ask(location, Verb.HELLO, {})
        self._commands += 1
        identity = f"{self.job.id}.{self.job.version}.{self._commands}"
        until_ns = self.engine.surroundings.clock_ns() + allowed_ns
        if verb is Verb.HELLO:
            return Command(identity, verb, arguments), until_ns
        return self.engine.command(location, identity, verb, arguments, until_ns), until_ns

    def _tell_under_way(self, location: str, command: Command, moves_bytes: int) -> None:
        self.transact("under way", lambda session: session.set_under_way(self.job.id, command.id, location, moves_bytes))

    def _answer(self, location: str, command: Command, until_ns: int, patience_ns: int) -> tuple[Answer, bool]:
        """And whether it was refused at once: its agent was restarted since it was last heard of."""
        refused = False
        try:
            answer = self.engine.ask(location, command, patience_ns)
            refused = answer.ending is Ending.UNHEARD
        except NoAnswer:
            answer = self._find_out(location, command, until_ns, patience_ns)
        if answer.ending is Ending.UNHEARD and not refused:
            self.engine.suspect(location)
        else:
            self.engine.trust(location)
        return answer, refused

    def _find_out(self, location: str, command: Command, until_ns: int, pause_max_ns: int) -> Answer:
        """How a command ended that was not answered; ``UNHEARD`` once it is certain that nothing of it happens any more."""
        around = self.engine.surroundings
        waited_ns = 0
        while True:
            question = Command(f"{command.id}?", Verb.STATUS, {"command": command.id})
            try:
                answer = self.engine.ask(location, question, ASK_NS)
            except NoAnswer:
                if command.verb in _HARMLESS or around.clock_ns() >= until_ns + CALL_NS:
                    return Answer(Ending.UNHEARD, "")
            else:
                if answer.ending in (Ending.DONE, Ending.FAILED):
                    return answer
                # An agent of another run lost it, and what it had begun, with its process. One of the same run that has not
                # heard of it may still hear of it, until the deadline.
                if answer.ending is Ending.UNHEARD and (answer.boot != command.boot or around.clock_ns() >= until_ns):
                    return answer
            self.transact("find out", lambda session: None)
            if self.job.cancelled:
                self._cancel(location, command)
            pause_ns = min(max(_POLL_NS, waited_ns // _POLL_SHARE), pause_max_ns)
            around.sleep_ns(pause_ns)
            waited_ns += pause_ns

    def _cancel(self, location: str, command: Command) -> None:
        """Tell the agent that nobody wants the command any more; whether it heard shows in how the command ends."""
        word = Command(f"{command.id}!", Verb.CANCEL, {"command": command.id})
        try:
            self.engine.ask(location, word, ASK_NS)
        except NoAnswer:
            self.engine.suspect(location)

    def ask_somewhere(
        self, devices: tuple[DeviceRecord, ...], verb: Verb, arguments: Mapping[str, Any], tries: int = 3
    ) -> Mapping[str, Any]:
        """As :meth:`ask`, at whichever location reaches these devices; another one where the first is lost. For what may be
        repeated without a thought. Raises the contract's error, ``DeviceUnavailable`` where nobody answers."""
        lost: Lost | None = None
        for _ in range(tries):
            location = self.location(*devices)
            try:
                return self.ask(location, verb, arguments)
            except Lost as silence:
                lost = silence
        assert lost is not None
        raise lost.error(str(arguments.get("uri", "")))

    def location(self, *devices: DeviceRecord) -> str:
        """The best location that reaches these devices. Raises ``InvalidRequest`` where none does."""
        engine = self.engine
        found = engine.topology.executors(*(device.policy for device in devices)).pick(engine.busy, engine.suspects())
        if found is None:
            raise InvalidRequest(f"no location reaches {' and '.join(device.name for device in devices)}")
        return found.name


_HARMLESS = frozenset((Verb.DESCRIBE, Verb.LIST, Verb.CAPABILITIES, Verb.HELLO))
"""Commands that change nothing: whether one of them still happens need not be known."""


def _shown(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What of a command's arguments stands in the journal: names, never a device's configuration."""
    shown: dict[str, Any] = {}
    for name in ("uri", "source", "target", "volume", "snapshot"):
        if name in arguments:
            shown[name] = arguments[name]
    for name in ("device", "source_device", "target_device"):
        if name in arguments:
            shown[name] = arguments[f"{name}_name"]
    return shown
