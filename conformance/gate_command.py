"""``storcert gate`` and ``certify --expectations``: reads what to compare a run with, compares, tells. Words: ``cli_gate``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from storcert.conformance import commands
from storcert.conformance.expectations import Expectation, Expectations, add_entries, read_expectations, remove_entries
from storcert.conformance.gate_baseline import check_comparable, compare
from storcert.conformance.gate_check import Checked, check_expectations, flaky_checks, same_run
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.record.gate_result import COMPARISON_KINDS, GateKind, GateResult
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports import gate_text
from storcert.reports.text import count

ALL = "all"
DAYS_DEFAULT = 90
"""So long an entry that is written holds, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class GateOptions:
    """``again``: other runs of the same; ``block``: kinds of differences to the baseline that keep the gate shut. ``write`` and
    ``prune`` change the file of expectations first; ``reason``, ``owner``, ``link``, ``expires`` go into entries written."""

    expectations: Path | None = None
    baseline: Path | None = None
    again: tuple[Path, ...] = ()
    block: tuple[GateKind, ...] = ()
    write: bool = False
    prune: bool = False
    reason: str = ""
    owner: str = ""
    link: str = ""
    expires: date | None = None
    today: date | None = None
    json: Path | None = None
    code_quality: Path | None = None
    source_root: str = ""

    def check(self) -> None:
        """Raises :class:`InvalidUsage` for words that do not go together."""
        if (self.write or self.prune) and self.expectations is None:
            raise InvalidUsage(f"--{'write' if self.write else 'prune'} needs --expectations FILE")
        if self.write and self.prune:
            raise InvalidUsage("--write and --prune: one of them at a time")
        if self.write and not (self.owner.strip() and self.reason.strip()):
            raise InvalidUsage("--write needs --reason and --owner: nobody may expect a failure without saying why and who")
        if not self.write:
            said = [name for name in ("reason", "owner", "link", "expires") if getattr(self, name)]
            if said:
                raise InvalidUsage(f"--{said[0]} goes with --write")
        if self.block and self.baseline is None:
            raise InvalidUsage("--block needs --baseline LAST.json")


def block_kinds(names: Sequence[str]) -> tuple[GateKind, ...]:
    """The kinds that ``--block`` names. Raises :class:`InvalidUsage`."""
    found: list[GateKind] = []
    for name in names:
        if name == ALL:
            found += COMPARISON_KINDS
        elif name in COMPARISON_KINDS:
            found.append(GateKind(name))
        else:
            raise InvalidUsage(f"--block {name}: it is one of {', '.join(COMPARISON_KINDS)}, {ALL}")
    return tuple(dict.fromkeys(found))


def a_day(option: str, text: str | None) -> date | None:
    """A date as 2026-12-31. Raises :class:`InvalidUsage`."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidUsage(f"{option} {text}: a day, as in 2026-12-31") from None


def gate(path: Path, options: GateOptions) -> int:
    """Compare the run in the file, print, write; the exit code is the gate's."""
    options.check()
    record = commands.stored(path)
    result = judge(record, options, said=True)
    commands.print_text(gate_text.render(result))
    if options.json is not None:
        commands.write_file(options.json, gate_text.to_text(result))
    if options.code_quality is not None:
        from storcert.conformance.formats import render

        commands.write_file(options.code_quality, render(record, "code-quality", options.source_root))
    tell_github(result)
    return result.exit_code()


def judge(record: RunRecord, options: GateOptions, *, said: bool = False) -> GateResult:
    """The gate's answer to a run. ``said``: tell what is changed in the file of expectations."""
    last = commands.stored(options.baseline) if options.baseline is not None else None
    if last is not None:
        check_comparable(record, last)
    others = _others(record, options.again, last)
    today = options.today or datetime.now(UTC).date()
    expectations = _expectations(options)

    def checked() -> Checked:
        return check_expectations(record, expectations, today, known_check, last=last, source_root=options.source_root)

    found = checked()
    if (options.write or options.prune) and options.expectations is not None:
        told = _written(options, options.expectations, found, today) if options.write else _pruned(options, expectations, found)
        if said:
            commands.print_text(told)
        expectations = _expectations(options)
        found = checked()
    problems = [*found.problems, *flaky_checks(record, others)]
    notes = list(found.notes)
    if last is not None:
        problems += compare(record, last, options.block)
        if last.verdict is not RunVerdict.CONFORMANT:
            notes.append(f"the run it is compared with was {last.verdict} itself")
    return replace(
        gate_text.empty_result(record), problems=tuple(problems), expected=found.expected, notes=tuple(notes),
        baseline=last.digest if last is not None else "",
    )


def known_check(identity: str) -> bool:
    """Whether this kit has a check of that name: of a driver, or of a rule and a scenario of the catalogue."""
    import storcert.conformance.requirements  # noqa: F401  fills the registry
    from storcert.conformance.certify import WHOLE_RUN
    from storcert.conformance.registry import CHECKS
    from storcert.conformance.rules import RULES
    from storcert.scenarios.catalogue import paths
    from storcert.scenarios.result import EXPECTED

    name = identity.partition("[")[0].partition(":")[0]
    rule, _, rest = name.partition("/")
    return name in CHECKS or name == WHOLE_RUN or ((rule in RULES or rule == EXPECTED) and rest in paths())


def tell_github(result: GateResult) -> None:
    """Annotations and step summary, where the environment says that this is a GitHub job."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        commands.to_github(gate_text.error_commands(result), gate_text.step_summary(result))


def _expectations(options: GateOptions) -> Expectations:
    path = options.expectations
    if path is None or (options.write and not path.exists()):
        return Expectations()
    return read_expectations(path)


def _others(record: RunRecord, again: Sequence[Path], last: RunRecord | None) -> list[RunRecord]:
    found = []
    for path in again:
        other = commands.stored(path)
        if not same_run(record, other):
            raise InvalidUsage(f"--again {path}: not a run of the same driver, kit, device, profile, seed and options")
        found.append(other)
    if last is not None and same_run(record, last):
        found.append(last)
    return found


def _written(options: GateOptions, path: Path, found: Checked, today: date) -> str:
    entries = [
        Expectation(
            id=check.id, reason=options.reason.strip(), owner=options.owner.strip(), link=options.link.strip(),
            expires=options.expires or today + timedelta(days=DAYS_DEFAULT),
        )
        for check, _ in found.new
        if check.verdict is Verdict.FAIL
    ]  # fmt: skip
    if entries or not path.exists():
        add_entries(path, entries)
    names = "".join(f"  + {one_line(entry.id)}\n" for entry in entries)
    return f"{path}: {count(len(entries), 'entry', 'entries')} written\n{names}\n"


def _pruned(options: GateOptions, expectations: Expectations, found: Checked) -> str:
    gone = [*found.stale, *found.unknown]
    if gone and options.expectations is not None:
        remove_entries(options.expectations, expectations, gone)
    names = "".join(f"  - {one_line(entry.id)}\n" for entry in gone)
    return f"{options.expectations}: {count(len(gone), 'entry', 'entries')} taken away\n{names}\n"
