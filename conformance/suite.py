"""The suite as pytest sees it: a file of items, each one check with one value, and how its end is told.

``pytest --pyargs storcert.conformance`` collects this file; ``--pyargs 'storcert.conformance.suite::C-READ/whole[4096]'`` one
item of it. Nothing here decides: :func:`storcert.conformance.runner.run_case` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from storcert.conformance.registry import Case
from storcert.conformance.runner import CaseOutcome
from storcert.harness.record.verdict import Verdict

MODULE = "storcert.conformance.suite"
KIT_FAILED = "the kit itself failed, the driver is not to blame"


class Decides(Protocol):
    """What the items need of the run they belong to."""

    @property
    def wanted(self) -> Sequence[Case]:
        """The cases, in their order."""
        ...

    def fence(self) -> AbstractContextManager[object]:
        """What driver code runs in."""
        ...

    def decide(self, case: Case) -> Ended:
        """Run one case."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How a case ended for pytest: ``passed``, ``failed``, ``error`` or ``skipped``, and why, in one line and in full."""

    kind: str
    outcome: CaseOutcome
    reason: str = ""
    text: str = ""


class CaseEnded(Exception):
    """A case that did not pass. No ``AssertionError``: its text is no traceback, and it is no assertion of the kit."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


@dataclass(frozen=True, slots=True)
class _Place:
    """Where pytest looks for the one line of its summary."""

    path: str
    lineno: int
    message: str


class _Told:
    """A failure's text as pytest prints it: minimal steps and commands, no traceback."""

    def __init__(self, ended: Ended) -> None:
        self.text = ended.text
        source = ended.outcome.source
        self.reprcrash = _Place(source.file if source else MODULE, source.line if source else 0, ended.reason)

    def __str__(self) -> str:
        return self.text

    def toterminal(self, tw: Any) -> None:
        """Printed by pytest."""
        for number, line in enumerate(self.text.splitlines()):
            tw.line(line, red=number == 0, bold=number == 0)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, run: Decides, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        self.run = run
        self.ended: Ended | None = None
        self.extra_keyword_matches.update((case.check.rule, case.check.name))

    def runtest(self) -> None:
        """Run it. Raises :class:`CaseEnded`, or what skips an item."""
        self.ended = ended = self.run.decide(self.case)
        if ended.kind == "skipped":
            pytest.skip(ended.reason)
        if ended.kind != "passed":
            raise CaseEnded(ended)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Steps and commands for what a case found; a traceback only where pytest itself or the kit broke."""
        if isinstance(excinfo.value, CaseEnded):
            return _Told(excinfo.value.ended)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """No line: the case has none of its own."""
        return self.path, None, f"{MODULE}::{self.name}"


class Suite(pytest.File):
    """All cases of the driver. While its items run, driver code is behind the fence."""

    run: Decides
    _open: AbstractContextManager[object] | None = None

    @classmethod
    def under(cls, parent: pytest.Collector, path: Path, run: Decides) -> Suite:
        """The suite at its place in the tree, with an id that ``--pyargs`` takes."""
        made: Suite = cls.from_parent(parent, path=path, nodeid=MODULE)
        made.run = run
        return made

    def collect(self) -> Iterable[pytest.Item]:
        """One item per case."""
        for case in self.run.wanted:
            yield CaseItem.from_parent(self, name=case.id, case=case, run=self.run)

    def setup(self) -> None:
        """Up with the fence."""
        self._open = self.run.fence()
        self._open.__enter__()

    def teardown(self) -> None:
        """Down with the fence, also where an item was interrupted."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.__exit__(None, None, None)


def ended_as(outcome: CaseOutcome, touched: str, text: str, *, allow_unknown: bool) -> Ended:
    """The verdict of the kit as an ending of pytest. ``touched``: what driver code did to a file system meanwhile."""
    result = outcome.result
    reason = result.reason.splitlines()[0] if result.reason else ""
    if not outcome.scored and result.verdict is not Verdict.PASS:
        return Ended("skipped", outcome, f"not scored in this version of the contract: {result.verdict}: {reason}")
    if result.verdict is Verdict.FAIL:
        own = "" if result.rule == result.id.partition("/")[0] else f"{result.rule}: "
        return Ended("failed", outcome, f"{own}{reason}", text)
    if result.verdict is Verdict.ERROR:
        return Ended("error", outcome, f"{KIT_FAILED}: {reason}", text)
    if touched:
        return Ended("failed", outcome, f"C-NOFS: {touched}", text)
    if result.verdict is Verdict.UNKNOWN:
        return Ended("skipped" if allow_unknown else "error", outcome, f"not decided: {reason}", text)
    if result.verdict is Verdict.SKIPPED or result.verdict is Verdict.DISABLED:
        return Ended("skipped", outcome, reason)
    return Ended("passed", outcome)
