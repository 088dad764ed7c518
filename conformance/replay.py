"""Runs one recorded failure again: the same driver, case, example and seed, hence the same worlds, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import storcert
from storcert.conformance.certify import case_by_id
from storcert.conformance.devices import is_live
from storcert.conformance.driver_source import find_driver
from storcert.conformance.facts import Facts
from storcert.conformance.frozen import requirements_digest
from storcert.conformance.live_targets.session import started as live_target
from storcert.conformance.options import CertifyOptions
from storcert.conformance.program import Program
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.schedule import Job, fence
from storcert.conformance.swarms import found_by_search
from storcert.conformance.tokens import DIGITS, field
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.finding import Finding
from storcert.harness.record.verdict import Verdict
from storcert.reports import history_text

EVENTS_SHOWN_MAX = 120
SECOND_NS = 10**9


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A recorded failure, run again: how that was made, what the kit knew, what came of it."""

    job: Job
    facts: Facts
    outcome: CaseOutcome


def replay(said: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether the failure happened again, and the text to show. Raises :class:`InvalidUsage`."""
    run = recorded_run(said)
    return _tell(said, run.job.options.driver.digest, run.outcome, str(said["message"]))


def recorded_run(said: Mapping[str, Any]) -> RecordedRun:
    """What a token says, run again. Raises :class:`InvalidUsage`: it is no such token, or another kit's or driver's."""
    try:
        kit, requirements = field(said, "kit", str), field(said, "requirements", str)
        reference, seed = field(said, "driver", str), field(said, "seed", int)
        identity, device = field(said, "case", str), field(said, "device", str)
        program = Program.from_json(said["program"]) if "program" in said else None
        field(said, "message", str)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidUsage(f"this token is not one of a certification: {error}") from None
    if kit != storcert.__version__ or requirements != requirements_digest().removeprefix("sha256:")[:DIGITS]:
        raise InvalidUsage(f"this token belongs to another kit: it was made by storcert {kit} ({requirements})")
    source = find_driver(reference, device)
    options = CertifyOptions(
        source, device, said.get("configuration", {}), said.get("simulator", {}), seed=seed
    )
    with live_target(options.device) as reached:
        return _run_recorded(said, Job.of(options, reached), identity, program)


def _run_recorded(said: Mapping[str, Any], job: Job, identity: str, program: Program | None) -> RecordedRun:
    reference, seed = job.options.driver.reference, job.options.seed
    facts = job.calibrate()
    case = case_by_id(cases_for(facts, Level.DEEP), identity) or found_by_search(identity)
    if case is None:
        raise InvalidUsage(f"this token belongs to another driver: {identity} does not apply to {reference} as it is now")
    subject = job.subject()
    with fence(job.mode):
        outcome = run_case(case, subject, facts, seed, wanted=said.get("example"), program=program, keep_journal=True)
    return RecordedRun(job, facts, outcome)


def _tell(said: Mapping[str, Any], digest: str, outcome: CaseOutcome, recorded: str) -> tuple[bool, str]:
    touched = [finding for finding in outcome.findings if finding.kind == "file-system"]
    failed = outcome.result.verdict is Verdict.FAIL or bool(touched)
    same = outcome.example_digest.removeprefix("sha256:")[:DIGITS] == said.get("digest")
    lines = [f"case      {outcome.result.id}", f"recorded  {recorded or 'file-system events'}"]
    if digest.removeprefix("sha256:")[:DIGITS] != said.get("source"):
        lines.append("note      the driver's source has changed since this was recorded")
    lines += ["", "steps"] + [f"  {number}. {step}" for number, step in enumerate(outcome.result.steps, 1)]
    if outcome.history is not None:
        lines += ["", *history_text.text(outcome.history).splitlines()]
    live = is_live(str(said.get("device")))
    if not live:
        lines += ["", "timeline (virtual time)", *_timeline(outcome)]
    lines += [f"  file system: {_touch(finding)}" for finding in touched]
    if outcome.result.verdict is Verdict.ERROR:
        lines += ["", f"the kit itself failed: {outcome.message}", outcome.trace]
    now = outcome.message or (_touch(touched[0]) if touched else "")
    lines += ["", f"It happened again: {now}" if failed else "It did not happen again."]
    if failed and live:
        lines.append("On a live device no two runs are alike event for event.")
    elif failed:
        lines.append("Every event is as recorded, bit for bit." if same else "The events differ from the recorded ones.")
    return failed, "\n".join(lines)


def _touch(finding: Finding) -> str:
    where = f" ({Path(finding.file).name}:{finding.line})" if finding.file else ""
    return f"{finding.message}{where}"


def _timeline(outcome: CaseOutcome) -> list[str]:
    events = list(outcome.journal)
    cut = len(events) - EVENTS_SHOWN_MAX
    lines = [f"  ... {cut} earlier events ..."] if cut > 0 else []
    start = events[0].time_ns if events else 0
    for event in events[-EVENTS_SHOWN_MAX:]:
        lines.append(f"  {(event.time_ns - start) / SECOND_NS:12.6f} s  {event.location:<10} {event.kind:<10} {event.text}")
    return lines or ["  (no event)"]
