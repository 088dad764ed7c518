"""An exploration to a run record: a check for each rule over all trials, the matrix, the discoveries."""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import storcert
from storcert.conformance import secrets
from storcert.conformance.explore_options import ExploreOptions
from storcert.harness.contract import CONTRACT_VERSION
from storcert.harness.record.codec import behaviour, digest_of
from storcert.harness.record.exploration import Discovery, Exploration, MatrixCell
from storcert.harness.record.run_record import (
    SCHEMA_VERSION,
    CheckFailure,
    CheckResult,
    Counts,
    DeviceIdentity,
    DriverIdentity,
    Environment,
    KitIdentity,
    RunRecord,
    summarise_rules,
)
from storcert.harness.record.verdict import RunVerdict, Verdict, conclude
from storcert.scenarios.explore.outcome import Outcome
from storcert.scenarios.explore.search import Searched
from storcert.scenarios.explore.space import Space
from storcert.scenarios.explore.trial import EXPECTED, Cell

KIND = "exploration"
KIT = "KIT"
"""The rule that stands for runs that the kit itself could not finish."""


def record_of(
    options: ExploreOptions, searched: Searched | None, space: Space | None, discoveries: Sequence[Discovery], *,
    out: Path | None = None, guided: bool = False, reason: str = "", interrupted: bool = False, started: str = "",
    wall_time_s: float = 0.0,
) -> RunRecord:
    """The record. ``out``: where findings were written. ``searched`` and ``space`` ``None``: it ended before it had begun.
    ``reason``: why it is not whole."""
    outcome = searched.outcome if searched is not None else Outcome()
    checks = _checks(options.scenario.name, outcome)
    failures = [
        CheckFailure(
            f"{one.rule}/{options.scenario.name}", _message(one, outcome), _steps(one), one.token, file=_file(one, out),
            blame=one.blame, evidence=one.evidence)
        for one in discoveries
    ]
    verdict = conclude(check.verdict for check in checks)
    interrupted = interrupted or bool(searched is not None and searched.interrupted)
    if (interrupted or reason) and verdict is RunVerdict.CONFORMANT:
        verdict = RunVerdict.UNDECIDED
    kinds = sorted({device.kind for device in options.scenario.device})
    values = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "verdict": verdict,
        "kit": KitIdentity(str(storcert.__version__), CONTRACT_VERSION, ""),
        "driver": DriverIdentity("control plane", str(storcert.__version__), ""),
        "device": DeviceIdentity("+".join(kinds)),
        "profile": KIND,
        "seed": options.seed,
        "capabilities": (),
        "rules": summarise_rules(checks, failures),
        "counts": Counts.of(check.verdict for check in checks),
        "reason": reason or ("interrupted" if interrupted else ""),
        "checks": tuple(checks),
        "options": options.to_json(),
        "interrupted": interrupted,
        "exploration": _exploration(options, searched, space, discoveries, guided),
        "environment": Environment(
            python=platform.python_version(), platform=platform.platform(), started=started, wall_time_s=wall_time_s,
            workers=options.workers),
    }
    record = secrets.scrubbed_value(RunRecord(**values, digest=""))  # type: ignore[arg-type]
    return replace(record, digest=digest_of(behaviour(record)))


def _checks(name: str, outcome: Outcome) -> list[CheckResult]:
    """One for each rule that had something to look at in some trial, one for what is expected of every run."""
    broken = Counter(one.first.rule for one in outcome.found)
    found = [
        CheckResult(f"{rule}/{name}", rule, name, Verdict.FAIL if broken[rule] else Verdict.PASS, "", outcome.rules[rule])
        for rule in sorted({*outcome.rules, *broken} - {EXPECTED})
    ]
    ran = outcome.trials - sum(outcome.errors.values())
    if ran:
        verdict = Verdict.FAIL if broken[EXPECTED] else Verdict.PASS
        found.append(CheckResult(f"{EXPECTED}/{name}", EXPECTED, name, verdict, "", ran))
    if outcome.errors:
        text, count = min(outcome.errors.items(), key=lambda item: (-item[1], item[0]))
        reason = f"{sum(outcome.errors.values())} runs could not be finished, {count} of them: {text}"
        found.append(CheckResult(f"{KIT}/{name}", KIT, name, Verdict.ERROR, reason, sum(outcome.errors.values())))
    return found


def _message(one: Discovery, outcome: Outcome) -> str:
    return f"{one.message} ({one.trials} of {outcome.trials} runs, the first is run {one.trial} with seed {one.seed})"


def _file(one: Discovery, out: Path | None) -> str:
    """What ``storcert replay`` takes, where it is no token."""
    return str(out / one.file) if out is not None and one.file else one.file


def _steps(one: Discovery) -> tuple[str, ...]:
    """The smallest scenario, line by line, without its head."""
    return tuple(line for line in one.scenario.splitlines() if line.strip())


def _exploration(
    options: ExploreOptions, searched: Searched | None, space: Space | None, discoveries: Sequence[Discovery], guided: bool
) -> Exploration:
    outcome = searched.outcome if searched is not None else Outcome()
    planned = -1 if searched is None or searched.planned is None else searched.planned
    return Exploration(
        scenario=options.scenario.name, scenario_digest=options.scenario.digest(),
        mode="exhaustive" if options.exhaustive else "random", planned=planned, trials=outcome.trials,
        operations=outcome.operations, points=len(space) if space is not None else 0,
        cells=len(space.cells) if space is not None else 0, cells_reached=outcome.cells_reached, guided=guided,
        lines=outcome.line_count, parents=len(outcome.parents), matrix=tuple(_matrix(space, outcome)),
        discoveries=tuple(discoveries),
    )


def _matrix(space: Space | None, outcome: Outcome) -> list[MatrixCell]:
    """Every cell of the space, and what was struck beside them; in order."""
    points: dict[Cell, int] = defaultdict(int)
    for number in range(len(space) if space is not None else 0):
        assert space is not None
        points[space.cell(number)] += 1
    seen = {one.cell: one for one in outcome.cells()}
    rows = []
    for cell in sorted({*points, *seen}):
        one = seen.get(cell)
        counts = (one.trials, one.reached, one.survived, one.failed) if one is not None else (0, 0, 0, 0)
        rows.append(MatrixCell(cell.place, cell.operation, cell.fault, cell.phase, points.get(cell, 0), *counts))
    return rows
