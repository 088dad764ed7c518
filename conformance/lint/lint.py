"""The lint itself: from files to a report. Every check looks at every file; what a comment accepts is set apart, and shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from storcert.conformance.lint import (
    checks_budget,
    checks_errors,
    checks_files,
    checks_names,
    checks_paths,
    checks_state,
    checks_streams,
)
from storcert.conformance.lint.justify import Allowance, accepting, allowances
from storcert.conformance.lint.names import Names
from storcert.conformance.lint.rules import LINT_RULES
from storcert.conformance.lint.source import Source, parse, parse_text
from storcert.conformance.lint.targets import TargetFile, Targets, has_mount
from storcert.conformance.lint.view import Check, Found, View
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.lint_report import LINT_SCHEMA_VERSION, LintFinding, LintNote, LintReport, MountUse
from storcert.reports.sarif import numbered

CHECKS: tuple[Check, ...] = (
    checks_files.file_calls, checks_files.file_references, checks_files.hidden_code,
    checks_paths.path_literals, checks_paths.commands,
    checks_streams.asked_of_streams, checks_streams.offered_by_streams, checks_streams.endings, checks_streams.shared_values,
    checks_state.cached_answers, checks_state.kept_answers, checks_state.where_it_runs, checks_state.behind_the_back,
    checks_names.changed_names, checks_names.names_as_paths, checks_names.deletion_by_prefix, checks_names.unpaged_listing,
    checks_errors.swallowed_errors, checks_errors.empty_answers, checks_errors.foreign_exceptions,
    checks_budget.endless_retries, checks_budget.missing_timeouts,
)  # fmt: skip


def lint(targets: Targets, words: Sequence[str]) -> LintReport:
    """Look at every file. Raises :class:`InvalidUsage` for a file that cannot be read."""
    sources: list[tuple[TargetFile, Source]] = []
    broken: list[LintFinding] = []
    for file in targets.files:
        try:
            sources.append((file, parse(file.path, file.shown, file.module)))
        except SyntaxError as error:
            broken.append(_syntax(file.shown, error))
        except OSError as error:
            raise InvalidUsage(f"{file.shown}: cannot be read: {error.strerror or error}") from None
    findings, accepted, uses = _judge(sources)
    return LintReport(
        schema_version=LINT_SCHEMA_VERSION,
        kit_version=_version(),
        targets=tuple(words),
        device=", ".join(targets.devices),
        mount=any(file.mount for file in targets.files),
        files=tuple(file.shown for file in targets.files),
        findings=_fingerprinted([*findings, *broken]),
        accepted=_fingerprinted(accepted),
        mount_uses=tuple(sorted(uses)),
        left_out=targets.left_out,
    )


def lint_text(text: str, *, device: str = "", name: str = "driver.py") -> LintReport:
    """Look at one text, as if it were the file of a driver for ``device``."""
    stem = name.removesuffix(".py")
    file = TargetFile(Path(name), name, stem, has_mount(device))
    try:
        source = parse_text(text, Path(name), name, stem)
    except SyntaxError as error:
        findings, accepted, uses = [_syntax(name, error)], list[LintFinding](), list[MountUse]()
    else:
        findings, accepted, uses = _judge([(file, source)])
    return LintReport(
        LINT_SCHEMA_VERSION, _version(), (name,), device, file.mount, (name,), _fingerprinted(findings),
        _fingerprinted(accepted), tuple(sorted(uses)),
    )  # fmt: skip


def note_of(report: LintReport) -> LintNote:
    """What a run record says of a report."""
    rules: dict[str, int] = {}
    for one in report.findings:
        rules[one.rule] = rules.get(one.rule, 0) + 1
    return LintNote(report.errors, report.warnings, len(report.accepted), dict(sorted(rules.items())))


def _judge(sources: Sequence[tuple[TargetFile, Source]]) -> tuple[list[LintFinding], list[LintFinding], list[MountUse]]:
    modules: dict[str, Names] = {}
    for _, source in sources:
        modules[source.module] = Names(source, modules)
    findings: list[LintFinding] = []
    accepted: list[LintFinding] = []
    uses: set[MountUse] = set()
    for file, source in sources:
        view = View(source, modules[source.module], file.mount)
        known = allowances(source.text)
        used: set[Allowance] = set()
        for found in _each(view):
            finding = _finding(source, found)
            reason = _accepting(source, found, finding, known)
            if reason is None:
                findings.append(finding)
            else:
                used.add(reason)
                accepted.append(replace(finding, justification=reason.reason))
        findings.extend(_about_comments(source, known, used))
        for node, what in view.mount_uses:
            place = source.place(node)
            uses.add(MountUse(source.shown, place.line, place.column, what))
    return findings, accepted, sorted(uses)


def _each(view: View) -> Iterator[Found]:
    """What all checks find, each thing once."""
    seen = set()
    for check in CHECKS:
        for found in check(view):
            if (found.rule, found.node) not in seen:
                seen.add((found.rule, found.node))
                yield found


def _finding(source: Source, found: Found) -> LintFinding:
    rule = LINT_RULES[found.rule]
    place = source.place(found.node)
    return LintFinding(
        file=source.shown, line=place.line, column=place.column, rule=rule.id, contract=rule.contract, severity=rule.severity,
        message=found.message, instead=rule.instead, code=source.line(place.line), end_line=place.end_line,
        end_column=place.end_column,
    )  # fmt: skip


def _accepting(source: Source, found: Found, finding: LintFinding, known: Sequence[Allowance]) -> Allowance | None:
    """A comment on any line of the statement, where it is a simple one, or on its first line, or above it."""
    statement = source.statement_of(found.node)
    first, last = finding.line, finding.line
    if statement is not None and not hasattr(statement, "body"):
        first, last = statement.lineno, statement.end_lineno or statement.lineno
    elif statement is not None:
        first = min(first, statement.lineno)
    return accepting(known, finding.rule, first, last)


def _about_comments(source: Source, known: Iterable[Allowance], used: set[Allowance]) -> Iterator[LintFinding]:
    for one in known:
        name = "LINT-reason" if one.wrong else "LINT-unused"
        if one in used:
            continue
        rule = LINT_RULES[name]
        said = one.wrong or f"nothing on this line breaks {', '.join(one.rules)}"
        yield LintFinding(
            file=source.shown, line=one.line, column=one.column, rule=rule.id, contract="", severity=rule.severity,
            message=f"a comment allows nothing: {said}", instead=rule.instead, code=source.line(one.line), end_line=one.line,
            end_column=len(source.lines[one.line - 1]) + 1,
        )  # fmt: skip


def _syntax(shown: str, error: SyntaxError) -> LintFinding:
    rule = LINT_RULES["LINT-syntax"]
    line = error.lineno or 1
    # What exactly Python says differs between its versions; where it stumbles does so less.
    return LintFinding(
        file=shown, line=line, column=max(error.offset or 1, 1), rule=rule.id, contract="", severity=rule.severity,
        message=f"this file is no Python: {error.msg}", instead=rule.instead, code=(error.text or "").strip(), end_line=line,
        end_column=max(error.offset or 1, 1),
    )  # fmt: skip


def _fingerprinted(findings: Iterable[LintFinding]) -> tuple[LintFinding, ...]:
    ordered = sorted(findings)
    keys = numbered((one.rule, one.file, one.code) for one in ordered)
    return tuple(replace(one, fingerprint=key) for one, key in zip(ordered, keys, strict=True))


def _version() -> str:
    import storcert

    return str(storcert.__version__)
