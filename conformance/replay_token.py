"""From a scenario's failing run to its replay token and back: the whole scenario, the seed, what was found, by which kit and
drivers. A certification's tokens are made in :mod:`storcert.conformance.tokens`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

import storcert
from storcert.conformance import secrets
from storcert.conformance.driver_source import find_driver
from storcert.conformance.source_digests import folders_digest
from storcert.conformance.tokens import DIGITS, field
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.contract import CONTRACT_VERSION
from storcert.scenarios.format.read import from_json
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.replay import Case
from storcert.scenarios.result import ScenarioResult

KIND = "scenario"
MESSAGE_MAX = 200
_DECIDES = ("harness", "simulators", "scenarios")
"""The folders whose code decides what happens in a run."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a token says. ``rule``: the one that broke, or ``EXPECTED``; ``digest``: the first digits of the run's, empty where
    it is not known. ``notes``: what is not as it was when it was recorded, and may make the run another."""

    case: Case
    rule: str = ""
    message: str = ""
    digest: str = ""
    notes: tuple[str, ...] = ()


def payload(case: Case, digest: str, rule: str, message: str) -> dict[str, Any]:
    """What the token of a failure says. ``digest``: that of the run. Raises :class:`InvalidUsage` for a driver that is gone."""
    said: dict[str, Any] = {
        "kind": KIND,
        "kit": str(storcert.__version__),
        "contract": CONTRACT_VERSION,
        "source": source_digest(),
        "drivers": _drivers(case.scenario),
        "scenario": {key: value for key, value in case.scenario.to_json().items() if key not in ("story", "source", "seeds")},
        "seed": case.seed,
        "rule": rule,
        "message": one_line(message, MESSAGE_MAX),
        "digest": _digits(digest),
    }
    if case.until_ns is not None:
        said["until_ns"] = case.until_ns
    if case.elsewhere:
        said["elsewhere"] = True
    return dict(secrets.scrubbed_json(said))


def read(said: Mapping[str, Any]) -> Recorded:
    """Inverse of :func:`payload`. Raises :class:`InvalidUsage` for what is no such token, or of another kit."""
    try:
        kit, contract = field(said, "kit", str), field(said, "contract", int)
        if kit != storcert.__version__ or contract != CONTRACT_VERSION:
            raise InvalidUsage(
                f"this token belongs to another kit: it was made by storcert {kit} (contract {contract}), this is storcert "
                f"{storcert.__version__} (contract {CONTRACT_VERSION}); a run is the same with the same kit only")
        scenario = from_json(field(said, "scenario", dict))
        until_ns = field(said, "until_ns", int) if "until_ns" in said else None
        seed, rule = field(said, "seed", int), field(said, "rule", str)
        message, digest = field(said, "message", str), field(said, "digest", str)
        source, drivers = field(said, "source", str), field(said, "drivers", dict)
    except ValidationError as error:
        raise InvalidUsage(f"this token is not one of a scenario: {error.errors()[0]['msg']}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidUsage(f"this token is not one of a scenario: {error}") from None
    notes = [] if source == source_digest() else [
        "the program's own source has changed since this was recorded, though its version has not"]
    now = _drivers(scenario)
    notes += [
        f"the source of driver {name} has changed since this was recorded" for name in now if drivers.get(name) != now[name]]
    case = Case(scenario, seed, until_ns, bool(said.get("elsewhere")))
    return Recorded(case, rule, message, digest, tuple(notes))


def same_digest(recorded: Recorded, result: ScenarioResult) -> bool:
    """Whether the run is the recorded one, event for event."""
    return _digits(result.digest) == recorded.digest


def _digits(digest: str) -> str:
    return digest.removeprefix("sha256:")[:DIGITS]


def _drivers(scenario: Scenario) -> dict[str, str]:
    """The digest of each driver that a scenario names; those it does not name are of the kit. Raises :class:`InvalidUsage`."""
    named = {device.driver: device.kind for device in scenario.device if device.driver}
    return {name: _digits(find_driver(name, kind).digest) for name, kind in sorted(named.items())}


def source_digest() -> str:
    """The first digits of a digest of everything that decides what happens in a run, the same on every machine."""
    return _digits(folders_digest(_DECIDES))
