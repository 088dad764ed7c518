"""``storcert run``: runs scenarios, prints what came of them, writes the record. Words and help stand in ``cli``."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from storcert.conformance import commands, secrets
from storcert.conformance.event_stream import EventStream
from storcert.conformance.options import Outputs
from storcert.conformance.progress import Shown
from storcert.conformance.scenario_blame import with_blame
from storcert.conformance.scenario_options import RunOptions, refuse_idle
from storcert.conformance.scenario_record import ended_early, record_of
from storcert.conformance.scenario_schedule import Ran, run_all
from storcert.conformance.trace_outputs import TraceOutputs
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.run_record import DeviceIdentity
from storcert.harness.record.trace import ShownTrace, last_of
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports.timeline import timeline
from storcert.scenarios.format.doubts import doubts

SPANS_KEPT = 10_000
"""Of a run's trace, in its record: what the report can draw."""
TIMELINES_MAX = 200
"""So many runs have their timelines written to ``--out``; of more, only those that went wrong would be looked at."""


def run(options: RunOptions, outputs: Outputs, traces: TraceOutputs = TraceOutputs()) -> int:  # noqa: B008  (a frozen value)
    """Run, print, write; the exit code is the record's."""
    refuse_idle(options)
    for scenario in options.scenarios:
        for doubt in doubts(scenario):
            print(f"storcert: warning: {scenario.name}: {doubt}", file=sys.stderr)
    runs = options.runs()
    traces.refuse_several(len(runs))
    if outputs.out is not None and len(runs) == 1:
        traces = traces.also_in(outputs.out, options.scenarios[0].name)
    options = replace(options, traced=traces.wanted or (len(runs) == 1 and outputs.draws))
    # The journal of a run is large, and goes through a pipe where there are workers.
    keep = len(runs) == 1 or (outputs.out is not None and len(runs) <= TIMELINES_MAX)
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    events, outputs = EventStream.of(outputs)
    with events, Shown.on(sys.stderr) as progress:
        progress.started(len(runs))
        kinds = {device.kind for one in options.scenarios for device in one.device}
        begun = ended_early(options, RunVerdict.UNDECIDED, "")
        events.started(replace(begun, device=DeviceIdentity("+".join(sorted(kinds)))))

        def ended(ran: Ran) -> None:
            verdict = Verdict.ERROR if ran.result is None else ran.result.verdict
            name = options.scenarios[ran.scenario].name
            progress.advanced(name, str(verdict))
            events.scenario_ended(name, options.variants[ran.variant].name, ran.seed, verdict)

        try:
            rans, interrupted = run_all(options, ended, keep_events=keep)
            if not interrupted:
                rans, interrupted = with_blame(rans, whole=options.until_ns is None)
        except InvalidUsage as error:
            _ended_early(options, RunVerdict.UNDECIDED, str(error), events, outputs)
            raise
        except Exception as error:
            _ended_early(options, RunVerdict.ERROR, f"{type(error).__name__}: {error}", events, outputs)
            raise
        record = record_of(
            options, rans, interrupted=interrupted, started=started, wall_time_s=time.monotonic() - clock, out=outputs.out)
        if len(runs) == 1 and rans and outputs.draws:
            record = replace(record, traces=_drawn(options, rans[0]))
        events.ended(record)
    if outputs.out is not None:
        _write_timelines(outputs.out, options, rans)
    if len(runs) == 1 and rans and rans[0].result is not None:
        commands.print_text(f"{timeline(rans[0].result.shown.events)}\n")
        traces.write(rans[0].result.shown)
    return commands.deliver(record, outputs)


def _ended_early(
    options: RunOptions, verdict: RunVerdict, reason: str, events: EventStream, outputs: Outputs
) -> None:
    record = ended_early(options, verdict, reason)
    events.ended(record)
    commands.write_quietly(record, outputs)


def _drawn(options: RunOptions, ran: Ran) -> tuple[ShownTrace, ...]:
    """The trace of a single run, as much of its end as a record should hold."""
    trace = ran.result.shown.trace if ran.result is not None else None
    name = options.scenarios[ran.scenario].name
    return () if trace is None else (last_of(f"{name}, seed {ran.seed}", trace, SPANS_KEPT),)


def _write_timelines(folder: Path, options: RunOptions, rans: list[Ran]) -> None:
    for ran in rans:
        if ran.result is None or not ran.result.shown.events:
            continue
        variant = options.variants[ran.variant].name.replace("=", "-").replace("*", "all").replace(" ", "-")
        name = "-".join(part for part in (options.scenarios[ran.scenario].name, variant, f"seed-{ran.seed}") if part)
        path = folder / f"{name}.timeline.txt"
        try:
            path.write_text(secrets.scrubbed(timeline(ran.result.shown.events)), encoding="utf-8")
        except OSError as error:
            raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None
