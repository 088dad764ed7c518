"""The bench a check works on: fresh worlds, clients at locations, faults, the census, and the steps taken so far."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from storcert.conformance.client import Client
from storcert.conformance.coverage import Tried
from storcert.conformance.facts import Facts
from storcert.conformance.live import LiveWorld
from storcert.conformance.meter import Meter, Metered
from storcert.conformance.program import Program
from storcert.conformance.subject import Subject
from storcert.conformance.tidy import delete_all
from storcert.conformance.violation import LeftBehind, NotApplicable, Undecided, Violation, foreign, gap, require
from storcert.conformance.world import Call, Unsimulated, World
from storcert.harness.contract import DataObjectUri, ObjectKind, StorageError
from storcert.harness.record.depth import SearchDepth, deeper
from storcert.harness.record.fault import Fault
from storcert.harness.record.finding import Finding
from storcert.harness.record.history import Status
from storcert.harness.record.proof import Proof
from storcert.simulators.device import CensusEntry
from storcert.simulators.registry import options_class

T = TypeVar("T")
HOST, SSVM = "host-1", "ssvm-1"
HEAVY_WORLD_BYTES = 4 << 20
SETTLE_NS = 20 * 60 * 10**9
SCHEDULE_MARK = "@schedule-"
THREADS_NS = 2 * 60 * 10**9


class LocationDied(Exception):
    """The location of a call crashed while the call was under way."""


@dataclass(slots=True)
class Attempt:
    """One call of the driver. After :meth:`Bench.join`: how it ended."""

    call: Call
    step: int
    status: Status = Status.UNKNOWN
    value: Any = None
    error: StorageError | None = None
    crashed: bool = False
    requests: int = 0

    @property
    def error_name(self) -> str:
        """Class name of the typed error of the contract that it is, or ``""``."""
        return type(self.error).__name__ if self.error is not None else ""

    def value_or_raise(self) -> Any:
        """The value; raises the typed error or :class:`LocationDied`."""
        if self.crashed:
            raise LocationDied(self.call.label)
        if self.error is not None:
            raise self.error
        return self.value

    def __str__(self) -> str:
        if self.crashed:
            return "location crashed"
        if self.error is None:
            return "ok"
        return f"{self.error_name} ({self.error.outcome})"


@dataclass(slots=True)
class Bench:
    """Made anew for each case. ``wanted``: the one example to run (replay), or ``None`` for all of them; ``program``:
    the one program to run where the case is a generated one. ``threaded``: the driver has started threads; ``schedule``: 0, or
    the number of a further run of the case, for other schedules of them. ``wired``: on a live target, whether its requests
    are to be seen and struck; where nobody asks, the shorter way is taken. ``handles``: volumes were opened in this world, on a
    device that outlives it."""

    subject: Subject
    facts: Facts
    seed: int
    case_id: str
    wanted: str | None = None
    program: Program | None = None
    wired: bool = True
    device_options: dict[str, Any] = field(default_factory=dict)
    example: str = ""
    examples_run: int = 0
    observed: int = 0
    depth: SearchDepth = field(default_factory=SearchDepth)
    schedule: int = 0
    threaded: bool = False
    handles: bool = False
    steps: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left: list[CensusEntry] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    keep_journal: bool = False
    journal: list[Any] = field(default_factory=list)
    tried: Tried | None = None
    proof: Proof | None = None
    _held: tuple[str, list[str], World | LiveWorld | None] | None = None
    _world: World | LiveWorld | None = None
    _used: set[DataObjectUri] = field(default_factory=set)
    _meter: Meter | None = None
    _clients: dict[str, Client] = field(default_factory=dict)
    _options: dict[str, Any] = field(default_factory=dict)

    # Worlds and examples

    @property
    def world(self) -> Any:
        """The world of the current example; the first one is made on demand."""
        if self._world is None:
            named = f"{self.seed}/{self.case_id}/{self.example_id}"
            seed = int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big")
            self._world = (
                LiveWorld(self.subject, wired=self.wired)
                if self.facts.mode == "live"
                else World(self.subject, seed, {**self.device_options, **self._options})
            )
        return self._world

    @property
    def example_id(self) -> str:
        """The current example, and which further schedule of its threads it has: what a replay asks for as ``wanted``."""
        return f"{self.example}{SCHEDULE_MARK}{self.schedule}" if self.schedule else self.example

    def again(self, schedule: int) -> None:
        """As new, for the same case once more, with other schedules of everything in its worlds."""
        self.fresh()
        self.schedule, self.example = schedule, ""

    @property
    def meter(self) -> Meter:
        """What the calls of the current world took."""
        if self._meter is None or self._meter.world is not self.world:
            self._meter = Meter(self.world)
        return self._meter

    def fresh(self, **device_options: Any) -> None:
        """Close the world; the next call sees an empty device and new locations. Options are of the device."""
        self.close()
        self._options = device_options
        self._clients.clear()
        self.steps.clear()

    def generated(self, program: Program) -> None:
        """Count a program that was generated and is about to run."""
        one = SearchDepth(1, program.operations(), program.operations())
        self.depth = deeper((self.depth, one)) or one

    def short_pages(self, count: int) -> None:
        """A fresh world whose device lists ``count`` names a page; one that knows no pages lists all at once, as ever."""
        self.fresh(**self.options_for(count))

    def options_for(self, page_size: int, setting: str = "") -> dict[str, Any]:
        """Options of a device that lists ``page_size`` names a page (0, or where it knows no pages: its own number), delivered
        so that its operator can change ``setting``."""
        known = {option.name for option in fields(options_class(self.subject.device))} if page_size else set()
        options: dict[str, Any] = {"page_size": page_size} if "page_size" in known else {}
        if setting:
            options |= next(move.delivered for move in self.world.device.operator_moves if move.name == setting)
        return options

    def close(self) -> None:
        """End the current world and keep its digest, findings and (for replay) its journal."""
        if self._world is not None:
            tidy = self._remove_used()
            world, self._world = self._world, None
            self.findings.extend(world.findings())
            if isinstance(world, LiveWorld):
                left = world.left(self.facts.fixed_entries)
                self.left.extend(left if tidy else ())
            self.threaded = self.threaded or (isinstance(world, World) and world.started_threads())
            if self.keep_journal:
                self.journal = list(world.kernel.journal.events)
            heavy = sum(one.sent_bytes for one in world.device.requests) > HEAVY_WORLD_BYTES
            self.digests.append(world.close())
            del world
            if heavy:
                # A world is a knot of cycles that holds its megabytes until the collector comes by; call it.
                gc.collect()

    def examples(self, values: Iterable[T], **device_options: Any) -> Iterator[T]:
        """Each value in a fresh world, counted; in a replay only the recorded one."""
        for value in values:
            name = str(value)
            if self.wanted is not None and name != self.wanted:
                continue
            self.fresh(**device_options)
            self.example = name
            self.examples_run += 1
            yield value

    def hold(self) -> None:
        """Set aside what the case has to show, its failing example with its steps and its world, while others are tried."""
        self._held, self._world = (self.example, list(self.steps), self._world), None

    def show_held(self) -> None:
        """Bring back what :meth:`hold` set aside; the case ends with it."""
        self.close()
        if self._held is not None:
            self.example, self.steps, self._world = self._held

    # Clients and names

    def client(self, location: str = HOST) -> Client:
        """The driver instance of that location, made on first use."""
        found = self._clients.get(location)
        if found is None:
            found = self._clients[location] = self.new_client(location)
        return found

    def new_client(self, location: str = HOST, **different: str) -> Client:
        """A fresh instance at that location, as after a restart of its process; ``different``: configuration values."""
        configuration = {**self.world.configuration(), **different}
        attempt = self.begin(location, "make the driver", lambda: self.subject.make_driver(configuration), quiet=True)
        self.join(attempt)
        return Client(self, location, Metered(attempt.value_or_raise(), self.meter))

    def uri(self, object_id: str = "a", account: str = "1", kind: ObjectKind | None = None) -> DataObjectUri:
        """A URI of the usual kind; on a device that outlives the case the account carries the case's own mark."""
        if self.facts.mode != "simulated":
            mark = hashlib.sha256(f"{self.seed}/{self.case_id}/{self.example}".encode()).hexdigest()[:12]
            account = f"{mark}-{account}"
        return self.own(DataObjectUri(kind or self.facts.kind, account, object_id))

    def own(self, uri: DataObjectUri) -> DataObjectUri:
        """``uri`` itself, noted: on a device that outlives the case it is deleted at the end. For names composed by a check."""
        if self.facts.mode != "simulated":
            self._used.add(uri)
        return uri

    def _remove_used(self) -> bool:
        """On a device that outlives the case: delete what the case may have left. Whether everything went."""
        used, self._used = self._used, set()
        if self.handles:
            # One that a check left open would keep its volume in use, and has nobody any more to close it.
            gc.collect()
            self.handles = False
        client = next(iter(self._clients.values()), None)
        return client is not None and delete_all(self, client, used)

    # Calls

    def begin(self, location: str, label: str, body: Callable[[], Any], *, quiet: bool = False) -> Attempt:
        """Start ``body`` at the location; :meth:`join` runs it."""
        if not quiet:
            self.steps.append(f"{location}: {label}")
        return Attempt(self.world.start(self.world.location(location), label, body), -1 if quiet else len(self.steps) - 1)

    def join(self, *attempts: Attempt) -> None:
        """Run until all of them ended and note how. Foreign errors and endless calls are violations of their own."""
        before = len(self.world.device.requests)
        try:
            self.world.finish(*(attempt.call for attempt in attempts))
        except Unsimulated as beyond:
            raise Undecided(f"the driver used something that is not simulated: {beyond}") from None
        for attempt in attempts:
            attempt.requests = len(self.world.device.requests) - before
            self._note(attempt)

    def _note(self, attempt: Attempt) -> None:
        self.observed += attempt.step >= 0
        task = attempt.call.task
        error = task.error if task.done else None
        if task.crashed:
            attempt.crashed = True
        elif error is None:
            attempt.status, attempt.value = Status.OK, task.result
        elif isinstance(error, StorageError):
            attempt.error = error
            attempt.status = Status.UNKNOWN if str(error.outcome) == "unknown" else Status.FAILED
        if attempt.step >= 0:
            shown = str(attempt) if error is None or attempt.error is not None else type(error).__name__
            self.steps[attempt.step] += f" -> {shown}"
            if isinstance(self.world, World):
                self.steps[attempt.step] += self.world.deaths(attempt.call.location)
        if isinstance(error, Violation):
            raise error
        unwritten = gap(error)
        if unwritten is not None:
            raise unwritten from error
        if error is not None and attempt.error is None:
            raise foreign(attempt.call.label, error, self.touched_files(attempt.call.location)) from error

    @staticmethod
    def touched_files(location: Any) -> bool:
        """Whether driver code at this location went for a file outside its device."""
        return any(finding.kind == "file-system" for finding in location.findings)

    def expect(self, expected: type[StorageError] | tuple[type[StorageError], ...], call: Callable[[], Any]) -> StorageError:
        """The typed error that ``call`` must raise, with outcome ``not_done`` as the contract has it for refusals."""
        classes = expected if isinstance(expected, tuple) else (expected,)
        wanted = " or ".join(one.__name__ for one in classes)
        try:
            call()
        except classes as error:
            require(str(error.outcome) == "not_done", f"{self.last_step}: a refusal must say not_done")
            return error
        except StorageError as error:
            raise Violation(f"{self.last_step}: {wanted} was due, it said: {error.message}") from error
        raise Violation(f"{self.last_step}: {wanted} was due")

    def attempt(self, call: Callable[[], Any]) -> Attempt:
        """``call`` must be a deferred one; gives how it ended, raising nothing but violations."""
        attempt: Attempt = call()
        self.join(attempt)
        return attempt

    @property
    def last_step(self) -> str:
        """The step taken last, as it stands in the record."""
        return self.steps[-1] if self.steps else "(nothing was done yet)"

    # Device side

    def need(self, **needs: bool) -> None:
        """Raise :class:`NotApplicable` for the first need that is not met; names are the reasons."""
        for reason, met in needs.items():
            if not met:
                raise NotApplicable(reason.replace("_", " "))

    def need_simulation(self) -> None:
        """Faults, crashes and the census need a device that is simulated and that the driver really uses."""
        if self.facts.mode == "in_process":
            raise NotApplicable("the driver makes no request to the simulated device")
        if self.facts.mode != "simulated":
            raise NotApplicable("a live device cannot show this")

    def arm(self, *faults: Fault) -> None:
        """Put a fault schedule on the device; counting starts now."""
        self.steps.extend(f"fault: {fault}" for fault in faults)
        self.meter.reset()
        self.world.device.arm(faults)

    def heal(self, settle_ns: int = SETTLE_NS) -> None:
        """No faults any more, and time for everything under way to end."""
        self.world.device.heal()
        self.world.advance(settle_ns)

    def crash(self, location: str) -> None:
        """The location dies: none of its tasks is ever resumed. Its name starts anew with :meth:`restart`."""
        self.steps.append(f"crash {location}")
        self.world.location(location).crash()
        self._clients.pop(location, None)

    def restart(self, location: str) -> None:
        """A crashed location comes back with nothing in memory."""
        self.world.location(location).restart()
        self._clients.pop(location, None)

    def census(self) -> tuple[CensusEntry, ...]:
        """All that the device holds now."""
        entries: tuple[CensusEntry, ...] = self.world.device.census()
        return entries

    def require_same_census(self, before: Sequence[CensusEntry], when: str) -> None:
        """Nothing may have come to the device or gone from it, but fixed markers of the driver; nor may it do so later."""
        self._compare_census(before, when)
        if self._threads_went_on():
            self._compare_census(before, f"{when}, with threads that went on")

    def _threads_went_on(self) -> bool:
        """Threads of a driver that outlive the call that started them get their time; whether there are any."""
        if self.facts.mode != "simulated" or not self.world.has_threads():
            return False
        self.world.advance(THREADS_NS)
        return True

    def _compare_census(self, before: Sequence[CensusEntry], when: str) -> None:
        now = set(self.census())
        left = sorted(entry for entry in now - set(before) if (entry.kind, entry.name) not in self.facts.fixed_entries)
        gone = sorted(set(before) - now)
        require(not left, f"{when}: left behind on the device: {', '.join(map(_entry, left[:3]))}")
        require(not gone, f"{when}: gone from the device: {', '.join(map(_entry, gone[:3]))}")

    def require_clean(self, when: str) -> None:
        """Nothing may be on the device but fixed markers of the driver; nor may anything come to it later."""
        if not self.facts.has_census:
            return
        self._require_empty(when)
        if self._threads_went_on():
            self._require_empty(f"{when}, with threads that went on")

    def _require_empty(self, when: str) -> None:
        left = [entry for entry in self.census() if (entry.kind, entry.name) not in self.facts.fixed_entries]
        if left:
            raise LeftBehind(f"{when}: left behind on the device: {', '.join(map(_entry, left[:3]))}")


def _entry(entry: CensusEntry) -> str:
    return f"{entry.kind} {entry.name} {entry.detail} ({entry.size_bytes} bytes)".replace("  ", " ")
