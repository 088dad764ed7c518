"""Variations drawn at random, by swarm testing: each run leaves half the kinds of disturbance out, so that what the others do
is not drowned; which, how many, where and when, the number of the run decides. Each variation is a plain scenario and a seed.

Which of several things comes first is varied in four ways. The seed breaks ties between events of one instant. Tasks get
priorities and fall behind at a few random turns, as in probabilistic concurrency testing (``schedule``). So do locations: the
links of those low in the order are slow. And a location may stand still for a while at a random moment.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storcert.harness.kernel.random_streams import derive
from storcert.scenarios.explore import faults
from storcert.scenarios.explore.faults import Kind
from storcert.scenarios.explore.terrain import Terrain
from storcert.scenarios.explore.trial import Trial
from storcert.scenarios.format import steps
from storcert.scenarios.format.load import Workload
from storcert.scenarios.format.references import CATALOGUE, places
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.world import Link
from storcert.scenarios.runner.resolve import resolve

_NEW = (1, 2, 3, 4, 5, 6, 8, 10)
"""How many disturbances are added at once: few more often than many."""
DISTURBANCES_MAX = 16
_SHORTEST_NS = 1_000_000
_SLOW_NS = (1_000_000, 10_000_000, 50_000_000, 200_000_000)
_WRONG_NS = (5 * 10**9, 45 * 10**9, 90 * 10**9, 1200 * 10**9, 86_400 * 10**9)
_LAGS_NS = (20_000, 500_000, 5_000_000, 50_000_000, 500_000_000)
_FALLS = (0, 1, 1, 2, 2, 3, 5)
_TAILS_NS = (60 * 10**9, 180 * 10**9, 600 * 10**9)
_PER_KIND_OF_EVENT = ("crash", "pause", "partition", "outage")


class Swarm:
    """Around a scenario, of which only rules are expected."""

    def __init__(self, scenario: Scenario, terrain: Terrain, seed: int) -> None:
        self.scenario = scenario
        self.terrain = terrain
        self.seed = seed
        self._kinds = sorted(faults.kinds(scenario, terrain))
        self._places = sorted(places(scenario))
        self._targets = [*sorted(device.name for device in scenario.device), CATALOGUE]
        names = {kind.fault for kind in self._kinds}
        self.classes = [*sorted(names), *(f"step {name}" for name in _PER_KIND_OF_EVENT), "priorities", "late healing", "mix"]

    def draw(self, number: int, parents: Sequence[tuple[int, Scenario]] = ()) -> Trial:
        """The ``number``-th trial. ``parents``: variations that reached something new, with their numbers; half the trials are
        made of one of them."""
        stream = random.Random(derive(self.seed, f"explore/{number}"))
        run_seed = stream.getrandbits(31)
        if parents and stream.randrange(2):
            parent, scenario = parents[_later(stream, len(parents))]
            scenario = _less(stream, scenario)
        else:
            parent, scenario = -1, resolve(self.scenario, run_seed)
        on = [name for name in self.classes if stream.randrange(2)]
        if "mix" in on and scenario.workload:
            scenario = self._mixed(stream, scenario)
        if "priorities" in on:
            scenario = self._with_priorities(stream, scenario)
        if "late healing" in on:
            # What is mended by itself is mended after a minute or more; whether that goes well with faults is seen only then.
            lasts_ns = max(stream.choice(_TAILS_NS), scenario.phases.faulty_ns)
            scenario = scenario.model_copy(update={"phases": scenario.phases.model_copy(update={"faulty_ns": lasts_ns})})
        scenario = self._with_clocks(number, self._disturbed(stream, scenario, on))
        return Trial(self._scheduled(number, scenario), run_seed, parent)

    # -- what is added

    def _disturbed(self, stream: random.Random, scenario: Scenario, on: Sequence[str]) -> Scenario:
        kinds = [kind for kind in self._kinds if kind.fault in on]
        # The catalogue is one place of many, and what goes wrong there concerns every operation: it has a share of its own.
        catalogue = [kind for kind in kinds if kind.place == CATALOGUE]
        events = [name for name in _PER_KIND_OF_EVENT if f"step {name}" in on]
        room = DISTURBANCES_MAX - len(scenario.fault) - sum(isinstance(step, steps.Event) for step in scenario.step)
        wanted = min(room, stream.choice(_NEW))
        new_faults: dict[str, Any] = {f"{one.place} {one.armed()}": one for one in scenario.fault}
        new_steps = list(scenario.step)
        for _ in range(wanted if kinds or events else 0):
            if not events or (kinds and stream.randrange(4)):
                some = catalogue if catalogue and stream.randrange(3) == 0 else kinds
                one = self._fault(stream, stream.choice(some), scenario.phases.faulty_ns)
                new_faults.setdefault(f"{one.place} {one.armed()}", one)
            else:
                new_steps.append(self._event(stream, stream.choice(events), scenario.phases.faulty_ns))
        return scenario.model_copy(update={"fault": tuple(new_faults.values()), "step": tuple(new_steps)})

    def _fault(self, stream: random.Random, kind: Kind, faulty_ns: int) -> Any:
        """At one of the requests of the undisturbed run, or at one of the first after some moment."""
        counts = self.terrain.requests[kind.place]
        operation = stream.choice((*kind.operations, "*", "*"))
        requests = sum(counts[name] for name in kind.operations) if operation == "*" else counts[operation]
        late = stream.randrange(5) < (3 if faulty_ns > self.terrain.faulty_ns else 1)
        return faults.fault(
            kind.place, kind.fault, operation, stream.randint(1, min(requests, 3) if late else requests),
            stream.choice(kind.phases), stream.choice(kind.amounts), stream.choice((1, 1, 1, 1, 2, 3, 0)),
            start_ns=self._moment(stream, faulty_ns) if late else 0,
            lasts_ns=self._duration(stream) if stream.randrange(3) == 0 else 0,
        )

    def _event(self, stream: random.Random, name: str, faulty_ns: int) -> steps.Step:
        at = self._moment(stream, faulty_ns)
        make: Mapping[str, Callable[[], steps.Step]] = {
            "crash": lambda: steps.Crash(do="crash", place=stream.choice(self._places), at=at),
            "pause": lambda: steps.Pause(do="pause", place=stream.choice(self._places), at=at, lasts=self._duration(stream)),
            "partition": lambda: self._partition(stream, at),
            "outage": lambda: steps.Outage(do="outage", of=stream.choice(self._targets), at=at, lasts=self._duration(stream)),
        }
        return make[name]()

    def _partition(self, stream: random.Random, at: int) -> steps.Step:
        """One endpoint from all others, or from one of them."""
        everybody = [*self._places, *self._targets]
        one = stream.choice(everybody)
        others = [name for name in everybody if name != one]
        other = (stream.choice(others),) if stream.randrange(2) else ()
        return steps.Partition(
            do="partition", one=(one,), other=other, one_way=stream.randrange(4) == 0, at=at, lasts=self._duration(stream))

    def _moment(self, stream: random.Random, faulty_ns: int) -> int:
        """Some time after the faulty phase began: while an undisturbed run is at work, or until everything is healed. Whole
        microseconds, so that a person can read it."""
        within_ns = self.terrain.faulty_ns if stream.randrange(3) == 0 else max(faulty_ns, self.terrain.faulty_ns)
        return stream.randrange(max(1, within_ns // 1000)) * 1000

    @staticmethod
    def _duration(stream: random.Random) -> int:
        """From a millisecond to some minutes, each order of magnitude as likely as the next."""
        order_of_magnitude: int = 10 ** stream.randrange(6)
        return _SHORTEST_NS * order_of_magnitude * stream.randint(1, 9)

    def _with_clocks(self, number: int, scenario: Scenario) -> Scenario:
        """In a quarter of the runs clocks are wrong, by seconds up to a day: for a while, or until everything is healed."""
        stream = random.Random(derive(self.seed, f"explore/{number}/clocks"))
        if stream.randrange(4):
            return scenario
        jumps: list[steps.Step] = []
        for _ in range(stream.choice((1, 1, 2, 3))):
            wrong_ns = stream.choice(_WRONG_NS)
            lasts_ns = self._duration(stream) if stream.randrange(2) else 0
            ahead = stream.randrange(2) == 0
            jumps.append(steps.Clock(
                do="clock", place=stream.choice(self._places), ahead=wrong_ns if ahead else 0, behind=0 if ahead else wrong_ns,
                at=self._moment(stream, scenario.phases.faulty_ns), lasts=lasts_ns))
        return scenario.model_copy(update={"step": (*scenario.step, *jumps)})

    def _scheduled(self, number: int, scenario: Scenario) -> Scenario:
        """Half of the runs with priorities of their own; few falls more often than many."""
        stream = random.Random(derive(self.seed, f"explore/{number}/schedule"))
        if stream.randrange(2):
            return scenario
        drawn = stream.sample(range(1, self.terrain.turns + 1), min(self.terrain.turns, stream.choice(_FALLS)))
        schedule = scenario.schedule.model_copy(update={
            "lag_ns": stream.choice(_LAGS_NS), "falls": tuple(sorted(drawn)), "falls_drawn": 0})
        return scenario.model_copy(update={"schedule": schedule})

    def _with_priorities(self, stream: random.Random, scenario: Scenario) -> Scenario:
        """An order of locations: the links of each are as slow as its place in it says."""
        order = list(self._places)
        stream.shuffle(order)
        slow = stream.sample(range(len(order)), min(len(order), stream.randint(1, 3)))
        links = {frozenset(link.between): link for link in scenario.link}
        for rank in sorted(slow):
            latency_ns: int = stream.choice(_SLOW_NS)
            for other in (*self._targets, *(name for name in order if name != order[rank])):
                ends = frozenset((order[rank], other))
                if len(ends) == 2 and (other in self._targets or stream.randrange(2)):
                    links[ends] = Link(between=(order[rank], other), latency=latency_ns, jitter_percent=50)
        return scenario.model_copy(update={"link": tuple(links.values())})

    @staticmethod
    def _mixed(stream: random.Random, scenario: Scenario) -> Scenario:
        """Each workload with some of its operations, and another number of clients."""
        found: list[Workload] = []
        for one in scenario.workload:
            kept = {name: weight for name, weight in one.mix.items() if stream.randrange(2)} or dict(one.mix)
            found.append(one.model_copy(update={
                "mix": kept, "clients": max(1, one.clients * stream.choice((1, 2, 4)) // 2),
                "contend": stream.choice((0, one.contend, 30, 70)),
            }))
        return scenario.model_copy(update={"workload": tuple(found)})


def _less(stream: random.Random, scenario: Scenario) -> Scenario:
    """A parent without some of its faults and happenings."""
    waited_for = {step.after for step in scenario.step}
    kept_faults = [one for one in scenario.fault if stream.randrange(4)]
    kept_steps = [
        step for step in scenario.step
        if not isinstance(step, steps.Event) or (step.name and step.name in waited_for) or stream.randrange(4)
    ]
    return scenario.model_copy(update={"fault": tuple(kept_faults), "step": tuple(kept_steps)})


def _later(stream: random.Random, size: int) -> int:
    """One of so many, the later ones more often: what was found last is explored least."""
    return max(stream.randrange(size), stream.randrange(size))
