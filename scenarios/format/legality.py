"""What the simulated devices allow a scenario to say: which faults strike where, which options there are."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache

from storcert.scenarios.format import steps
from storcert.scenarios.format.faults import Strike
from storcert.scenarios.format.scenario import Scenario
from storcert.simulators.device import FaultKind
from storcert.simulators.network.faults import FaultPlan
from storcert.simulators.network.network_faults import faults_of
from storcert.simulators.network.wire import TRANSPORT_FAULTS
from storcert.simulators.registry import SIMULATED, options_class

_WEB_PACKAGE = "storcert.simulators.http_source"
Complaint = tuple[tuple[str | int, ...], str]


@cache
def legal_faults(kind: str) -> Mapping[str, FaultKind]:
    """By name, the faults of a kind of device, of ``catalogue`` or of ``web``; those of the network come with each."""
    if kind == "catalogue":
        own: tuple[FaultKind, ...] = TRANSPORT_FAULTS
    else:
        if kind != "web":
            SIMULATED[kind].load()
        package = _WEB_PACKAGE if kind == "web" else SIMULATED[kind].package
        own = importlib.import_module(f"{package}.legal_faults").LEGAL_FAULTS
    return {fault.name: fault for fault in (*faults_of("tcp"), *own)}


def illegal(scenario: Scenario) -> Iterator[Complaint]:
    """Each fault and option that the device it is meant for does not have, with its path."""
    kinds = {device.name: device.kind for device in scenario.device} | {"catalogue": "catalogue", "web": "web"}
    for number, device in enumerate(scenario.device):
        if device.simulator:
            try:
                options_class(device.kind).from_mapping(dict(device.simulator))
            except ValueError as error:
                yield ("device", number, "simulator"), f"device {number + 1}, simulator: {error}"
    for path, strike in strikes(scenario):
        complaint = objection(strike, kinds[strike.place])
        if complaint:
            yield (*path, "fault"), f"{path[0]} {int(path[1]) + 1}: {complaint}"


def strikes(scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], Strike]]:
    """Every fault in a scenario, with its path."""
    for number, fault in enumerate(scenario.fault):
        yield ("fault", number), fault
    for part in ("prepare", "step", "afterwards"):
        for number, step in enumerate(getattr(scenario, part)):
            if isinstance(step, steps.Inject):
                yield (part, number), step
    for number, nemesis in enumerate(scenario.nemesis):
        for place, means in enumerate(nemesis.means):
            if isinstance(means, steps.Inject):
                yield ("nemesis", number, "means", place), means


def objection(strike: Strike, kind: str) -> str:
    """Why that fault cannot be there, or ``""``."""
    known = legal_faults(kind)
    try:
        FaultPlan(tuple(known.values())).arm([strike.armed()])
    except ValueError as error:
        return str(error).replace("here", f"of {kind}", 1)
    return ""

