"""Takes the steps of one part of a scenario, each at its time, and remembers how each of them ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storcert.harness.contract import ObjectNotFound, StorageError
from storcert.harness.kernel import DeadlineExpired, Task
from storcert.harness.logical.records import JobState
from storcert.harness.logical.topology import LocationKind
from storcert.scenarios.format import steps
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.region import Region
from storcert.scenarios.result import StepOutcome
from storcert.scenarios.runner.happenings import Happenings
from storcert.scenarios.runner.requests import Body, body_of
from storcert.scenarios.runner.visits import AGAIN_NS, TRIES, download, upload
from storcert.scenarios.surroundings import note

PATIENCE_NS = 2 * 3600 * 10**9
"""A step that has not ended so long after its turn came is left to itself: the next one is taken."""
NOBODY_UP_NS = 3600 * 10**9
_LOOK_NS = 100_000_000


class Asking:
    """Finds a management server, asks it, and says how that ended. Inside a task of no location."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.failures: list[str] = []
        self.links: dict[str, Mapping[str, Any]] = {}
        self._servers = [place.name for place in region.topology.of_kind(LocationKind.MANAGEMENT)]

    def server(self, wanted: str | None, turn: int = 0) -> str | None:
        """The server that was wanted, or one that is up: of those, the ``turn``-th."""
        if wanted is not None:
            return wanted
        locations = self.region.kernel.locations
        up = [name for name in self._servers if locations[name].alive and not locations[name].paused]
        return up[turn % len(up)] if up else None

    def link(self, name: str) -> Mapping[str, Any]:
        """The link that a step has made. Raises ``ObjectNotFound``."""
        found = self.links.get(name)
        if found is None:
            raise ObjectNotFound(f"step {name} has made no link")
        return found

    def begin(self, label: str, body: Body, server: str) -> Task:
        """The task that asks, at that server."""
        return self.region.start(body, at=server, label=label)

    def ending(self, label: str, task: Task) -> tuple[str, str]:
        """How a task that is over ended: ``done``, ``died``, or the name of the error with its text."""
        if task.crashed:
            return "died", ""
        error = task.error
        if error is None:
            return "done", ""
        if isinstance(error, StorageError):
            return type(error).__name__, error.message
        self.failures.append(f"{label}: {type(error).__name__}: {error}")
        return type(error).__name__, str(error)


class Script:
    """The steps of one part. ``left_out``: steps that the world cannot take, as the scenario's substitution says."""

    def __init__(self, scenario: Scenario, part: str, asking: Asking, happenings: Happenings) -> None:
        self.part = part
        self.outcomes: dict[int, StepOutcome] = {}
        self._steps: Sequence[steps.Step] = getattr(scenario, part)
        self._zones = [zone.name for zone in scenario.zone]
        self._asking = asking
        self._happenings = happenings
        self._kernel = asking.region.kernel
        self._start_ns = self._kernel.now_ns
        self._over: Mapping[str, Any] = {
            step.name: self._kernel.event() for step in self._steps if step.name is not None}
        self._beside: list[Task] = []

    def take(self) -> None:
        """Inside a task: until every step has ended, or patience has."""
        for number, step in enumerate(self._steps):
            if step.at_ns is not None or step.after is not None:
                self._spawn(number, step)
        for number, step in enumerate(self._steps):
            if step.at_ns is None and step.after is None:
                self._kernel.sleep_ns(step.delay_ns)
                if step.background:
                    self._spawn(number, step)
                else:
                    self._step(number, step)

    def wait(self, patience_ns: int = PATIENCE_NS) -> bool:
        """Inside a task: until what runs beside has ended too; ``False`` where patience ended first."""
        end_ns = self._kernel.now_ns + patience_ns
        for task in self._beside:
            try:
                self._kernel.wait(task.ended_event, max(0, end_ns - self._kernel.now_ns), reason="steps")
            except DeadlineExpired:
                return False
        return True

    def failures(self) -> list[str]:
        """What went wrong in taking the steps themselves."""
        return [f"{task.name}: {type(task.error).__name__}: {task.error}" for task in self._beside if task.error is not None]

    def _spawn(self, number: int, step: steps.Step) -> None:
        beside = step.at_ns is not None or step.after is not None

        def body() -> None:
            if step.at_ns is not None:
                self._kernel.sleep_ns(step.at_ns)
            if step.after is not None:
                self._kernel.wait(self._over[step.after], reason=f"step {step.after}")
            if beside:
                self._kernel.sleep_ns(step.delay_ns)
            self._step(number, step)

        self._beside.append(self._kernel.spawn(body, name=f"{self.part} {number + 1}"))

    def _step(self, number: int, step: steps.Step) -> None:
        name = label(self.part, number, step)
        begun_ns = self._kernel.now_ns
        self._note(name, step, "begun", "")
        self.outcomes[number] = StepOutcome(name, step.do, begun_ns, begun_ns, "unended")
        try:
            ending, text = self._act(name, step)
        finally:
            if step.name is not None and not self._over[step.name].triggered:
                self._over[step.name].succeed()
        self.outcomes[number] = StepOutcome(name, step.do, begun_ns, self._kernel.now_ns, ending, text)
        self._note(name, step, "ended", ending)

    def _act(self, name: str, step: steps.Step) -> tuple[str, str]:
        if not isinstance(step, steps.Asked):
            try:
                if isinstance(step, steps.Download):
                    download(self._asking.region, self._asking.link(step.link))
                else:
                    self._happenings.do(step)
            except StorageError as error:
                return type(error).__name__, error.message
            return "done", ""
        ending, text, task = self._ask(name, step, body_of(step, self._zones, self._asking.link))
        if ending == "done" and task is not None and isinstance(step, steps.MakeLink):
            self._asking.links[name] = task.result
        if ending == "done" and task is not None and isinstance(step, steps.Upload) and step.comes:
            return self._upload(name, step, task.result)
        return ending, text

    def _upload(self, name: str, step: steps.Upload, ticket: Mapping[str, Any]) -> tuple[str, str]:
        """The client's part, and how the job ends. A client whose URL is no good any more asks for the ticket again."""
        for _ in range(TRIES):
            if "url" not in ticket:
                return "done", ""  # it is there already
            if upload(self._asking.region, ticket, step.size_bytes):
                break
            self._kernel.sleep_ns(AGAIN_NS)
            ending, text, task = self._ask(name, step, body_of(step, self._zones))
            if ending != "done" or task is None:
                return ending, text
            ticket = task.result
        while True:
            ending, text, task = self._ask(name, step, lambda control: control.job(ticket["job"]))
            if ending != "done" or task is None:
                return ending, text
            if task.result["state"] != JobState.RUNNING:
                break
            self._kernel.sleep_ns(_LOOK_NS)
        result = task.result["result"]
        return ("done", "") if task.result["state"] == JobState.SUCCEEDED else (result["error"], result["message"])

    def _ask(self, name: str, step: steps.Asked, body: Body) -> tuple[str, str, Task | None]:
        deadline_ns = self._kernel.now_ns + NOBODY_UP_NS
        server = self._asking.server(step.server)
        while server is None:
            if self._kernel.now_ns > deadline_ns:
                return "DeviceUnavailable", "no management server is up", None
            self._kernel.sleep_ns(_LOOK_NS)
            server = self._asking.server(step.server)
        task = self._asking.begin(name, body, server)
        try:
            self._kernel.wait(task.ended_event, None if step.background else PATIENCE_NS, reason=name)
        except DeadlineExpired:
            return "unended", "", None
        return *self._asking.ending(name, task), task

    def _note(self, name: str, step: steps.Step, event: str, ending: str) -> None:
        note(self._kernel, "", "step", {"name": name, "do": step.do, "event": event, "ending": ending})


def label(part: str, number: int, step: steps.Step) -> str:
    """What a step is called: its own name, or what it does with its number."""
    return step.name or f"{part}-{number + 1}-{step.do}"
