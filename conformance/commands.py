"""What each command does, once its words are understood: run, print, write, and give the exit code.

The report goes to standard output, everything else (progress, complaints) to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from storcert.conformance import secrets
from storcert.conformance.devices import DEFAULT_DEVICE, LIVE
from storcert.conformance.live_targets.targets import TARGETS
from storcert.conformance.options import CertifyOptions, Outputs
from storcert.conformance.progress import Shown
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.record.codec import RecordError, read_file
from storcert.harness.record.run_record import CheckFailure, CheckResult, RunRecord
from storcert.simulators.registry import SIMULATED

if TYPE_CHECKING:
    from storcert.conformance.event_stream import EventStream
    from storcert.conformance.live_targets.target import TargetKind
    from storcert.conformance.live_view import LiveView
    from storcert.conformance.sign_command import Signing
    from storcert.harness.record.gate_result import GateResult


def certify(
    options: CertifyOptions, outputs: Outputs, expectations: Path | None = None, signing: Signing | None = None, *,
    watch: bool = False,
) -> int:
    """Run, write every artefact, print the report. A record is written however the run ends.

    ``expectations``: a file of failures that are expected; the exit code is then the merge gate's. ``signing``: what came of
    the run is signed, whatever it is; a run that ended with an error of usage or of the kit itself has nothing to sign."""
    from storcert.conformance.event_stream import EventStream
    from storcert.conformance.live_view import LiveView
    from storcert.conformance.undecided import undecided_record
    from storcert.harness.record.verdict import RunVerdict

    judged = None if expectations is None else _gate(expectations, outputs)
    events, outputs = EventStream.of(outputs)
    with events, LiveView(watch) as view:
        base = undecided_record(options, RunVerdict.UNDECIDED, "")
        events.started(base)
        try:
            record = _run(options, events, view, base)
        except KeyboardInterrupt:
            # The kit hands over what it decided itself; this is an interrupt before it had anything.
            record = undecided_record(options, RunVerdict.UNDECIDED, "interrupted before anything was decided", True)
        except InvalidUsage as error:
            failed = undecided_record(options, RunVerdict.UNDECIDED, str(error))
            events.ended(failed)
            write_quietly(failed, outputs)
            raise
        except Exception as error:
            failed = undecided_record(options, RunVerdict.ERROR, f"{type(error).__name__}: {error}")
            events.ended(failed)
            write_quietly(failed, outputs)
            raise
        view.shows(lambda: record)
        events.ended(record)
    code = deliver(record, outputs, judged)
    if signing is not None:
        from storcert.conformance.sign_command import write_verdict

        write_verdict(record, signing.key, signing.verdict, signing.valid_days)
    return code


def _run(options: CertifyOptions, events: EventStream, view: LiveView, base: RunRecord) -> RunRecord:
    from storcert.conformance.certify import run_certification
    from storcert.conformance.live_view import GrowingRecord
    from storcert.conformance.rules import DRIVER_RULES

    growing = GrowingRecord(view, base, [rule.id for rule in DRIVER_RULES])

    def ended(check: CheckResult, failures: Sequence[CheckFailure]) -> None:
        events.case_ended(check, failures)
        growing.case_ended(check, failures)

    with Shown.on(sys.stderr) as progress:
        return run_certification(options, progress, ended)


def _gate(expectations: Path, outputs: Outputs) -> Callable[[RunRecord], GateResult]:
    """The judge of a run by that file, which is read now: what is wrong with it is said before the run."""
    from storcert.conformance.expectations import read_expectations
    from storcert.conformance.gate_command import GateOptions, judge

    read_expectations(expectations)
    return lambda record: judge(record, GateOptions(expectations=expectations, source_root=outputs.source_root))


def deliver(record: RunRecord, outputs: Outputs, judged: Callable[[RunRecord], GateResult] | None = None) -> int:
    """Print first: if a file cannot be written after all, the person has seen the verdict. ``judged``: the merge gate, if
    its answer is wanted rather than the record's."""
    _print_report(record)
    if judged is None:
        write_outputs(record, outputs)
        _github(record, outputs.source_root)
        return record.exit_code()
    from storcert.conformance.gate_command import tell_github
    from storcert.reports import gate_text

    result = judged(record)
    print_text("\n" + gate_text.render(result))
    write_outputs(record, outputs)
    tell_github(result)
    return result.exit_code()


def explain(name: str) -> int:
    """Print a rule, and the check where one was named."""
    from storcert.conformance.explain import explanation

    print_to(sys.stdout, explanation(name, width=_width(sys.stdout)))
    return 0


def list_things(what: str) -> int:
    """Print a list, one thing per line, its name first."""
    lists: Mapping[str, Callable[[], list[tuple[str, str]]]] = {
        "drivers": _drivers,
        "devices": _devices,
        "rules": _rules,
        "scenarios": _scenarios,
        "defects": _defects,
    }
    make = lists.get(what)
    if make is None:
        raise InvalidUsage(f"list {one_line(what, 60)}: it is one of {', '.join(lists)}")
    rows = make()
    if not rows:
        print(f"storcert: there are no {what} in this version", file=sys.stderr)
    width = max((len(name) for name, _ in rows), default=0)
    print_to(sys.stdout, "".join(f"{name.ljust(width)}  {text}".rstrip() + "\n" for name, text in rows))
    return 0


def _drivers() -> list[tuple[str, str]]:
    from storcert.conformance.driver_source import device_of, installed_drivers

    rows = []
    for point in installed_drivers():
        dist = f" ({point.dist.name} {point.dist.version})" if point.dist is not None else ""
        rows.append((point.name, f"{point.module}:{point.attr} on {device_of(point) or DEFAULT_DEVICE}{dist}"))
    return rows


def _devices() -> list[tuple[str, str]]:
    return [
        *((kind.name, kind.text) for kind in SIMULATED.values()),
        (LIVE, "a real device, reached as the configuration says; what needs faults or a census is skipped"),
        *((kind.name, f"{kind.text} ({_presence(kind)})") for kind in TARGETS.values()),
    ]


def _presence(kind: TargetKind) -> str:
    lacking = kind.load().missing()
    return f"missing: {lacking}" if lacking else "present: storcert starts it"


def _rules() -> list[tuple[str, str]]:
    from storcert.conformance.lint.rules import LINT_RULES
    from storcert.conformance.rules import RULES

    contract = [(rule.id, f"{rule.title}{_checks_of(rule.id)}") for rule in RULES.values()]
    return [*contract, *((rule.id, f"lint: {rule.title}") for rule in LINT_RULES.values())]


def _checks_of(rule: str) -> str:
    """How many checks a rule has, and how many of them this version of the contract does not score."""
    import storcert.conformance.requirements  # noqa: F401  fills the registry
    from storcert.conformance.frozen import is_scored
    from storcert.conformance.registry import CHECKS

    checks = [check.id for check in CHECKS.values() if check.rule == rule]
    later = sum(not is_scored(check) for check in checks)
    said = f"{len(checks)} check{'s' if len(checks) != 1 else ''}" + (f", {later} not scored" if later else "")
    return f" ({said})" if checks else ""


def _scenarios() -> list[tuple[str, str]]:
    from storcert.scenarios.catalogue import paths, scenario

    return [(name, f"{path.parent.name:<10}  {scenario(name).title}") for name, path in paths().items()]


def _defects() -> list[tuple[str, str]]:
    from storcert.scenarios.defects.defect import load, of_drivers

    return [(one.id, f"{one.rule:<12}  {one.sentence}") for one in (*load(), *of_drivers())]


def report(path: Path, outputs: Outputs, name: str | None = None, badge_age: timedelta | None = None) -> int:
    """Render a stored run again, on standard output in the format ``name``; the exit code is that of the run. ``badge_age``:
    the badge of an older run is grey."""
    from storcert.conformance.formats import check_format, render
    from storcert.reports import badge

    if badge_age is not None and outputs.badge is None:
        raise InvalidUsage("--max-age goes with --badge FILE")
    if name is not None:
        check_format(name)
    record = stored(path)
    if name is None:
        _print_report(record)
    else:
        print_text(render(record, name, outputs.source_root))
    write_outputs(record, outputs)
    if outputs.badge is not None:
        write_file(outputs.badge, badge.render(record, max_age=badge_age, now=datetime.now(UTC)))
    return record.exit_code()


def stored(path: Path) -> RunRecord:
    """The run record in a file. Raises :class:`InvalidUsage`."""
    try:
        return read_file(path)
    except RecordError as error:
        raise InvalidUsage(str(error)) from None


def write_outputs(record: RunRecord, outputs: Outputs) -> None:
    """Every file that was asked for. Raises :class:`InvalidUsage` for the first that cannot be written."""
    from storcert.conformance.formats import ARTEFACTS, render

    for name, path in outputs.at_the_end(ARTEFACTS):
        write_file(path, render(record, name, outputs.source_root))


def write_file(path: Path, text: str) -> None:
    """Raises :class:`InvalidUsage` where it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None


def write_quietly(record: RunRecord, outputs: Outputs) -> None:
    """Write the record of a run that failed; a second complaint would hide the first."""
    try:
        write_outputs(record, outputs)
    except InvalidUsage as error:
        print(f"storcert: {one_line(error)}", file=sys.stderr)


def _print_report(record: RunRecord) -> None:
    from storcert.reports import terminal

    stream = sys.stdout
    color = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    encoding = (stream.encoding or "ascii").lower().replace("-", "")
    text = terminal.render(record, width=_width(stream), color=color, unicode=encoding.startswith("utf"))
    print_to(stream, text)


def print_text(text: str) -> None:
    """On standard output."""
    print_to(sys.stdout, text)


def print_to(stream: TextIO, text: str) -> None:
    """Whatever the encoding of the terminal is, the report comes out; credentials do not."""
    encoding = stream.encoding or "utf-8"
    stream.write(secrets.scrubbed(text).encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _width(stream: TextIO) -> int:
    """Columns of the terminal; 100 elsewhere, so that a log looks the same wherever it was written."""
    import shutil

    return min(shutil.get_terminal_size((100, 24)).columns, 140) if stream.isatty() else 100


def _github(record: RunRecord, source_root: str) -> None:
    """Annotations and step summary, where the environment says that this is a GitHub job."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from storcert.reports import github

        to_github(github.error_commands(record, source_root), github.step_summary(record))


def to_github(annotations: str, step_summary: str) -> None:
    """Annotations on standard output; the summary into the file that the environment names."""
    print_to(sys.stdout, annotations)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with open(summary, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(step_summary)
        except OSError as error:
            print(f"storcert: step summary not written: {error.strerror or error}", file=sys.stderr)
