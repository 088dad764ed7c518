"""What a run and a file of expectations say to each other. Pure: the day is an argument.

An expectation never makes a failure a pass: the gate says which failures were expected, and the record stays what it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from storcert.conformance.expectations import Expectation, Expectations
from storcert.conformance.usage import one_line
from storcert.harness.record.gate_result import ExpectedResult, GateKind, GateProblem
from storcert.harness.record.run_record import CheckFailure, CheckResult, RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports.failure_text import failures_by_check
from storcert.reports.repository_place import repository_place
from storcert.reports.text import count

MESSAGE_MAX = 300
Known = Callable[[str], bool]
"""Whether the kit has a check of that id, whatever this run was asked for."""


@dataclass(frozen=True, slots=True)
class Checked:
    """``stale`` and ``unknown``: the entries that :attr:`problems` complain about, for whoever takes them away."""

    problems: tuple[GateProblem, ...]
    expected: tuple[ExpectedResult, ...]
    notes: tuple[str, ...]
    stale: tuple[Expectation, ...]
    unknown: tuple[Expectation, ...]
    new: tuple[tuple[CheckResult, str], ...]
    """Failing checks nobody expected, and how."""


def check_expectations(
    record: RunRecord, expectations: Expectations, today: date, known: Known, *, last: RunRecord | None = None,
    source_root: str = "",
) -> Checked:
    """Compare. ``last``: the last certified run, which says whether a new failure passed in it."""
    return _Comparison(record, expectations, today, known, last, source_root).made()


class _Comparison:
    def __init__(
        self, record: RunRecord, expectations: Expectations, today: date, known: Known, last: RunRecord | None,
        source_root: str,
    ) -> None:
        self._record = record
        self._expectations = expectations
        self._today = today
        self._known = known
        self._last = {check.id: check.verdict for check in last.checks} if last is not None else {}
        self._source_root = source_root
        self._failures = failures_by_check(record)
        self._checks: Mapping[str, CheckResult] = {check.id: check for check in record.checks}
        self._problems: list[GateProblem] = []
        self._expected: list[ExpectedResult] = []
        self._notes: list[str] = []
        self._stale: list[Expectation] = []
        self._unknown: list[Expectation] = []
        self._new: list[tuple[CheckResult, str]] = []

    def made(self) -> Checked:
        applying: list[Expectation] = []
        elsewhere: dict[str, str] = {}
        for entry in self._expectations.entries:
            record = self._record
            why_not = entry.why_not(record.driver.version, record.kit.version, record.device.name)
            if why_not:
                elsewhere[entry.id] = why_not
            else:
                applying.append(entry)
        for entry in applying:
            self._entry(entry)
        for check in self._record.checks:
            self._check(check, applying, elsewhere)
        if not self._record.checks and self._record.verdict is not RunVerdict.CONFORMANT:
            kind = GateKind.ERROR if self._record.verdict is RunVerdict.ERROR else GateKind.UNDECIDED
            said = self._record.reason or "nothing was decided"
            self._problems.append(GateProblem(kind, "storcert", one_line(said, MESSAGE_MAX), True))
        return Checked(
            tuple(self._problems), tuple(self._expected), tuple(self._notes), tuple(self._stale), tuple(self._unknown),
            tuple(self._new),
        )

    def _entry(self, entry: Expectation) -> None:
        """What is wrong with the entry itself."""
        met = [check for check in self._record.checks if entry.means(check.id)]
        if entry.expires < self._today:
            words = f"expected until {entry.expires} by {entry.owner} ({one_line(entry.reason, 80)}); look at it again"
            self._complain(GateKind.EXPIRED, entry, words)
        if not met:
            self._absent(entry)
        elif any(str(check.verdict) == entry.verdict for check in met):
            return
        elif any(check.verdict in (Verdict.PASS, Verdict.FAIL) for check in met):
            now = ", ".join(sorted({str(check.verdict) for check in met}))
            self._stale.append(entry)
            self._complain(GateKind.STALE, entry, f"expected to {_does(entry)}, and it does not any more ({now}); take it away")
        else:
            self._notes.append(f"{entry.id} is expected to {_does(entry)}, and was not decided: {_why(met)}")

    def _absent(self, entry: Expectation) -> None:
        """Of no check of this run: a failure under another rule that is gone, a check not run, or a name that means none."""
        base, _, other = entry.id.partition(":")
        twin = self._checks.get(base)
        if other and twin is not None:
            if twin.verdict is Verdict.PASS:
                self._stale.append(entry)
                self._complain(GateKind.STALE, entry, f"expected to break {other} in {base}, which passes; take it away")
            else:
                self._notes.append(f"{entry.id} is expected to fail; {base} is {twin.verdict} now")
            return
        name = entry.id.partition("[")[0].partition(":")[0]
        of_name = [check for check in self._checks if check == name or check.startswith(f"{name}[")]
        if of_name or not self._known(entry.id):
            self._unknown.append(entry)
            near = difflib.get_close_matches(entry.id, of_name or list(self._checks), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self._complain(GateKind.UNKNOWN_ID, entry, f"there is no such check{hint}")
        else:
            self._notes.append(f"{entry.id} is expected to {_does(entry)}, and is no part of this run")

    def _check(self, check: CheckResult, applying: Sequence[Expectation], elsewhere: Mapping[str, str]) -> None:
        """What a check that did not pass says."""
        if check.verdict not in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.ERROR):
            return
        entry = next((one for one in applying if one.means(check.id) and one.verdict == str(check.verdict)), None)
        message = one_line(self._message(check), MESSAGE_MAX)
        if entry is not None and check.verdict is not Verdict.ERROR:
            self._expected.append(ExpectedResult(
                check.id, entry.id, message, entry.reason, entry.owner, entry.expires.isoformat(), entry.link))
        elif check.verdict is Verdict.FAIL:
            self._new.append((check, message))
            passed = " (it passed in the last certified run)" if self._last.get(check.id) is Verdict.PASS else ""
            other = f" (expected elsewhere: {elsewhere[check.id]})" if check.id in elsewhere else ""
            place = repository_place(self._failure(check), self._record.driver, self._source_root)
            file, line = (place.file, place.line) if place.exact else ("", 0)
            self._problems.append(GateProblem(GateKind.NEW, check.id, f"{message}{passed}{other}", True, file, line))
        elif check.verdict is Verdict.UNKNOWN and not self._explained(check):
            self._problems.append(GateProblem(GateKind.UNDECIDED, check.id, message, True))
        elif check.verdict is Verdict.ERROR:
            self._problems.append(GateProblem(GateKind.ERROR, check.id, message, True))

    def _explained(self, check: CheckResult) -> bool:
        """A case that broke another rule first decided nothing of its own: that failure is told, or expected, already."""
        return any(one.id.startswith(f"{check.id}:") and one.verdict is Verdict.FAIL for one in self._checks.values())

    def _failure(self, check: CheckResult) -> CheckFailure | None:
        return next(iter(self._failures.get(check.id, ())), None)

    def _message(self, check: CheckResult) -> str:
        failure = self._failure(check)
        return failure.message if failure is not None else check.reason or str(check.verdict)

    def _complain(self, kind: GateKind, entry: Expectation, words: str) -> None:
        line = self._expectations.line_of(entry)
        self._problems.append(GateProblem(kind, entry.id, words, True, self._expectations.path, line))


def flaky_checks(record: RunRecord, others: Sequence[RunRecord]) -> Iterator[GateProblem]:
    """Checks that came to different verdicts in runs that ought to be the same, pass or fail."""
    decided = (Verdict.PASS, Verdict.FAIL)
    for check in record.checks:
        if check.verdict not in decided:
            continue
        seen = [one.verdict for other in others for one in other.checks if one.id == check.id and one.verdict in decided]
        different = sum(verdict is not check.verdict for verdict in seen)
        if different:
            words = f"{check.verdict} here, and otherwise in {count(different, 'other run')} with the same driver, kit and seed"
            yield GateProblem(GateKind.FLAKY, check.id, words, True)


def same_run(one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs ought to have come to the same: same kit, driver, device, profile, seed and options."""
    return _identity(one) == _identity(other)


def _identity(record: RunRecord) -> tuple[object, ...]:
    options = {name: value for name, value in record.options.items() if name not in ("budget_s", "rules")}
    return (
        record.kind, record.kit, record.driver.name, record.driver.digest, record.device, record.profile, record.seed, options,
    )  # fmt: skip


def _does(entry: Expectation) -> str:
    return "fail" if entry.verdict == "fail" else "stay undecided"


def _why(checks: Sequence[CheckResult]) -> str:
    return one_line(", ".join(sorted({f"{check.verdict} ({check.reason})" for check in checks})), 120)
