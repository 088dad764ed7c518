"""A scenario as one value: what the world is, what happens in it, what must come of it."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from storcert.scenarios.format.base import Name, Value, Whole
from storcert.scenarios.format.faults import Fault
from storcert.scenarios.format.load import Nemesis, Phases, Workload
from storcert.scenarios.format.schedule import Schedule
from storcert.scenarios.format.steps import Step
from storcert.scenarios.format.world import Device, Link, Port, Region, Web, Zone

RuleName = Literal[
    "L-NOBYTES", "L-ONCE", "L-SOURCE", "L-CLEAN", "L-RECORD", "L-LIVE", "L-SINGLE", "L-DEPEND", "L-REPEAT", "L-BALANCE",
    "L-CAPACITY", "L-POLICY", "L-STAGING", "L-REACH", "L-CONVERGE",
]
BreaksName = Literal[RuleName, "EXPECTED"]
ScenarioClass = Literal["smoke", "fault", "rare", "regression", "negative", "own"]
Cost = Literal["fast", "slow", "long"]


def _texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _one_or_more(value: tuple[str, ...]) -> str | list[str]:
    return value[0] if len(value) == 1 else list(value)


Texts = Annotated[
    tuple[str, ...], BeforeValidator(_texts), PlainSerializer(_one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class PlantedDefect(Value):
    """A mistake planted in the program, and the rule that must break because of it. `storcert list defects` shows them."""

    id: Name
    """Which defect."""
    breaks: BreaksName
    """The rule that must break; "EXPECTED": a step ends otherwise than it must, or the region does not come to rest."""
    says: str = ""
    """Words that what broke must hold."""


class Expectation(Value):
    """What must come of it, beside what each step expects."""

    rules: tuple[RuleName, ...] = ()
    """Rules that must hold; left out: all of them."""
    decided: tuple[RuleName, ...] = ("L-ONCE", "L-RECORD", "L-LIVE", "L-CONVERGE")
    """Rules that must have had something to look at: a run in which nothing happened proves nothing."""
    operations_done_min: Whole = 0
    """At least so many operations of workloads must have been done."""


class Scenario(Value):
    """One failure scenario. A run of it is decided by it and a seed alone."""

    name: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$", max_length=120)] = ""
    """How it is called; left out: as its file is."""
    title: Annotated[str, Field(min_length=1, max_length=120)]
    """What it is about, in one line."""
    story: str = ""
    """What happened where it was seen, in two sentences."""
    source: Texts = ()
    """Where it comes from: an issue, a change, a page."""
    class_: ScenarioClass = Field(default="own", alias="class")
    """smoke, fault, rare: all rules hold, whatever happens. regression: they hold, and on the named defect the named rule
    breaks. negative: it is run on the defect only, and the rule must break. own: as smoke; yours."""
    cost: Cost = "fast"
    """fast: at most some seconds; slow: a minute; long: more. Which test runs it."""
    seeds: Annotated[tuple[Whole, ...], Field(min_length=1)] = (1,)
    """The seeds it is run with when nobody says another."""
    region: Region = Region()
    """Management servers, reconciliation, restarts."""
    zone: Annotated[tuple[Zone, ...], Field(min_length=1)]
    """The zones."""
    device: Annotated[tuple[Device, ...], Field(min_length=1)]
    """The storage devices."""
    link: tuple[Link, ...] = ()
    """What lies between endpoints, where it is not as usual."""
    port: tuple[Port, ...] = ()
    """What endpoints send and receive in all, where that is limited."""
    web: tuple[Web, ...] = ()
    """Files that can be downloaded."""
    phases: Phases = Phases()
    """How long warm-up, faulty and healed phase last."""
    prepare: tuple[Step, ...] = ()
    """Steps before anything goes wrong; after them comes the warm-up."""
    workload: tuple[Workload, ...] = ()
    """Clients at work in the phases."""
    fault: tuple[Fault, ...] = ()
    """Faults that are armed in the faulty phase."""
    nemesis: tuple[Nemesis, ...] = ()
    """Who disturbs the faulty phase."""
    schedule: Schedule = Schedule()
    """Which of several things that are ready at nearly one moment comes first."""
    step: tuple[Step, ...] = ()
    """Steps of the faulty phase: what happened."""
    afterwards: tuple[Step, ...] = ()
    """Steps once everything is healed."""
    defect: PlantedDefect | None = None
    """For regression and negative: the planted defect on which a rule must break."""
    expect: Expectation = Expectation()
    """What must come of it."""

    def to_json(self) -> dict[str, Any]:
        """What it says, without what is as usual; durations and sizes as text. Inverse: ``format.read.from_json``."""
        found: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return found

    def digest(self) -> str:
        """``"sha256:<hex>"`` of what it says; its name, title, story and source are not part of it."""
        said = {key: value for key, value in self.to_json().items() if key not in ("name", "title", "story", "source")}
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
