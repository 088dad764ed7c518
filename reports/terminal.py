"""The report a person reads: a run record in, text out.

Verdict and reason first, then one line per rule, the capability audit, the failures with their minimal steps and the
two commands to go on with. Prints nothing itself; colour and width are arguments.
"""

from __future__ import annotations

from io import StringIO

from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from storcert.harness.record.broken_history import BrokenHistory
from storcert.harness.record.run_record import Audit, RuleResult, RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports import coverage, exploration, history_text, lint, scenarios
from storcert.reports.failure_text import blame_lines, blame_words, proof_lines
from storcert.reports.summary import (
    AUDITS,
    count_words,
    declared,
    depth_words,
    headline,
    not_scored_words,
    place,
    reason,
    shown_failures,
    subject,
)
from storcert.reports.text import count, one_line, printable, seconds

MIN_WIDTH = 40
FAILURES_PER_RULE = 2
FINDINGS_SHOWN = 20
STEPS_SHOWN = 40
#: More disabled rules than this are one line: whoever asks for one rule does not want a list of all the others.
DISABLED_SHOWN = 3

_GLYPHS = {
    Verdict.PASS: ("✓", "+", "green"),
    Verdict.FAIL: ("✗", "x", "red"),
    Verdict.UNKNOWN: ("?", "?", "yellow"),
    Verdict.SKIPPED: ("-", "-", "bright_black"),
    Verdict.DISABLED: ("o", "o", "bright_black"),
    Verdict.ERROR: ("!", "!", "magenta"),
}
_HEADLINE_STYLES = {
    RunVerdict.CONFORMANT: "bold green",
    RunVerdict.NOT_CONFORMANT: "bold red",
    RunVerdict.UNDECIDED: "bold yellow",
    RunVerdict.ERROR: "bold magenta",
}


def render(record: RunRecord, *, width: int = 100, color: bool = False, unicode: bool = True) -> str:
    """The whole report. ``unicode`` false keeps to ASCII glyphs; ``color`` adds ANSI styles."""
    out = StringIO()
    console = Console(
        file=out,
        width=max(width, MIN_WIDTH),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
        _environ={},
    )
    _Report(console, record, unicode).print()
    text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return text if unicode else text.encode("ascii", "backslashreplace").decode("ascii")


class _Report:
    """One rendering. The parts are methods in the order in which they are read."""

    def __init__(self, console: Console, record: RunRecord, unicode: bool) -> None:
        self.console = console
        self.record = record
        self.unicode = unicode

    def print(self) -> None:
        self._verdict()
        self._scenarios()
        self._exploration()
        self._rules()
        self._capabilities()
        self._coverage()
        self._failures()
        self._undecided()
        self._findings()
        self._not_scored()
        self._footer()

    def _line(self, *pieces: tuple[str, str] | str, wrap: bool = True, indent: int = 0) -> None:
        text = Text.assemble(*((piece, "") if isinstance(piece, str) else piece for piece in pieces))
        if indent and wrap:
            self.console.print(Padding(text, (0, 0, 0, indent)))
            return
        self.console.print(Text(" " * indent) + text if indent else text, soft_wrap=not wrap)

    def _heading(self, title: str) -> None:
        self.console.print()
        self._line((title, "bold"))

    def _verdict(self) -> None:
        record = self.record
        self._line((headline(record), _HEADLINE_STYLES[record.verdict]), "  ", subject(record))
        self._line(reason(record))

    def _rules(self) -> None:
        if not self.record.rules:
            return
        self.console.print()
        times = self.record.environment.rule_times_s
        table = _table("", "rule", "verdict", ">checks", ">examples", *((">time",) if times else ()), "")
        off = [rule for rule in self.record.rules if rule.verdict is Verdict.DISABLED]
        for rule in self.record.rules:
            if rule.verdict is Verdict.DISABLED and len(off) > DISABLED_SHOWN:
                continue
            plain, ascii_glyph, style = _GLYPHS[rule.verdict]
            glyph = plain if self.unicode else ascii_glyph
            time = (seconds(times[rule.id]) if rule.id in times else "",) if times else ()
            note = _rule_note(rule, self.record)
            cells = (f"{rule.checks:,}", f"{rule.examples:,}", *time)
            table.add_row(
                Text(glyph, style), one_line(rule.id), Text(rule.verdict, style), *cells, Text(note, "bright_black")
            )
        self.console.print(table)
        if len(off) > DISABLED_SHOWN:
            reasons = sorted({one_line(rule.reason) for rule in off})
            self._line((f"{count(len(off), 'rule')} disabled: {'; '.join(reasons)}", "bright_black"))
        self._line(f"{count(self.record.counts.total, 'check')}: {count_words(self.record.counts)}")
        if self.record.depth is not None:
            self._line((depth_words(self.record.depth), "bright_black"))

    def _scenarios(self) -> None:
        if not self.record.scenarios:
            return
        rows, rest = scenarios.shown_rows(self.record)
        if len(rows) > 1 or rest:
            self.console.print()
            table = _table("", "scenario", "class", "verdict", ">runs", "")
            for row in rows:
                plain, ascii_glyph, style = _GLYPHS[row.verdict]
                glyph = Text(plain if self.unicode else ascii_glyph, style)
                verdict = Text(str(row.verdict), style)
                table.add_row(glyph, one_line(row.name), row.class_, verdict, f"{row.runs:,}", Text(row.wrong, "bright_black"))
            self.console.print(table)
            if rest:
                self._line((rest, "bright_black"))
        steps = scenarios.steps(self.record)
        if steps:
            self.console.print()
            table = _table(">at", "step", "does", "ended")
            for step in steps:
                table.add_row(*step)
            self.console.print(table)
        for note in scenarios.notes(self.record):
            self._line((one_line(note), "bright_black"))
        self._differences()

    def _exploration(self) -> None:
        told = self.record.exploration
        if told is None:
            return
        self.console.print()
        for line in exploration.lines(told):
            self._line(line)
        found = exploration.rows(told.matrix)
        if found:
            self.console.print()
            table = _table("place", "fault", ">cells", ">seen", ">struck", ">survived", ">failed")
            for row in found[: exploration.SHOWN]:
                numbers = (row.cells, row.seen, row.reached, row.survived, row.failed)
                table.add_row(one_line(row.place), one_line(row.fault), *(f"{number:,}" for number in numbers))
            self.console.print(table)
            if len(found) > exploration.SHOWN:
                self._line((f"and {len(found) - exploration.SHOWN:,} more; the JSON record has all cells", "bright_black"))
        for number, one in enumerate(told.discoveries, 1):
            self._heading(f"Finding {number}: {one_line(one.rule)}")
            self._line(one_line(one.message, 300), indent=2)
            for line in blame_lines(one.blame, one.evidence):
                self._line((one_line(line, 300), "bright_black"), indent=2)
            for line in exploration.proof(one):
                self._line((line, "bright_black"), indent=2)
            if one.file:
                self._line(f"written: {one_line(one.file)}, {one_line(one.test)}", indent=2)

    def _differences(self) -> None:
        if not scenarios.compared(self.record):
            return
        told, explained = scenarios.differences(self.record)
        self._heading(f"Devices compared: {count(len(told), 'difference')}" if told else "Devices compared: alike")
        for line in told[:FINDINGS_SHOWN]:
            self._line(one_line(line, 240), indent=2)
        if len(told) > FINDINGS_SHOWN:
            self._line((f"and {len(told) - FINDINGS_SHOWN:,} more; the JSON record has all", "bright_black"), indent=2)
        if explained:
            why = "explained by what a device cannot do, or a fault that it does not have"
            self._line((f"{explained:,} {why}", "bright_black"), indent=2)

    def _capabilities(self) -> None:
        if all(capability.audit is Audit.NOT_PROBED for capability in self.record.capabilities):
            return
        self._heading("Capabilities")
        table = _table("capability", "declared", "audit")
        for capability in self.record.capabilities:
            words, like = AUDITS[capability.audit]
            said = one_line(declared(capability.declared), 60)
            table.add_row(one_line(capability.name), said, Text(words, _GLYPHS[like][2]))
        self.console.print(table)
        for capability in self.record.capabilities:
            if capability.reason:
                style = _GLYPHS[AUDITS[capability.audit][1]][2]
                self._line((one_line(capability.name), style), f": {one_line(capability.reason)}", indent=2)

    def _coverage(self) -> None:
        told = self.record.coverage
        if told is None:
            return
        self._heading("Faults and crashes")
        for line in coverage.lines(told):
            self._line(line)
        head = ("operation", *coverage.faults(told.cells))
        for names, rows in coverage.blocks(head, coverage.rows(told.cells), self.console.width):
            self.console.print()
            table = _table(names[0], *(f">{name}" for name in names[1:]))
            for row in rows:
                table.add_row(row[0], *(Text(cell, "red" if "x" in cell else "") for cell in row[1:]))
            self.console.print(table)
        self._line((coverage.LEGEND, "bright_black"))

    def _failures(self) -> None:
        total = len(self.record.failures)
        if not total:
            return
        self._heading(count(total, "failure"))
        for rule, failure, hidden in shown_failures(self.record, FAILURES_PER_RULE):
            self.console.print()
            blame = f"  blame: {blame_words(failure.blame)}" if failure.blame is not None else ""
            self._line((one_line(failure.check), "bold red"), (blame, "bright_black"))
            self._line(printable(failure.message), indent=2)
            for line in failure.evidence:
                self._line((f"blame: {one_line(line, 300)}", "bright_black"), indent=2)
            if failure.source is not None:
                self._line((f"at {place(failure.source.file, failure.source.line)}", "bright_black"), indent=2)
            self._steps(failure.steps)
            if failure.shrinking is not None:
                self._line((str(failure.shrinking), "bright_black"), indent=4)
            for line in proof_lines(failure):
                self._line((one_line(line), "bright_black"), indent=4)
            if failure.live is not None:
                self._line(printable(str(failure.live)), indent=2)
            self._history(failure.history)
            if failure.replay_argument:
                self._line(f"storcert replay {printable(failure.replay_argument)}", wrap=False, indent=2)
            self._line(f"storcert explain {one_line(rule.id)}", wrap=False, indent=2)
            if hidden:
                self.console.print()
                more = f"and {count(hidden, 'more failure')} of {rule.id}; the JSON record has all"
                self._line((more, "bright_black"))

    def _steps(self, steps: tuple[str, ...]) -> None:
        number_width = len(str(len(steps)))
        for number, step in enumerate(steps[:STEPS_SHOWN], 1):
            self._line((f"{number:>{number_width}}  ", "bright_black"), one_line(step, 1_000), indent=4)
        if len(steps) > STEPS_SHOWN:
            self._line((f"and {count(len(steps) - STEPS_SHOWN, 'more step')}", "bright_black"), indent=4)

    def _history(self, history: BrokenHistory | None) -> None:
        """The operations that no order explains, on a common time axis. A line that is cut cannot be read: nothing wraps."""
        for line in history_text.text(history).splitlines() if history is not None else ():
            self._line(line, wrap=False, indent=4)

    def _undecided(self) -> None:
        """Why something is unknown or an error: without a reason nobody can do anything about it."""
        open_checks = [c for c in self.record.checks if c.verdict in (Verdict.UNKNOWN, Verdict.ERROR)]
        if not open_checks:
            return
        self._heading(f"Not decided: {count(len(open_checks), 'check')}")
        for check in open_checks[:FINDINGS_SHOWN]:
            style = _GLYPHS[check.verdict][2]
            why = one_line(check.reason) or "no reason given"
            blame = f" (blame: {blame_words(check.blame)})" if check.blame is not None else ""
            self._line((one_line(check.id), style), f"  {check.verdict}: {why}{blame}", indent=2)
        if len(open_checks) > FINDINGS_SHOWN:
            self._line((f"and {len(open_checks) - FINDINGS_SHOWN:,} more", "bright_black"), indent=2)

    def _findings(self) -> None:
        findings = self.record.findings
        if not findings:
            return
        self._heading(count(len(findings), "finding"))
        for finding in findings[:FINDINGS_SHOWN]:
            where = place(finding.file, finding.line) if finding.file else "(no driver code)"
            self._line((one_line(finding.kind), "yellow"), f"  {where}  {one_line(finding.message)}", indent=2)
        if len(findings) > FINDINGS_SHOWN:
            self._line((f"and {len(findings) - FINDINGS_SHOWN:,} more", "bright_black"), indent=2)

    def _not_scored(self) -> None:
        """Checks that the next version of the contract may have: what it would say."""
        apart = self.record.not_scored
        if apart is None:
            return
        self._heading(not_scored_words(apart, self.record.kit.contract))
        for failure in apart.failures[:FINDINGS_SHOWN]:
            self._line((one_line(failure.check), "yellow"), f"  {one_line(failure.message)}", indent=2)
            if failure.replay_argument:
                self._line(f"storcert replay {printable(failure.replay_argument)}", wrap=False, indent=4)

    def _footer(self) -> None:
        record = self.record
        self.console.print()
        time = f", {seconds(record.environment.wall_time_s)}" if record.environment.wall_time_s else ""
        kit = f"storcert {one_line(record.kit.version)}"
        self._line((f"profile {one_line(record.profile)}, seed {record.seed}, {kit}{time}", "bright_black"))
        if record.digest:
            self._line((f"digest {one_line(record.digest)}", "bright_black"), wrap=False)
        if record.lint is not None:
            self._line((lint.note(record.lint, record.driver.reference), "bright_black"))
        if record.environment.isolation is not None:
            held = record.environment.isolation
            said = f"driver code ran under {one_line(held.mechanism)} {held.version}, without a file system"
            self._line((said, "bright_black"))


def _table(*columns: str) -> Table:
    """A table without lines; ``>`` before a name aligns right; the last column wraps where the terminal is narrow."""
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns, 1):
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        table.add_column(column.removeprefix(">"), justify=justify, no_wrap=index < len(columns), overflow="fold")
    return table


def _rule_note(rule: RuleResult, record: RunRecord) -> str:
    if rule.verdict is Verdict.FAIL:
        failed = sum(check.rule == rule.id and check.verdict is Verdict.FAIL for check in record.checks)
        return f"{failed:,} of {rule.checks:,} fail" if failed else count(len(rule.failures), "failure")
    if rule.verdict is Verdict.PASS:
        skipped = sum(check.rule == rule.id and check.verdict is Verdict.SKIPPED for check in record.checks)
        return f"{skipped:,} skipped" if skipped else ""
    return one_line(rule.reason, 120)
