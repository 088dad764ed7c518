"""What reports say of scenarios: which there were, what came of each, how the steps of a single run went, where devices differ.

Rows of words; how they are set is the renderers' affair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.scenario_run import ScenarioRun
from storcert.harness.record.verdict import Verdict, combine
from storcert.reports.text import count, one_line

KIND = "scenario"
SHOWN = 40
_SECOND_NS = 10**9


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario on one set of devices, over all its seeds. ``wrong``: the first seed with which it went wrong, and how."""

    name: str
    class_: str
    runs: int
    verdict: Verdict
    wrong: str


def rows(record: RunRecord) -> list[Row]:
    """One for each scenario and set of devices, in the order of the record."""
    together: dict[tuple[str, str], list[ScenarioRun]] = {}
    for run in record.scenarios:
        together.setdefault((run.scenario, run.variant), []).append(run)
    return [_row(runs) for runs in together.values()]


def _row(runs: Sequence[ScenarioRun]) -> Row:
    first = runs[0]
    verdict = combine(run.verdict for run in runs)
    worst = next(run for run in runs if run.verdict is verdict)
    failed = sum(run.verdict is verdict for run in runs)
    wrong = "" if verdict is Verdict.PASS else f"{failed} of {count(len(runs), 'run')}, the first with seed {worst.seed}"
    name = f"{first.scenario} on {first.variant}" if first.variant else first.scenario
    return Row(name, first.class_, len(runs), verdict, wrong)


def shown_rows(record: RunRecord) -> tuple[list[Row], str]:
    """Those to show, and a word on the rest: where there are many, only what is not as expected."""
    found = rows(record)
    if len(found) <= SHOWN:
        return found, ""
    wrong = [row for row in found if row.verdict is not Verdict.PASS]
    return wrong[:SHOWN], f"{count(len(found) - len(wrong), 'scenario')} as expected, {len(wrong)} not"


def subject(record: RunRecord) -> str:
    """``3 scenarios, 30 runs on nfs+rbd (simulated)``; of a single one its name."""
    names = list(dict.fromkeys(run.scenario for run in record.scenarios))
    what = one_line(names[0]) if len(names) == 1 else count(len(names), "scenario")
    return f"{what}, {count(len(record.scenarios), 'run')} on {one_line(record.device.name)} ({one_line(record.device.mode)})"


def steps(record: RunRecord) -> list[tuple[str, str, str, str]]:
    """Of a record with a single run, its steps: when, name, what, ending."""
    if len(record.scenarios) != 1:
        return []
    return [
        (
            f"{step.begun_ns / _SECOND_NS:.3f} s", one_line(step.name), one_line(step.what),
            one_line(f"{step.ending}: {step.text}" if step.text else step.ending, 120),
        )
        for step in record.scenarios[0].steps
    ]


def notes(record: RunRecord) -> Iterator[str]:
    """Of a record with a single run: faults and how often they struck, operations of workloads, what was left out."""
    if len(record.scenarios) != 1:
        return
    run = record.scenarios[0]
    for fault in run.faults:
        yield f"fault {fault.text} at {fault.place}: struck {count(fault.strikes, 'time')}"
    for operation in run.operations:
        yield f"workload {operation.workload}: {operation.operation or 'operations'} {operation.ending} {operation.count:,}"
    yield from run.left_out
    if run.defect:
        yield f"on defect {run.defect} {', '.join(run.broken_on_defect) or 'no rule'} broke"


def differences(record: RunRecord) -> tuple[list[str], int]:
    """What differs between devices without an explanation, and how many differences have one."""
    told = [
        f"{one.scenario}, seed {one.seed}, {one.what}: "
        + "; ".join(f"{variant} {value}" for variant, value in one.values.items())
        for one in record.differences
        if not one.explained
    ]
    return told, sum(one.explained for one in record.differences)


def compared(record: RunRecord) -> bool:
    """Whether the same scenarios ran on more than one set of devices."""
    return len({run.variant for run in record.scenarios}) > 1
