"""Runs jobs: one server at a time owns one and proves so in every transaction; another goes on where its heart stopped.

A job is a row. Its handler is ordinary code that reads the catalogue, decides, asks agents and writes the catalogue; it can be
started again from the beginning at any moment, because what it finds in the catalogue tells it how far it came, and what it
asks of devices may be asked again (C-RETRY). Nothing is remembered here that is not in the catalogue, but hints that cost
nothing when they are lost: how busy a location is, which one did not answer lately, what its agent's clock shows.

Machines do not agree on the time of day. Moments of different servers are compared by the catalogue's clock alone; how long
something takes here, by a clock that never jumps; and a deadline for an agent is said in the agent's time (``command``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from storcert.harness.contract import DeviceUnavailable, ObjectInUse, Role, StorageError
from storcert.harness.logical.motion import Planner
from storcert.harness.logical.ports import CatalogueLost, NoAnswer, Surroundings
from storcert.harness.logical.providers import Providers
from storcert.harness.logical.records import JobRecord, JobState
from storcert.harness.logical.session import Session, StaleRecord
from storcert.harness.logical.topology import Topology
from storcert.harness.record.command import Answer, Command, Verb

if TYPE_CHECKING:
    from storcert.harness.logical.work import Work

T = TypeVar("T")
Handler: TypeAlias = "Callable[[Work], Mapping[str, Any]]"
Entry: TypeAlias = tuple[JobRecord, bool]
"""A job, and whether it is new."""
SECOND_NS = 10**9
ALIVE_NS = 60 * SECOND_NS
"""A server that was not heard of for so long has lost its jobs to whoever takes them."""
BEAT_NS = 15 * SECOND_NS
SUSPICION_NS = 120 * SECOND_NS
ASK_NS = 30 * SECOND_NS
"""How long a command may wait before it begins, and how long an answer is waited for before its agent is asked how it stands;
one that moves bytes has more time to come to its end."""
_POLLS_NS = (20_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000, SECOND_NS)


class JobLost(Exception):
    """Another server has the job now. Whoever sees this stops at once and changes nothing."""


class Engine:
    """Of one management server. ``handlers``: what a job of each kind does."""

    def __init__(
        self, surroundings: Surroundings, topology: Topology, providers: Providers, handlers: Mapping[str, Handler]
    ) -> None:
        self.surroundings = surroundings
        self.topology = topology
        self.providers = providers
        self.handlers = handlers
        self.busy: Counter[str] = Counter()
        self.listings: dict[str, frozenset[str]] = {}
        self.owner = f"{surroundings.name}/{surroundings.boot}"
        self._beat_ns: int | None = None
        self._asked = 0
        self._clocks: dict[str, tuple[str, int]] = {}
        self._suspects: dict[str, int] = {}
        self._at_work: set[int] = set()

    # -- staying alive

    def beat(self) -> None:
        """Tell the catalogue that this server is alive."""
        around = self.surroundings
        now_ns = around.clock_ns()
        around.transact("beat", lambda session: session.beat(self.owner, session.now_ns))
        self._beat_ns = now_ns

    @property
    def surely_alive(self) -> bool:
        """Whether nobody can have taken this server's jobs yet, nor will soon. A server that stood still is not sure."""
        return self._beat_ns is not None and self.surroundings.clock_ns() - self._beat_ns <= ALIVE_NS // 2

    # -- asking for jobs

    def submit(
        self, kind: str, key: str, arguments: Mapping[str, Any], prepare: Callable[[Session], None] | None = None
    ) -> Entry:
        """A new job, owned by this server, and whether it is new: where an unfinished one was asked for the same thing, that
        one is joined. ``prepare`` looks, in the same transaction, whether the job may begin; it raises the contract's error.

        Raises ``ObjectInUse`` where an unfinished job does something else under the same key.
        """

        def decide(session: Session) -> Entry:
            return self.enter(session, kind, key, arguments, prepare)

        return self.submitting(f"submit {kind}", decide)

    def submitting(self, label: str, decide: Callable[[Session], T]) -> T:
        """A transaction that may :meth:`enter` a job. Nobody takes it for one of a server that is dead."""
        around = self.surroundings
        now_ns = around.clock_ns()
        fresh = self._beat_ns is not None and now_ns - self._beat_ns < SECOND_NS

        def body(session: Session) -> T:
            if not fresh:
                session.beat(self.owner, session.now_ns)
            return decide(session)

        found = around.transact(label, body)
        if not fresh:
            self._beat_ns = now_ns
        return found

    def enter(
        self, session: Session, kind: str, key: str, arguments: Mapping[str, Any],
        prepare: Callable[[Session], None] | None = None,
    ) -> Entry:
        """As :meth:`submit`, inside a transaction of :meth:`submitting`."""
        found = session.unfinished_job(key)
        if found is not None:
            if found.kind == kind and dict(found.arguments) == dict(arguments):
                return found, False
            raise ObjectInUse(f"job {found.id} ({found.kind}) is at work on it", key)
        if prepare is not None:
            prepare(session)
        return session.add_job(kind, key, arguments, self.owner, session.now_ns), True

    def run(self, job: JobRecord) -> JobRecord | None:
        """Run a job that this server owns to its end, and give it as it ended. ``None`` once another server has it."""
        from storcert.harness.logical.work import Work

        work = Work(self, job)
        self._at_work.add(job.id)
        try:
            try:
                result = self.handlers[job.kind](work)
            except StorageError as error:
                return self._finish(work, JobState.FAILED, error.to_json())
            return work.ended or self._finish(work, JobState.SUCCEEDED, result)
        except (JobLost, CatalogueLost):
            return None
        finally:
            self._at_work.discard(job.id)

    def run_alone(self, job: JobRecord) -> None:
        """As :meth:`run`, for a task of its own: how it ended, the catalogue tells."""
        self.run(job)

    def _finish(self, work: Work, state: JobState, result: Mapping[str, Any]) -> JobRecord:
        work.transact("finish", lambda session: session.finish_job(work.job, state, result))
        return replace(work.job, state=state, result=result)

    def wait(self, job: int, timeout_ns: int) -> JobRecord:
        """The job once it has ended. Raises ``DeviceUnavailable`` with outcome unknown if that takes too long."""
        around = self.surroundings
        deadline_ns = around.clock_ns() + timeout_ns
        turn = 0
        while True:
            found = around.transact("look at job", lambda session: session.find_job(job))
            if found is None or found.state is not JobState.RUNNING:
                break
            if around.clock_ns() >= deadline_ns:
                raise DeviceUnavailable(f"job {job} ({found.kind}) has not ended", found.key)
            around.sleep_ns(_POLLS_NS[min(turn, len(_POLLS_NS) - 1)])
            turn += 1
        if found is None:
            raise DeviceUnavailable(f"job {job} is not known any more")
        return found

    # -- taking over

    def adopt(self) -> list[JobRecord]:
        """Take the jobs whose owners have not been heard of for long, and those that this server began long ago and dropped,
        because the catalogue did not answer: nobody else would, as long as its heart beats."""
        around = self.surroundings

        def body(session: Session) -> list[JobRecord]:
            now_ns = session.now_ns
            session.beat(self.owner, now_ns)
            dropped = [
                job for job in session.running_jobs()
                if job.owner == self.owner and job.id not in self._at_work and job.created_ns < now_ns - ALIVE_NS
            ]
            return [session.take_over(job, self.owner) for job in (*session.orphaned_jobs(now_ns - ALIVE_NS), *dropped)]

        return around.transact("adopt", body)

    # -- asking agents

    def unique(self, about: str) -> str:
        """A name that nobody has given and nobody will."""
        self._asked += 1
        return f"{about} {self.owner}/{self._asked}"

    def knows(self, location: str) -> bool:
        """Whether the agent there has been heard of: what its clock shows is then known."""
        return location in self._clocks

    def command(self, location: str, identity: str, verb: Verb, arguments: Mapping[str, Any], until_ns: int) -> Command:
        """A command that is over ``until_ns`` by this server's clock, and no later than that by its agent's: what that clock
        shows was read before the answer came that told it. Only where :meth:`knows`."""
        boot, ahead_ns = self._clocks[location]
        return Command(identity, verb, arguments, until_ns + ahead_ns, boot)

    def hello(self, location: str) -> Answer:
        """Ask the agent there who it is. Raises :class:`NoAnswer`."""
        return self.ask(location, Command(self.unique(f"hello/{location}"), Verb.HELLO, {}), ASK_NS)

    def ask(self, location: str, command: Command, timeout_ns: int) -> Answer:
        """Send it and wait; what the answer says of the agent's clock is remembered. Raises :class:`NoAnswer`."""
        answer = self.surroundings.ask(location, command, timeout_ns)
        self._clocks[location] = answer.boot, answer.clock_ns - self.surroundings.clock_ns()
        return answer

    # -- hints

    def suspect(self, location: str) -> None:
        """That location did not answer: prefer others for a while."""
        self._suspects[location] = self.surroundings.clock_ns() + SUSPICION_NS

    def trust(self, location: str) -> None:
        """It answered."""
        self._suspects.pop(location, None)

    def boot_of(self, location: str) -> str:
        """Which run of its agent is at that location; empty where it does not answer."""
        try:
            return self.hello(location).boot
        except NoAnswer:
            return ""

    def suspects(self) -> frozenset[str]:
        """Locations that did not answer lately."""
        now_ns = self.surroundings.clock_ns()
        return frozenset(name for name, until_ns in self._suspects.items() if until_ns > now_ns)

    def planner(self, session: Session) -> Planner:
        """What plans are made of, as things stand now."""
        stages = session.devices_of(Role.STAGING)
        return Planner(self.topology, self.providers, stages, self.busy, self.suspects())


def hold(session: Session, job: JobRecord) -> JobRecord:
    """Prove, inside a transaction, that the job is still ours. Raises :class:`JobLost`."""
    try:
        return session.hold(job)
    except StaleRecord:
        raise JobLost(f"job {job.id}") from None


def run_quietly(engine: Engine, kind: str, key: str, arguments: Mapping[str, Any]) -> bool:
    """Submit and run; whether it succeeded. Somebody at work under the key mends it himself."""
    try:
        job, new = engine.submit(kind, key, arguments)
    except ObjectInUse:
        return False
    ended = engine.run(job) if new else None
    return ended is not None and ended.state is JobState.SUCCEEDED and bool(ended.result.get("changed", True))
