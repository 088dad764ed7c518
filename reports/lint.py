"""The lint report a person reads: a report in, text out. One block for each file, one line for each finding, then what to do.

Accepted findings are shown with their reasons, because somebody has to agree with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from storcert.harness.record.lint_report import LintFinding, LintNote, LintReport, Severity
from storcert.reports.text import count, one_line, printable

MIN_WIDTH = 40
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def render(report: LintReport, *, width: int = 100, color: bool = False, unicode: bool = True) -> str:
    """The whole report. ``unicode`` false keeps to ASCII; ``color`` adds ANSI styles."""
    out = StringIO()
    console = Console(
        file=out, width=max(width, MIN_WIDTH), force_terminal=color, color_system="standard" if color else None,
        no_color=not color, legacy_windows=False, highlight=False, emoji=False, markup=False, _environ={},
    )  # fmt: skip
    _findings(console, report.findings)
    _accepted(console, report.accepted)
    _advice(console, report.findings)
    console.print(Text(summary(report), "bold red" if report.findings else "bold green"))
    for line in _notes(report):
        console.print(Text(line, "bright_black"))
    text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return text if unicode else text.encode("ascii", "backslashreplace").decode("ascii")


def summary(report: LintReport) -> str:
    """``2 errors, 1 warning and 3 accepted in 9 files``, or that there is nothing."""
    files = count(len(report.files), "file")
    accepted = f", {len(report.accepted)} accepted with a reason" if report.accepted else ""
    if not report.findings:
        return f"Nothing found in {files}{accepted}."
    return f"{count(report.errors, 'error')} and {count(report.warnings, 'warning')} in {files}{accepted}."


def note(one: LintNote, reference: str) -> str:
    """One line for the report of a certification, where the lint is told and not scored."""
    if not (one.errors or one.warnings):
        said = "nothing found" + (f", {one.accepted} accepted with a reason" if one.accepted else "")
        return f"lint (not scored): {said}"
    rules = ", ".join(f"{rule} {number}" for rule, number in one.rules.items())
    found = f"{count(one.errors, 'error')}, {count(one.warnings, 'warning')}, {one.accepted} accepted"
    return one_line(f"lint (not scored): {found}: {rules}; see storcert lint {reference}", 300)


def _notes(report: LintReport) -> list[str]:
    lines = []
    if report.mount:
        uses = count(len(report.mount_uses), "use of a path", "uses of paths")
        lines.append(f"The driver's device is a mounted path: {uses} that only the run knows are judged by certify.")
    for what, number in sorted(report.left_out.items()):
        lines.append(f"Left out: {count(number, 'file')} ({what}). Name a file to have it looked at.")
    if report.findings:
        rule = report.findings[0].rule
        lines.append(f"More about a rule: storcert explain {rule}. Accept one place: # storcert: allow {rule} reason")
    return lines


def _findings(console: Console, findings: Sequence[LintFinding]) -> None:
    for file, group in groupby(findings, key=lambda one: one.file):
        console.print(Text(printable(file), "bold"))
        table = Table.grid(padding=(0, 2))
        for name in ("place", "severity", "rule"):
            table.add_column(name, no_wrap=True)
        table.add_column("message")
        for one in group:
            table.add_row(
                f"{one.line}:{one.column}", Text(str(one.severity), _STYLES[one.severity]), one.rule,
                Text(one_line(one.message)),
            )  # fmt: skip
        console.print(Padding(table, (0, 0, 0, 2)))
        console.print()


def _accepted(console: Console, accepted: Sequence[LintFinding]) -> None:
    if not accepted:
        return
    console.print(Text("Accepted, with the reason given in the source", "bold"))
    for one in accepted:
        text = f"{one.file}:{one.line} {one.rule}: {one.justification}"
        console.print(Padding(Text(one_line(text)), (0, 0, 0, 2)))
    console.print()


def _advice(console: Console, findings: Sequence[LintFinding]) -> None:
    advice = {one.rule: one for one in findings}
    if not advice:
        return
    console.print(Text("What to do instead", "bold"))
    for rule, one in sorted(advice.items()):
        name = f"{rule} ({one.contract}): " if one.contract else f"{rule}: "
        console.print(Padding(Text.assemble((name, "bold"), one_line(one.instead, 600)), (0, 0, 0, 2)))
    console.print()
