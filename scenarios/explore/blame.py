"""Who is to blame for a rule that broke in a run of a scenario, decided by running it again with one thing changed at a time.

The same scenario and seed are one world. So, in this order:

1. Run it again as it is. Another run, or a rule that holds now: something in it is not determined by the seed, and nobody can
   say what. **inconclusive**
2. Where devices have drivers that are not the bundled ones, put the bundled ones in their place. The rule holds, with this seed
   and with others: **driver**. It holds with this seed only: **inconclusive**.
3. Where it breaks all the same, or all drivers are bundled: put other kinds of devices in the place of each kind. It breaks
   without this one, and without that one as well: no driver and no device model is needed for it. **control plane**.
4. It never breaks without a certain kind: its driver, its model, or what the control plane asks of such devices only. What the
   first run shows of them decides: driver code that broke a C- rule before everybody's eyes: **driver**; a call that a device
   model does not have: **device**. Nothing of that: **inconclusive**.

A machine's trouble (**environment**) ends a run in an error and breaks no rule: that is told from the exception, elsewhere.
What runs is imported late, because a planted defect stands in another copy of it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storcert.harness.record.verdict import Blame, Verdict
from storcert.scenarios.explore.lines import LineWatch
from storcert.scenarios.explore.run import PLAY, run_trial
from storcert.scenarios.explore.trial import EXPECTED, TrialResult
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.substitute import Substitution, substitute
from storcert.simulators.device import NOT_MODELLED
from storcert.simulators.registry import SIMULATED

NEIGHBOURS = 2
"""So many other seeds must show that the bundled drivers keep the rule."""
SIGNS_SHOWN = 3
_RAISED = re.compile(r"the driver raised (\w+)")


@dataclass(frozen=True, slots=True)
class Blamed:
    """``blame``, and by what it was decided, in the order in which it was found out."""

    blame: Blame
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlameTask:
    """The task of finding out, for a scenario that expects nothing but rules (``loosened``). ``digest``: of the run in which
    the rules broke, or empty."""

    scenario: Scenario
    seed: int
    rules: tuple[str, ...]
    digest: str = ""

    def do(self, watch: LineWatch | None) -> Mapping[str, Blamed]:
        """Do it here; by rule."""
        inquiry = _Inquiry(self.scenario, self.seed, self.digest)
        return {rule: inquiry.of(rule) for rule in self.rules}


class _Inquiry:
    """One scenario and seed. Each run that is asked for is made once, whichever rules ask for it."""

    def __init__(self, scenario: Scenario, seed: int, digest: str) -> None:
        self._scenario = scenario
        self._seed = seed
        self._digest = digest
        self._made: dict[tuple[str, int], TrialResult] = {}
        self._signs: _Signs | None = None
        self._kinds = sorted({device.kind for device in scenario.device})

    def of(self, rule: str) -> Blamed:
        """Whose it is that ``rule`` broke."""
        again = self._run("as it is", self._scenario)
        if not _breaks(again, rule) or self._digest not in ("", again.digest):
            told = "the same scenario and seed gave another run: something in it is not determined by the seed"
            return Blamed(Blame.INCONCLUSIVE, (told,))
        evidence = ["the same scenario and seed break it again"]
        scenario = self._scenario
        foreign = [device.name for device in scenario.device if device.driver not in ("", SIMULATED[device.kind].driver)]
        if foreign:
            found = self._by_drivers(rule, foreign, evidence)
            if found is not None:
                return found
            scenario = bundled(scenario, foreign)
        return self._by_devices(rule, scenario, bool(foreign), evidence)

    def _by_drivers(self, rule: str, foreign: Sequence[str], evidence: list[str]) -> Blamed | None:
        """``None``: it breaks with the bundled drivers as well."""
        scenario = bundled(self._scenario, foreign)
        without = self._run("bundled drivers", scenario)
        where = " and ".join(foreign)
        if not _says(without, rule):
            evidence.append(f"with the bundled driver at {where} nothing can be said of it: {without.error or 'no such rule'}")
            return Blamed(Blame.INCONCLUSIVE, tuple(evidence))
        if _breaks(without, rule):
            evidence.append(f"it breaks with the bundled driver at {where}, too")
            return None
        others = [self._seed + number for number in range(1, NEIGHBOURS + 1)]
        also = [seed for seed in others if _breaks(self._run("bundled drivers", scenario, seed), rule)]
        if also:
            evidence.append(f"with the bundled driver at {where} it holds, but with seed {also[0]} it breaks there as well")
            return Blamed(Blame.INCONCLUSIVE, tuple(evidence))
        guilty = [name for name in foreign if len(foreign) == 1 or self._holds_with(rule, name)]
        where = " or ".join(guilty) if guilty else where
        evidence.append(f"with the bundled driver at {where} it holds, and so it does with {NEIGHBOURS} other seeds")
        return Blamed(Blame.DRIVER, (*evidence, *self._seen().of_drivers))

    def _holds_with(self, rule: str, name: str) -> bool:
        found = self._run(f"bundled driver at {name}", bundled(self._scenario, [name]))
        return _says(found, rule) and not _breaks(found, rule)

    def _by_devices(self, rule: str, scenario: Scenario, changed: bool, evidence: list[str]) -> Blamed:
        without = {kind: self._without(rule, scenario, kind) for kind in self._kinds}
        if all(found is not None and found.broke for found in without.values()):
            told = ", and ".join(f"without {kind}" for kind in self._kinds)
            evidence.append(f"it breaks {told}: none of their drivers and models is needed for it")
            return Blamed(Blame.CONTROL_PLANE, tuple(evidence))
        needed = [kind for kind, found in without.items() if found is not None and not found.broke]
        unsure = [kind for kind, found in without.items() if found is None]
        if not needed or unsure:
            evidence.append(f"nothing else can stand in for {' and '.join(unsure)}, so nobody can be ruled out")
            return Blamed(Blame.INCONCLUSIVE, tuple(evidence))
        for kind in needed:
            found = without[kind]
            assert found is not None
            evidence.append(f"it holds with {' or '.join(found.held)} in the place of {kind}")
        seen = self._seen()
        if not changed and seen.of_devices:
            return Blamed(Blame.DEVICE, (*evidence, *seen.of_devices))
        if not changed and seen.of_drivers:
            return Blamed(Blame.DRIVER, (*evidence, *seen.of_drivers))
        which = " or ".join(needed)
        evidence.append(f"whether it is the driver of {which}, its model, or what only {which} is asked for, runs cannot tell")
        return Blamed(Blame.INCONCLUSIVE, tuple(evidence))

    def _without(self, rule: str, scenario: Scenario, kind: str) -> _Without | None:
        """What becomes of the rule with other kinds in the place of ``kind``; ``None``: nobody can say."""
        broke, held = [], []
        for other in sorted(set(SIMULATED) - {kind}):
            changed = substitute(scenario, [Substitution(kind, other)])
            found = self._run(f"{other} for {kind}", changed.scenario)
            if _breaks(found, rule):
                broke.append(other)
            elif _says(found, rule) and not changed.left_out:
                held.append(other)
        return _Without(tuple(broke), tuple(held)) if broke or held else None

    def _run(self, name: str, scenario: Scenario, seed: int | None = None) -> TrialResult:
        key = name, self._seed if seed is None else seed
        if key not in self._made:
            self._made[key] = run_trial(scenario, key[1])
        return self._made[key]

    def _seen(self) -> _Signs:
        if self._signs is None:
            witness = _Witness()
            played: Any = importlib.import_module(PLAY).play(self._scenario, self._seed, onlooker=witness)
            self._signs = _Signs(tuple(_of_drivers(witness.findings, played.events)), tuple(_of_devices(witness.findings)))
        return self._signs


@dataclass(frozen=True, slots=True)
class _Without:
    """The kinds of devices with which the rule broke, and those with which it held, in the place of another."""

    broke: tuple[str, ...]
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Signs:
    """What a run shows of its drivers and of its device models, in words."""

    of_drivers: tuple[str, ...]
    of_devices: tuple[str, ...]


class _Witness:
    """An onlooker (:mod:`storcert.scenarios.runner.onlooker`) that keeps what code at the locations did and may not."""

    def __init__(self) -> None:
        self.findings: list[Any] = []

    def begins(self, region: Any) -> None:
        """Nothing to see yet."""

    def phase(self, phase: str, now_ns: int) -> None:
        """Not of interest."""

    def asked(self, workload: str, step: Any, server: str, now_ns: int) -> None:
        """Not of interest."""

    def over(self, region: Any) -> None:
        """Keep it."""
        for _, location in sorted(region.kernel.locations.items()):
            self.findings += location.findings


def _of_drivers(findings: Sequence[Any], events: Sequence[Any]) -> Iterator[str]:
    raised = sorted({name for event in events for name in _RAISED.findall(event.text)} - {"NotModelled"})
    yield from (f"C-ERRORS: a driver raised {name}, which is none of the contract's errors" for name in raised[:SIGNS_SHOWN])
    touched = sorted({one.message for one in findings if one.kind == "file-system" and one.file})
    yield from (f"C-NOFS: driver code touched a file system outside its device: {text}" for text in touched[:SIGNS_SHOWN])


def _of_devices(findings: Sequence[Any]) -> Iterator[str]:
    lacking = sorted({one.message for one in findings if one.kind == NOT_MODELLED})
    yield from (f"a device model does not have: {text}" for text in lacking[:SIGNS_SHOWN])


def bundled(scenario: Scenario, names: Sequence[str]) -> Scenario:
    """The scenario with the bundled drivers at those devices. What was configured of another driver goes with it."""
    return scenario.model_copy(update={"device": tuple(
        device.model_copy(update={"driver": "", "configuration": {}}) if device.name in names else device
        for device in scenario.device
    )})


def _breaks(found: TrialResult, rule: str) -> bool:
    return any(one.rule == rule for one in found.breaks)


def _says(found: TrialResult, rule: str) -> bool:
    """Whether the run says anything of the rule."""
    decided = found.verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN)
    return decided and (rule in found.rules or rule == EXPECTED or _breaks(found, rule))

