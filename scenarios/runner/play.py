"""One run of one scenario with one seed, from an empty world to a region at rest and what every rule says of it.

Pure: the same scenario and seed give the same run, event for event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from storcert.harness.kernel import DeadlineExpired
from storcert.harness.record.trace_of_run import trace_of_run
from storcert.scenarios.format.faults import Fault
from storcert.scenarios.format.load import Phase
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.region import Region
from storcert.scenarios.result import FaultOutcome, OperationCount, Played, StepOutcome
from storcert.scenarios.runner.build import build
from storcert.scenarios.runner.clients import Clients
from storcert.scenarios.runner.happenings import Happenings
from storcert.scenarios.runner.onlooker import Onlooker
from storcert.scenarios.runner.resolve import resolve
from storcert.scenarios.runner.script import PATIENCE_NS, Asking, Script, label
from storcert.scenarios.surroundings import note

LIMIT_NS = 30 * 86_400 * 10**9
"""No run lasts longer, whatever happens in it."""
SETTLE_ROUNDS_MAX = 12


def play(
    scenario: Scenario, seed: int, until_ns: int | None = None, keep: int | Literal["all"] = "all", *, traced: bool = False,
    onlooker: Onlooker | None = None,
) -> Played:
    """Run it. ``until_ns``: stop there, so long after the beginning, and judge what has happened so far. ``keep``: so many of
    the last events are kept; the rest of what comes out is the same. ``traced``: with the spans of what is kept.
    ``onlooker``: is told of the run, and changes nothing.

    Raises ``ValueError`` for a fault or option that a device does not have."""
    fixed = resolve(scenario, seed)
    with build(fixed, seed, keep) as region:
        onlooker = onlooker or Onlooker()
        onlooker.begins(region)
        played = _Play(fixed, region, onlooker).run(until_ns)
        onlooker.over(region)
        if traced:
            requests = {wire.name: wire.requests for wire in region.network.wires}
            played = replace(played, trace=trace_of_run(played.events, requests, run=played.digest))
        # What comes now is no part of the run: neither its digest nor its events know of it.
        whole = until_ns is None and not played.unrest and not played.failures
        return replace(played, findings=tuple(region.findings_when_used_up())) if whole else played


class _Play:
    """One run. The director is a task outside every location; it goes from phase to phase."""

    def __init__(self, scenario: Scenario, region: Region, onlooker: Onlooker) -> None:
        self.scenario = scenario
        self.region = region
        self.onlooker = onlooker
        self.begin_ns = region.kernel.now_ns
        self.asking = Asking(region)
        self.happenings = Happenings(region, [device.name for device in scenario.device])
        self.clients = [Clients(scenario, one, self.asking, onlooker) for one in scenario.workload]
        self.scripts: list[Script] = []
        self.waiting = dict(enumerate(scenario.fault))
        self.over = False  # whether the faulty phase is

    def run(self, until_ns: int | None) -> Played:
        kernel = self.region.kernel
        director = kernel.spawn(self._direct, name="director")
        limit_ns = LIMIT_NS if until_ns is None else max(0, self.begin_ns + until_ns - kernel.now_ns)
        done = kernel.run_until_done(director, limit_ns=limit_ns)
        if director.error is not None:
            raise director.error
        unrest = ""
        if until_ns is None:
            try:
                self.region.settle(SETTLE_ROUNDS_MAX)
            except TimeoutError as error:
                unrest = str(error)
            if not done:
                unrest = "it did not end within thirty virtual days"
        return self._played(unrest)

    # -- the parts

    def _direct(self) -> None:
        phases = self.scenario.phases
        self._steps("prepare")
        self._phase("warm-up", phases.warm_up_ns)
        self._enter("faulty")
        priorities = self.region.kernel.priorities
        if priorities is not None:
            priorities.begin()
        for number, fault in enumerate(self.scenario.fault):
            self._arm_later(number, fault)
        end_ns = self.region.kernel.now_ns + phases.faulty_ns
        self._steps("step", heal_after=True)
        self._pass(end_ns - self.region.kernel.now_ns, "faulty")
        self.over = True
        if priorities is not None:
            priorities.end()
        self.region.heal()
        self._enter("healed")
        end_ns = self.region.kernel.now_ns + phases.healed_ns
        self._steps("afterwards")
        self._pass(end_ns - self.region.kernel.now_ns, "healed")
        for one in self.clients:
            one.stop()
        self._wait_for(self.clients)

    def _steps(self, part: str, *, heal_after: bool = False) -> None:
        script = Script(self.scenario, part, self.asking, self.happenings)
        self.scripts.append(script)
        script.take()
        if not script.wait() and heal_after:
            # What waits for something to be healed shall not wait for ever.
            self.region.heal()
            script.wait()

    def _phase(self, phase: Phase, lasts_ns: int) -> None:
        self._enter(phase)
        self._pass(lasts_ns, phase)

    def _enter(self, phase: Phase) -> None:
        note(self.region.kernel, "", "phase", {"phase": phase})
        self.onlooker.phase(phase, self.region.kernel.now_ns)
        for one in self.clients:
            one.enter(phase)

    def _pass(self, lasts_ns: int, phase: Phase) -> None:
        """Until the phase's time is over, and of a phase without one until its workloads are through."""
        if lasts_ns > 0:
            self.region.kernel.sleep_ns(lasts_ns)
        phases = self.scenario.phases
        timed = {"warm-up": phases.warm_up_ns, "faulty": phases.faulty_ns, "healed": phases.healed_ns}
        here = [one for one in self.clients if phase in one.workload.phases and one.workload.count is not None]
        # The last of its phases that may have to wait for a workload that is counted is the first that has no time of its own.
        if not timed[phase]:
            self._wait_for([one for one in here if _last(one, phase, timed)])

    def _wait_for(self, clients: list[Clients]) -> None:
        for one in clients:
            try:
                if not one.idle:
                    one.until_idle(PATIENCE_NS)
            except DeadlineExpired:
                continue

    def _arm_later(self, number: int, fault: Fault) -> None:
        kernel = self.region.kernel

        def arm() -> None:
            # A fault whose time comes when everything is healed would never be healed: it stays one that never struck.
            if kernel.sealed or self.over:
                return
            del self.waiting[number]
            self.happenings.arm(fault)
            if fault.lasts_ns:
                kernel.after(fault.lasts_ns, lambda: None if kernel.sealed else self.happenings.heal(fault.place))

        if fault.start_ns[0]:
            kernel.after(fault.start_ns[0], arm)
        else:
            arm()

    # -- what came of it

    def _played(self, unrest: str) -> Played:
        kernel = self.region.kernel
        events = kernel.journal.events
        failures = [*self.asking.failures, *(text for script in self.scripts for text in script.failures())]
        operations: list[OperationCount] = [count for one in self.clients for count in one.counted()]
        return Played(
            findings=tuple(self.region.findings()), steps=tuple(self._outcomes()), operations=tuple(sorted(operations)),
            faults=tuple(self._faults()), left_out=(), unrest=unrest, failures=tuple(failures), digest=kernel.digest(),
            lasted_ns=kernel.now_ns - self.begin_ns, events=events,
        )

    def _outcomes(self) -> list[StepOutcome]:
        found = []
        for script in self.scripts:
            for number, step in enumerate(getattr(self.scenario, script.part)):
                one = script.outcomes.get(number)
                if one is None:
                    found.append(StepOutcome(label(script.part, number, step), step.do, 0, 0, "unended", "its turn never came"))
                else:
                    found.append(replace(
                        one, begun_ns=one.begun_ns - self.begin_ns, ended_ns=one.ended_ns - self.begin_ns))
        return found

    def _faults(self) -> list[FaultOutcome]:
        armed = [
            FaultOutcome(strike.place, str(fault), armed_ns - self.begin_ns, plan.fired.count(fault), strike.must_strike)
            for strike, plan, fault, armed_ns in self.happenings.armed
        ]
        return armed + [
            FaultOutcome(fault.place, str(fault.armed()), -1, 0, fault.must_strike) for fault in self.waiting.values()]


def _last(one: Clients, phase: Phase, timed: dict[str, int]) -> bool:
    """Whether no later phase of the workload gives it time to end."""
    order: tuple[Phase, ...] = ("warm-up", "faulty", "healed")
    return not any(timed[other] for other in order[order.index(phase) + 1 :] if other in one.workload.phases)
