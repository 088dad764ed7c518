"""What ``storcert run`` is asked to do, checked before anything runs: scenarios, seeds, devices, how long, where results go."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storcert.conformance import secrets
from storcert.conformance.options import SEED_MAX, default_workers
from storcert.conformance.usage import InvalidUsage
from storcert.scenarios.catalogue import CLASSES, paths, scenario
from storcert.scenarios.format.read import ScenarioError, read_file
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.substitute import ALL, Substitution
from storcert.scenarios.format.units import parse_duration
from storcert.simulators.registry import SIMULATED

ROLES = ("primary", "image", "staging")
SEEDS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Variant:
    """One set of devices to run on. ``name``: how the record calls it; empty for the scenario's own devices."""

    name: str
    substitutions: tuple[Substitution, ...] = ()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Plain data, so that it goes to worker processes. ``seeds`` ``None``: those of each scenario. ``traced``: keep spans."""

    scenarios: tuple[Scenario, ...]
    seeds: tuple[int, ...] | None = None
    until_ns: int | None = None
    variants: tuple[Variant, ...] = (Variant(""),)
    workers: int = 1
    traced: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the record's ``options``."""
        return {
            "scenarios": [one.name for one in self.scenarios],
            "seeds": None if self.seeds is None else list(self.seeds),
            "until_ns": self.until_ns,
            "devices": [variant.name for variant in self.variants],
        }

    def runs(self) -> list[tuple[int, int, int]]:
        """Every run: which scenario, which variant, which seed."""
        return [
            (number, place, seed)
            for number, one in enumerate(self.scenarios)
            for seed in self.seeds or one.seeds
            for place in range(len(self.variants))
        ]


def run_options(
    scenarios: Sequence[str], *, seed: int | None = None, seeds: int | None = None, until: str | None = None,
    devices: Sequence[str] = (), workers: int | None = None,
) -> RunOptions:
    """Check everything a user can say. Raises :class:`InvalidUsage`, one line each."""
    found = tuple(one for name in scenarios for one in _scenarios(name))
    if seed is not None and not 0 <= seed <= SEED_MAX:
        raise InvalidUsage(f"--seed {seed}: a whole number from 0 to {SEED_MAX}")
    if seeds is not None and not 1 <= seeds <= SEEDS_MAX:
        raise InvalidUsage(f"--seeds {seeds}: how many, from 1 to {SEEDS_MAX:,}")
    if workers is not None and not 1 <= workers <= 256:
        raise InvalidUsage(f"--workers {workers}: processes, from 1 to 256")
    chosen = None
    if seed is not None or seeds is not None:
        first = 1 if seed is None else seed
        chosen = tuple(range(first, first + (seeds or 1)))
    return RunOptions(found, chosen, _until(until), _variants(devices), default_workers() if workers is None else workers)


def _scenarios(name: str) -> list[Scenario]:
    """A file, a name of the catalogue, a class of it, or ``all`` of it."""
    known = paths()
    if name in known:
        return [_read(lambda: scenario(name))]
    if name in CLASSES or name == "all":
        return [_read(lambda one=one: scenario(one)) for one, path in known.items() if name in ("all", path.parent.name)]
    path = Path(name)
    if path.suffix == ".toml" or "/" in name or path.exists():
        if path.is_dir():
            inside = sorted(path.glob("*.toml"))
            if not inside:
                raise InvalidUsage(f"{name}: no scenario (*.toml) in that folder")
            return [_read(lambda one=one: read_file(one)) for one in inside]
        return [_read(lambda: read_file(path))]
    close = difflib.get_close_matches(name, [*known, *CLASSES], 1)
    hint = f", did you mean {close[0]}?" if close else "; `storcert list scenarios` shows them, or name a file"
    raise InvalidUsage(f"no scenario {name!r}{hint}")


def _read(read: Any) -> Scenario:
    try:
        found: Scenario = read()
    except ScenarioError as error:
        more = f" (and {len(error.more)} more)" if error.more else ""
        raise InvalidUsage(f"{error}{more}") from None
    secrets.remember(found.to_json())
    return found


def _until(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidUsage(f"--until {text}: {error}") from None


def _variants(devices: Sequence[str]) -> tuple[Variant, ...]:
    """``WHAT=KIND`` on all runs; ``WHAT=KIND,KIND`` is one variant each."""
    variants = [Variant("")]
    for said in devices:
        what, equals, kinds = said.partition("=")
        wanted = [kind.strip() for kind in kinds.split(",")]
        if not equals or not what or not all(wanted):
            raise InvalidUsage(
                f"--device {said}: write WHAT=KIND or WHAT=KIND,KIND, as in nfs=rbd or '*=nfs,rbd'; WHAT is a device's name, "
                f"its kind, its role or {ALL}")
        for kind in wanted:
            if kind not in SIMULATED:
                close = difflib.get_close_matches(kind, list(SIMULATED), 1)
                hint = f", did you mean {close[0]}?" if close else ""
                raise InvalidUsage(f"--device {said}: {kind!r} is none of {', '.join(SIMULATED)}{hint}")
        variants = [
            Variant(f"{variant.name} {what}={kind}".strip(), (*variant.substitutions, Substitution(what, kind)))
            for variant in variants
            for kind in wanted
        ]
    return tuple(variants)


def refuse_idle(options: RunOptions) -> None:
    """Raises :class:`InvalidUsage` where a substitution means no device of any scenario: a misspelt name would go unnoticed."""
    for variant in options.variants:
        for one in variant.substitutions:
            if not any(one.means(device) for scenario in options.scenarios for device in scenario.device):
                names = sorted({device.name for scenario in options.scenarios for device in scenario.device})
                raise InvalidUsage(
                    f"--device {one.what}={one.kind}: no device is called so, or of that kind or role; there are "
                    f"{', '.join(names[:8])}; kinds {', '.join(SIMULATED)}; roles {', '.join(ROLES)}")
