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
_POLL_NS = 2 * SECOND_NS


class Lost(Exception):
    """Nobody knows how the command ended, and it certainly has: nothing of it happens any more."""

    def __init__(self, location: str, command: Command) -> None:
        self.location = location
        super().__init__(f"{command.verb} at {location} was not answered")

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

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.job.arguments

    def now_ns(self) -> int:
        """Unix time."""
        return self.engine.surroundings.now_ns()

    def transact(self, label: str, body: Callable[[Session], T]) -> T:
        """One transaction of this job. Raises ``JobLost`` where another server has it by now."""

        def held(session: Session) -> T:
            self._ending = None
            self.job = hold(session, self.job)
            return body(session)

        found = self.engine.surroundings.transact(f"{self.job.kind}: {label}", held)
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
        self, location: str, verb: Verb, arguments: Mapping[str, Any], *, moves_bytes: int = 0, until_ns: int | None = None
    ) -> Mapping[str, Any]:
        """Have a location do something: its result. Raises the contract's error it ended with, or :class:`Lost`. ``until_ns``:
        it may take until then, whatever it moves."""
        around = self.engine.surroundings
        allowed_ns = ASK_NS + moves_bytes * SECOND_NS // SLOWEST_BYTES_PER_S
        if until_ns is not None:
            allowed_ns = max(0, until_ns - around.now_ns())
        self._commands += 1
        command = Command(
            f"{self.job.id}.{self.job.version}.{self._commands}", verb, arguments, around.now_ns() + allowed_ns
        )
        if moves_bytes >= TOLD_BYTES or until_ns is not None:
            self.transact("under way", lambda session: session.set_under_way(self.job.id, command.id, location, moves_bytes))
        if not self.engine.surely_alive:
            self.transact("still ours", lambda session: None)
            self.engine.beat()
        around.note(
            "command", id=command.id, event="sent", job=self.job.id, at=location, verb=str(verb),
            deadline_ns=command.deadline_ns, **_shown(arguments),
        )
        self.engine.busy[location] += 1
        try:
            # What waits for a client is asked again and again, so that whoever cancels it need not wait for long.
            answer = self._answer(location, command, allowed_ns, ASK_NS if until_ns is None else _POLL_NS)
        finally:
            self.engine.busy[location] -= 1
        around.note("command", id=command.id, event="ended", job=self.job.id, at=location, ending=str(answer.ending))
        if answer.ending is Ending.DONE:
            return answer.result
        if answer.ending is Ending.FAILED:
            raise StorageError.from_json(answer.result)
        raise Lost(location, command)

    def _answer(self, location: str, command: Command, allowed_ns: int, patience_ns: int) -> Answer:
        around = self.engine.surroundings
        try:
            answer = around.ask(location, command, patience_ns)
        except NoAnswer:
            answer = self._find_out(location, command, allowed_ns)
        if answer.ending is Ending.UNHEARD:
            self.engine.suspect(location)
            return answer
        self.engine.trust(location)
        return answer

    def _find_out(self, location: str, command: Command, allowed_ns: int) -> Answer:
        """How a command ended that was not answered; ``UNHEARD`` once it is certain that nothing of it happens any more."""
        around = self.engine.surroundings
        while True:
            question = Command(f"{command.id}?", Verb.STATUS, {"command": command.id}, around.now_ns() + ASK_NS)
            try:
                answer = around.ask(location, question, ASK_NS)
            except NoAnswer:
                if command.verb in _HARMLESS or around.now_ns() >= command.deadline_ns + CALL_NS:
                    return Answer(Ending.UNHEARD, "")
            else:
                if answer.ending in (Ending.DONE, Ending.FAILED):
                    return answer
                # An agent that began after the command was sent lost it, and what it had begun, with its process. One that is
                # older and has not heard of it may still hear of it, until the deadline.
                began_later = int(answer.result.get("booted_ns", 0)) > command.deadline_ns - allowed_ns
                if answer.ending is Ending.UNHEARD and (began_later or around.now_ns() >= command.deadline_ns):
                    return answer
            self.transact("find out", lambda session: None)
            if self.job.cancelled:
                self._cancel(location, command)
            around.sleep_ns(_POLL_NS)

    def _cancel(self, location: str, command: Command) -> None:
        """Tell the agent that nobody wants the command any more; whether it heard shows in how the command ends."""
        around = self.engine.surroundings
        word = Command(f"{command.id}!", Verb.CANCEL, {"command": command.id}, around.now_ns() + ASK_NS)
        try:
            around.ask(location, word, ASK_NS)
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
