"""What the clients of one workload believe to have, and which operation they can therefore ask for next. Never the judge of
anything: the rules of the logical layer are."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from storcert.scenarios.format import steps
from storcert.scenarios.format.load import Workload
from storcert.scenarios.format.scenario import Scenario


@dataclass(slots=True)
class Holding:
    """An object. ``kind``: ``volume``, ``template`` or ``snapshot``. ``parent``: of a snapshot, its volume; ``busy``: how many
    operations are under way on it; ``host``: where a volume is attached; ``there``: whether it is thought to be there."""

    uri: str
    kind: str
    size_bytes: int
    device: str = ""
    parent: str = ""
    host: str = ""
    busy: int = 0
    there: bool = False


class Holdings:
    """Of one workload in one scenario."""

    def __init__(self, scenario: Scenario, workload: Workload, stream: random.Random) -> None:
        self._workload = workload
        self._stream = stream
        self._made = 0
        self._held: dict[str, Holding] = {}
        zones = workload.zones or tuple(zone.name for zone in scenario.zone)
        self._zones = zones
        self._primary = workload.devices or tuple(one.name for one in scenario.device if one.role == "primary")
        self._images = tuple(one.name for one in scenario.device if one.role == "image")
        self._urls = workload.urls or tuple(web.url for web in scenario.web)
        self._sizes = {web.url: web.size_bytes for web in scenario.web}
        hosts = {zone.name: [f"{zone.name}-h{n + 1}" for n in range(zone.clusters * zone.hosts)] for zone in scenario.zone}
        self._hosts = [host for zone in zones for host in hosts[zone]]
        self._operations = list(workload.mix)
        self._weights = list(workload.mix.values())

    # -- the next operation

    def next(self) -> tuple[str, steps.Request]:
        """The operation and the step that asks for it."""
        operation = self._stream.choices(self._operations, self._weights)[0]
        if len(self._held) >= self._workload.objects_max and operation in _MAKING:
            operation = "delete"
        contended = self._workload.contend > 0 and self._stream.randrange(100) < self._workload.contend
        step = self._step(operation, contended)
        return (operation, step) if step is not None else ("create", self._create())

    def _step(self, operation: str, contended: bool) -> steps.Request | None:
        match operation:
            case "create":
                return self._create()
            case "register":
                return self._register()
            case "delete":
                return self._delete(contended)
            case "create-from" | "clone" | "template":
                return self._create_from(operation, contended)
            case "snapshot" | "backup":
                return self._snapshot(operation, contended)
            case "migrate" | "attach" | "detach":
                return self._volume(operation, contended)
            case "copy" | "seed":
                return self._template(operation, contended)
            case _:
                return self._revert(contended)

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"/{kind}/1/{self._workload.name}-{self._made}"

    def _pick(self, contended: bool, *kinds: str, attached: bool | None = None) -> Holding | None:
        found = [
            one for one in self._held.values()
            if one.kind in kinds and one.there and (one.busy > 0) == contended and attached in (None, bool(one.host))
        ]
        return self._stream.choice(found) if found else None

    def _new(self, kind: str, size_bytes: int, device: str = "", parent: str = "") -> str:
        uri = self._name(kind)
        self._held[uri] = Holding(uri, kind, size_bytes, device, parent)
        return uri

    def _create(self) -> steps.Request:
        size_bytes, device = self._stream.choice(self._workload.sizes), self._stream.choice(self._primary)
        return steps.Create(do="create", object=self._new("volume", size_bytes, device), size=size_bytes, device=device)

    def _register(self) -> steps.Request:
        url = self._stream.choice(self._urls)
        uri = self._new("template", self._sizes[url])
        return steps.Register(do="register", object=uri, url=url, zone=self._stream.choice(self._zones))

    def _delete(self, contended: bool) -> steps.Request | None:
        found = self._pick(contended, "volume", "template", "snapshot")
        return None if found is None else steps.Delete(
            do="delete", object=found.uri, dependants=found.kind == "volume" and self._stream.randrange(2) == 0)

    def _create_from(self, operation: str, contended: bool) -> steps.Request | None:
        sources = {"create-from": ("template", "volume"), "clone": ("snapshot",), "template": ("volume",)}[operation]
        found = self._pick(contended, *sources)
        if found is None:
            return None
        if operation == "template":
            uri = self._new("template", found.size_bytes)
            return steps.CreateFrom(do="create-from", object=uri, source=found.uri, zone=self._stream.choice(self._zones))
        device = self._stream.choice(self._primary)
        uri = self._new("volume", found.size_bytes, device)
        return steps.CreateFrom(do="create-from", object=uri, source=found.uri, device=device)

    def _snapshot(self, operation: str, contended: bool) -> steps.Request | None:
        found = self._pick(contended, "volume")
        if found is None or (operation == "backup" and not self._images):
            return None
        device = self._stream.choice(self._images) if operation == "backup" else None
        uri = self._new("snapshot", found.size_bytes, device or found.device, found.uri)
        return steps.TakeSnapshot(do="snapshot", object=uri, volume=found.uri, device=device)

    def _volume(self, operation: str, contended: bool) -> steps.Request | None:
        found = self._pick(contended, "volume", attached=operation == "detach")
        if found is None:
            return None
        if operation == "migrate":
            others = [name for name in self._primary if name != found.device]
            return steps.Migrate(do="migrate", object=found.uri, device=self._stream.choice(others)) if others else None
        if operation == "detach":
            return steps.Detach(do="detach", volume=found.uri, host=found.host)
        host = self._stream.choice(self._hosts)
        return steps.Attach(do="attach", volume=found.uri, host=host, write_every=self._workload.write_every_ns)

    def _template(self, operation: str, contended: bool) -> steps.Request | None:
        found = self._pick(contended, "template")
        if found is None:
            return None
        if operation == "seed":
            return steps.Seed(do="seed", object=found.uri, zones=self._zones)
        return steps.Copy(do="copy", object=found.uri, device=self._stream.choice(self._images)) if self._images else None

    def _revert(self, contended: bool) -> steps.Request | None:
        found = self._pick(contended, "snapshot")
        return None if found is None else steps.Revert(do="revert", volume=found.parent, snapshot=found.uri)

    # -- what became of it

    def begun(self, step: steps.Request) -> None:
        """The operation is under way."""
        for one in self._concerned(step):
            one.busy += 1

    def ended(self, step: steps.Request, ending: str) -> None:
        """It has ended so. What is not known to have failed may have happened."""
        for one in self._concerned(step):
            one.busy -= 1
        made = self._held.get(vars(step).get("object", ""))
        match step:
            case steps.Create() | steps.CreateFrom() | steps.Register() | steps.TakeSnapshot() if made is not None:
                if ending in ("done", "died", "unended"):
                    made.there = True
                elif not made.busy:
                    del self._held[made.uri]
            case steps.Delete() if made is not None and ending in ("done", "ObjectNotFound"):
                self._held.pop(made.uri, None)
                for uri in [one.uri for one in self._held.values() if one.parent == made.uri and step.dependants]:
                    self._held.pop(uri, None)
            case steps.Migrate() if made is not None and ending == "done":
                made.device = step.device
            case steps.Attach() | steps.Detach():
                volume = self._held.get(step.volume)
                if volume is not None and ending == "done":
                    volume.host = step.host if isinstance(step, steps.Attach) else ""

    def _concerned(self, step: steps.Request) -> list[Holding]:
        said = vars(step)  # to ask a step for a key that it has not costs more than all else here
        names = dict.fromkeys(said.get(key) for key in ("object", "source", "volume", "snapshot"))
        return [self._held[name] for name in names if isinstance(name, str) and name in self._held]


_MAKING = frozenset(("create", "create-from", "clone", "template", "snapshot", "backup", "register"))

Counted = Mapping[tuple[str, str], int]
