"""What ``storcert lint`` found in sources: frozen values that renderers read. Nothing here looks at a source.

Field names are those of the published JSON (``reports/schemas/lint-report-1.json``). Files are named as the user named them, or
relative to the driver's folder, with ``/``; columns count characters, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LINT_SCHEMA_VERSION = 1


class Severity(StrEnum):
    """``error``: breaks the contract wherever it runs. ``warning``: breaks it unless there is a reason nobody can see here."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class LintFinding:
    """One place in a source that breaks a rule.

    ``rule``: the lint rule; ``contract``: the rule of the contract it belongs to (``""``: of the lint itself). ``message``:
    what stands there and why it is wrong; ``instead``: what to do. ``code``: the line. ``justification``: why it is accepted,
    where a comment says so.
    """

    file: str
    line: int
    column: int
    rule: str
    contract: str
    severity: Severity
    message: str
    instead: str
    code: str = ""
    end_line: int = 0
    end_column: int = 0
    justification: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, order=True)
class MountUse:
    """A path that is not known before the driver runs, used where the driver's device is a mounted path: judged by the run."""

    file: str
    line: int
    column: int
    what: str


@dataclass(frozen=True, slots=True)
class LintReport:
    """Everything of one run of the lint.

    ``targets``: as given. ``device``: what the driver is for, where that is known; ``mount``: whether paths below a mount are
    therefore its device. ``files``: what was looked at; ``left_out``: Python files of a folder that are no driver code, by
    reason.
    """

    schema_version: int
    kit_version: str
    targets: tuple[str, ...]
    device: str
    mount: bool
    files: tuple[str, ...]
    findings: tuple[LintFinding, ...] = ()
    accepted: tuple[LintFinding, ...] = ()
    mount_uses: tuple[MountUse, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """Findings that break the contract."""
        return sum(one.severity is Severity.ERROR for one in self.findings)

    @property
    def warnings(self) -> int:
        """Findings that break it unless there is a reason."""
        return len(self.findings) - self.errors

    def exit_code(self) -> int:
        """0 clean, 1 with findings. Accepted ones do not count."""
        return 1 if self.findings else 0


@dataclass(frozen=True, slots=True)
class LintNote:
    """The lint of a certified driver in its run record: told, not scored."""

    errors: int = 0
    warnings: int = 0
    accepted: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)
