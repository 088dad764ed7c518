"""The leak check of a live run: when every object was deleted, nothing may be left on the target but markers of the driver.

One row of the record, for the whole run, under the rule that promises it. In simulation every check looks for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from storcert.conformance.facts import Facts
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.tidy import LEFT
from storcert.harness.record.run_record import CheckFailure, CheckResult
from storcert.harness.record.verdict import Blame, Verdict

RULE = "C-DELETE"
LEAK_CHECK = f"{RULE}/nothing-left-on-the-target"
SHOWN = 8


def leak_check(
    facts: Facts, outcomes: Sequence[CaseOutcome], token_of: Callable[[CaseOutcome], tuple[str, str]]
) -> tuple[CheckResult, list[CheckFailure]] | None:
    """The row and its failures: one for each check after which something was left, the first few. ``None`` for a run that is
    not live. ``token_of``: token and file of a replay."""
    if facts.mode != "live":
        return None
    if not facts.has_census:
        reason = "nobody but the driver can look into this device; start a named live target for that"
        return CheckResult(LEAK_CHECK, RULE, "", Verdict.SKIPPED, reason, len(outcomes)), []
    looked = [one for one in outcomes if one.result.verdict is Verdict.PASS]
    leaks = [one for one in looked if any(finding.kind == LEFT for finding in one.findings)]
    failures = []
    for outcome in leaks[:SHOWN]:
        token, file = token_of(outcome)
        what = "; ".join(finding.message for finding in outcome.findings if finding.kind == LEFT)
        told = f"every object was deleted, and this is still on the target: {what}"
        failures.append(CheckFailure(LEAK_CHECK, told, (f"after {outcome.result.id}",), token, None, file, blame=Blame.DRIVER))
    verdict = Verdict.FAIL if leaks else Verdict.PASS if looked else Verdict.UNKNOWN
    blame = {Verdict.FAIL: Blame.DRIVER, Verdict.UNKNOWN: Blame.INCONCLUSIVE}.get(verdict)
    reason = f"something was left after {len(leaks)} checks" if leaks else ""
    if not looked:
        reason = "nothing was looked at: no check passed"
    return CheckResult(LEAK_CHECK, RULE, "", verdict, reason, len(looked), blame=blame), failures
