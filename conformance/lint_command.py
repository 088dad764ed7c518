"""What ``storcert lint`` does, once its words are understood: look, print, write, and give the exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from storcert.conformance.commands import print_to
from storcert.conformance.lint.lint import lint
from storcert.conformance.lint.rules import LINT_RULES
from storcert.conformance.lint.targets import find_targets
from storcert.conformance.options import check_file
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.lint_report import LintReport, Severity
from storcert.reports import lint as text_report
from storcert.reports.lint_formats import github_commands, render_json, render_sarif
from storcert.reports.sarif import Level, SarifRule


@dataclass(frozen=True, slots=True)
class LintOutputs:
    """Files that are written besides the terminal."""

    json: Path | None = None
    sarif: Path | None = None

    def check(self) -> None:
        """Raises :class:`InvalidUsage` for a file that cannot be written, now rather than after the work."""
        for option, path in (("--json", self.json), ("--sarif", self.sarif)):
            if path is not None:
                check_file(option, path)


def run(words: Sequence[str], device: str | None, outputs: LintOutputs) -> int:
    """0: nothing found. 1: findings that no comment accepts. Raises :class:`InvalidUsage`."""
    outputs.check()
    report = lint(find_targets(words, device), words)
    _print(report)
    _write(report, outputs)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print_to(sys.stdout, github_commands(report))
    return report.exit_code()


def sarif_rules() -> tuple[SarifRule, ...]:
    """Every lint rule, as SARIF knows rules."""
    return tuple(
        SarifRule(
            rule.id, rule.title, rule.why, rule.instead, Level.ERROR if rule.severity is Severity.ERROR else Level.WARNING,
            (rule.contract,) if rule.contract else (),
        )
        for rule in LINT_RULES.values()
    )


def _print(report: LintReport) -> None:
    stream = sys.stdout
    is_terminal = stream.isatty()
    color = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = min(shutil.get_terminal_size((100, 24)).columns, 140) if is_terminal else 120
    encoding = (stream.encoding or "ascii").lower().replace("-", "")
    print_to(stream, text_report.render(report, width=width, color=color, unicode=encoding.startswith("utf")))


def _write(report: LintReport, outputs: LintOutputs) -> None:
    files: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (outputs.json, lambda: render_json(report)),
        (outputs.sarif, lambda: render_sarif(report, sarif_rules())),
    )
    for path, make in files:
        if path is not None:
            try:
                path.write_text(make(), encoding="utf-8")
            except OSError as error:
                raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None
