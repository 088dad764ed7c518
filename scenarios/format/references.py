"""Whether a scenario speaks only of things that it has: zones, hosts, devices, steps, URLs; and says nothing that cannot be."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

from storcert.scenarios.format import steps
from storcert.scenarios.format.faults import Strike
from storcert.scenarios.format.scenario import Scenario

Complaint = tuple[tuple[str | int, ...], str]
CATALOGUE, WEB = "catalogue", "web"
PARTS = ("prepare", "step", "afterwards")


def places(scenario: Scenario) -> dict[str, str]:
    """Every location with what it is: ``management``, ``storage-vm`` or ``host``."""
    found = {f"ms-{number + 1}": "management" for number in range(scenario.region.management_servers)}
    for zone in scenario.zone:
        found |= {f"{zone.name}-ssvm{number + 1}": "storage-vm" for number in range(zone.storage_vms)}
        found |= {f"{zone.name}-h{number + 1}": "host" for number in range(zone.clusters * zone.hosts)}
    return found


def unresolved(scenario: Scenario) -> Iterator[Complaint]:
    """Each thing that is named and not there, with its path."""
    world = _World(scenario)
    yield from world.twice()
    yield from world.devices()
    yield from world.network()
    for part in PARTS:
        yield from world.part(part, getattr(scenario, part))
    for number, fault in enumerate(scenario.fault):
        yield from world.strike(("fault", number), fault)
    yield from world.workloads()
    yield from world.whole()


class _World:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.places = places(scenario)
        self.zones = [zone.name for zone in scenario.zone]
        self.clusters = [f"{zone.name}-c{number + 1}" for zone in scenario.zone for number in range(zone.clusters)]
        self.hosts = [name for name, kind in self.places.items() if kind == "host"]
        self.names = [device.name for device in scenario.device]
        self.urls = [web.url for web in scenario.web]
        self.links = [
            step.name for part in PARTS for step in getattr(scenario, part) if isinstance(step, steps.MakeLink) and step.name]
        self.web_hosts = [url.split("/")[2].partition(":")[0] for url in self.urls]

    def twice(self) -> Iterator[Complaint]:
        for part, names in (
            ("zone", self.zones), ("device", self.names), ("web", self.urls),
            ("workload", [one.name for one in self.scenario.workload]),
            ("nemesis", [one.name for one in self.scenario.nemesis]),
        ):
            for number, name in enumerate(names):
                if name in names[:number]:
                    yield (part, number), f"{part} {number + 1}: there are two of that name: {name!r}"
        for number, name in enumerate(self.names):
            if name in (CATALOGUE, WEB) or name in self.places:
                yield ("device", number, "name"), f"device {number + 1}: {name!r} is something else's name already"

    def devices(self) -> Iterator[Complaint]:
        for number, device in enumerate(self.scenario.device):
            here = ("device", number, "scope_id")
            if device.scope == "region":
                if device.scope_id:
                    yield here, f"device {number + 1}: a device of the whole region has no scope_id"
            elif device.scope == "zone" and not device.scope_id and len(self.zones) == 1:
                continue
            else:
                known = {"zone": self.zones, "cluster": self.clusters, "host": self.hosts}[device.scope]
                if not device.scope_id:
                    yield here, f"device {number + 1} needs scope_id, its {device.scope}; there are {', '.join(known)}"
                yield from self._known(here, device.scope_id, known, device.scope)

    def network(self) -> Iterator[Complaint]:
        endpoints = [*self.places, *self.names, CATALOGUE, *self.web_hosts]
        for number, link in enumerate(self.scenario.link):
            for end, name in enumerate(link.between):
                yield from self._known(("link", number, "between", end), name, endpoints, "endpoint")
        for number, port in enumerate(self.scenario.port):
            yield from self._known(("port", number, "of"), port.of, endpoints, "endpoint")

    def part(self, part: str, taken: tuple[steps.Step, ...]) -> Iterator[Complaint]:
        named = [step.name for step in taken if step.name]
        for number, step in enumerate(taken):
            here: tuple[str | int, ...] = (part, number)
            if step.name and named.count(step.name) > 1:
                yield (*here, "name"), f"{part} {number + 1}: two steps are called {step.name!r}"
            if step.after:
                yield from self._known((*here, "after"), step.after, named, "step")
                if step.after == step.name:
                    yield (*here, "after"), f"{part} {number + 1} waits for itself"
            if step.after and step.at_ns is not None:
                yield (*here, "at"), f"{part} {number + 1} says both at and after; a delay can be added to after"
            yield from self.step(here, step)
        yield from _circles(part, taken)

    def step(self, here: tuple[str | int, ...], step: steps.Step) -> Iterator[Complaint]:
        if isinstance(step, steps.Inject):
            yield from self.strike(here, step)
            if step.chance_per_request is not None:
                yield (*here, "chance_per_request"), f"{_said(here)}: chances are for [[fault]]; a step has nth and count"
        management = [name for name, kind in self.places.items() if kind == "management"]
        for key, known, what in (
            ("device", self.names, "device"), ("server", management, "management server"), ("zone", self.zones, "zone"),
            ("cluster", self.clusters, "cluster"), ("host", self.hosts, "host"), ("place", list(self.places), "location"),
            ("of", [*self.names, CATALOGUE], "device"),
        ):
            if isinstance(step, steps.Inject) and key == "place":
                continue
            yield from self._known((*here, key), getattr(step, key, None), known, what)
        if isinstance(step, steps.Clock) and bool(step.ahead_ns) == bool(step.behind_ns):
            yield (*here, "ahead"), f"{_said(here)}: a clock is ahead or behind, by more than nothing; say one of them"
        if isinstance(step, (steps.Unlink, steps.Download)):
            yield from self._known((*here, "link"), step.link, self.links, "step that makes a link")
        if isinstance(step, (steps.Create, steps.CreateFrom, steps.Register, steps.Upload)):
            wheres = [key for key in ("device", "zone", "cluster", "host") if getattr(step, key, None)]
            if len(wheres) > 1:
                yield (*here, wheres[1]), f"{_said(here)} says both {wheres[0]} and {wheres[1]}; one of them decides"
            if not wheres and len(self.zones) > 1:
                yield here, f"{_said(here)} does not say where: device or zone; there are zones {', '.join(self.zones)}"
        if isinstance(step, (steps.Register, steps.Export)):
            yield from self._known((*here, "url"), step.url, self.urls, "file in [[web]]")
        for key, known in (("zones", self.zones), ("on", self.names)):
            found = getattr(step, key, ())
            for number, name in enumerate(found if isinstance(found, tuple) else ()):
                yield from self._known((*here, key, number), name, known, "zone" if key == "zones" else "device")
        if isinstance(step, steps.Partition):
            endpoints = [*self.places, *self.names, CATALOGUE, *self.web_hosts]
            for key in ("one", "other"):
                for number, name in enumerate(getattr(step, key)):
                    yield from self._known((*here, key, number), name, endpoints, "endpoint")

    def strike(self, here: tuple[str | int, ...], fault: Strike) -> Iterator[Complaint]:
        yield from self._known((*here, "place"), fault.place, [*self.names, CATALOGUE, *([WEB] if self.urls else ())], "place")
        if fault.location != "*":
            yield from self._known((*here, "location"), fault.location, list(self.places), "location")
        if fault.nth[0] > fault.nth[1] or fault.nth[0] < 1:
            yield (*here, "nth"), f"{_said(here)}: nth counts from 1, and of two numbers the first is the smaller"

    def workloads(self) -> Iterator[Complaint]:
        phases = self.scenario.phases
        lasting = {"warm-up": phases.warm_up_ns, "faulty": phases.faulty_ns, "healed": phases.healed_ns}
        for number, one in enumerate(self.scenario.workload):
            here = ("workload", number)
            for key, known, what in (
                ("devices", self.names, "device"), ("zones", self.zones, "zone"), ("urls", self.urls, "URL"),
            ):
                for place, name in enumerate(getattr(one, key)):
                    yield from self._known((*here, key, place), name, known, what)
            if one.count is None and not any(lasting[phase] for phase in one.phases):
                hint = 'say count, or how long a phase lasts, as in phases = { faulty = "5 min" }'
                yield here, f"workload {number + 1} would never be over: {hint}"
            if "register" in one.mix and not self.urls:
                yield (*here, "mix", "register"), f"workload {number + 1} registers, and there is no file in [[web]]"
        for number, nemesis in enumerate(self.scenario.nemesis):
            if not phases.faulty_ns:
                yield ("nemesis", number), f'nemesis {number + 1} has no time: say phases = {{ faulty = "5 min" }}'
            for place, means in enumerate(nemesis.means):
                here_too = ("nemesis", number, "means", place)
                yield from self.step(here_too, means)
                for key in ("at_ns", "after", "name"):
                    if getattr(means, key) is not None:
                        word = key.removesuffix("_ns")
                        yield (*here_too, word), f"{_said(here_too)} has a time of the nemesis' own, and no {word}"

    def whole(self) -> Iterator[Complaint]:
        kind, defect = self.scenario.class_, self.scenario.defect
        if kind in ("regression", "negative") and defect is None:
            yield ("class",), f"class {kind} needs a defect on which a rule breaks: defect = {{ id = ..., breaks = ... }}"
        if kind not in ("regression", "negative") and defect is not None:
            yield ("defect",), f'only class = "regression" and class = "negative" have a defect, not {kind!r}'

    @staticmethod
    def _known(path: tuple[str | int, ...], name: object, known: Collection[str], what: str) -> Iterator[Complaint]:
        if not name or not isinstance(name, str) or name in known:
            return
        close = difflib.get_close_matches(name, known, 1)
        hint = f", did you mean {close[0]!r}?" if close else f"; there are {', '.join(list(known)[:12])}" if known else ""
        yield path, f"{_said(path)}: there is no {what} {name!r}{hint}"


def _circles(part: str, taken: Iterable[steps.Step]) -> Iterator[Complaint]:
    """Steps that wait for each other in a circle."""
    waits = {step.name: step.after for step in taken if step.name}
    for number, step in enumerate(taken):
        seen, name = [], step.after
        while name and name not in seen:
            seen.append(name)
            name = waits.get(name)
        if step.name and name == step.name and step.after != step.name:
            yield (part, number, "after"), f"{part} {number + 1}: {' waits for '.join([step.name, *seen])}, in a circle"


def _said(path: tuple[str | int, ...]) -> str:
    parts: list[str] = []
    for one in path:
        if isinstance(one, int) and parts:
            parts[-1] += f" {one + 1}"
        else:
            parts.append(str(one))
    return ", ".join(parts)
