"""The clients of a workload: closed loop (each waits for one operation before the next) or open loop (at a rate). They live
outside every location; what they ask for runs at a management server, and dies with it."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from storcert.harness.kernel import Task
from storcert.scenarios.format.load import Phase, Workload
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.steps import Request
from storcert.scenarios.result import OperationCount
from storcert.scenarios.runner.holdings import Holdings
from storcert.scenarios.runner.onlooker import Onlooker
from storcert.scenarios.runner.requests import body_of
from storcert.scenarios.runner.script import Asking

AGAIN_NS = 10**9
"""A client that finds no management server up looks again after so long."""


class Clients:
    """Of one workload. Callbacks of the loop, and no tasks: a thousand clients cost nothing while they wait."""

    def __init__(self, scenario: Scenario, workload: Workload, asking: Asking, onlooker: Onlooker) -> None:
        self.workload = workload
        self.counts: Counter[tuple[str, str]] = Counter()
        self._asking = asking
        self._onlooker = onlooker
        self._kernel = asking.region.kernel
        self._stream = self._kernel.stream(f"workload/{workload.name}")
        self._holdings = Holdings(scenario, workload, self._kernel.stream(f"workload/{workload.name}/operations"))
        self._zones = [zone.name for zone in scenario.zone]
        self._begun = 0
        self._under_way = 0
        self._working = False
        self._round = 0
        self._idle = self._kernel.event()

    @property
    def exhausted(self) -> bool:
        """Whether all its operations have begun."""
        return self.workload.count is not None and self._begun >= self.workload.count

    def enter(self, phase: Phase) -> None:
        """A phase begins: clients go to work, or stop."""
        works = phase in self.workload.phases and not self.exhausted
        if works and not self._working:
            self._working = True
            self._round += 1
            self._idle = self._kernel.event()
            turn = self._round
            if self.workload.every_ns is not None:
                self._later(self._pause(self.workload.every_ns), lambda: self._arrive(turn, 0))
            else:
                for number in range(self.workload.clients):
                    self._later(self._pause(self.workload.think_ns), lambda number=number: self._act(turn, number))
        elif not works:
            self.stop()

    def stop(self) -> None:
        """No more operations; those under way go on."""
        self._working = False
        self._rest()

    def until_idle(self, patience_ns: int) -> Any:
        """Inside a task: until nothing is under way and nothing more will begin. Raises ``DeadlineExpired``."""
        return self._kernel.wait(self._idle, patience_ns, reason=f"workload {self.workload.name}")

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing more will begin."""
        return not self._under_way and (not self._working or self.exhausted)

    def counted(self) -> list[OperationCount]:
        """How often operations ended how; what is still under way is ``unended``."""
        found = [OperationCount(self.workload.name, *key, count) for key, count in sorted(self.counts.items())]
        if self._under_way:
            found.append(OperationCount(self.workload.name, "", "unended", self._under_way))
        return found

    def _later(self, delay_ns: int, act: Any) -> None:
        self._kernel.after(delay_ns, lambda: None if self._kernel.sealed else act())

    def _pause(self, mean_ns: int) -> int:
        """Between nothing and twice the mean."""
        return self._stream.randrange(2 * mean_ns + 1) if mean_ns else 0

    def _arrive(self, turn: int, number: int) -> None:
        """Open loop: one operation now, the next after a while."""
        if turn != self._round or not self._working or self.exhausted:
            self._rest()
            return
        assert self.workload.every_ns is not None
        self._later(self._pause(self.workload.every_ns), lambda: self._arrive(turn, number + 1))
        self._begin(turn, number, again=False)

    def _act(self, turn: int, number: int) -> None:
        """Closed loop: the next operation of a client."""
        if turn != self._round or not self._working or self.exhausted:
            self._rest()
            return
        self._begin(turn, number, again=True)

    def _begin(self, turn: int, number: int, *, again: bool) -> None:
        server = self._asking.server(None, number)
        if server is None:
            if again:
                self._later(AGAIN_NS, lambda: self._act(turn, number))
            return
        self._begun += 1
        self._under_way += 1
        operation, step = self._holdings.next()
        self._holdings.begun(step)
        self._onlooker.asked(self.workload.name, step, server, self._kernel.now_ns)
        task = self._asking.begin(f"{self.workload.name} {operation}", body_of(step, self._zones), server)

        def ended(_: Any) -> None:
            self._ended(operation, step, task)
            if again:
                self._later(self._pause(self.workload.think_ns), lambda: self._act(turn, number))

        if task.ended_event.callbacks is None:  # its server died this very moment
            self._later(0, lambda: ended(None))
        else:
            cast("list[Any]", task.ended_event.callbacks).append(ended)

    def _ended(self, operation: str, step: Request, task: Task) -> None:
        ending, _ = self._asking.ending(f"{self.workload.name} {operation}", task)
        self._under_way -= 1
        self.counts[operation, ending] += 1
        self._holdings.ended(step, ending)
        self._rest()

    def _rest(self) -> None:
        if self.idle and not self._idle.triggered:
            self._idle.succeed()
