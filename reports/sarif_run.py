"""A run record as SARIF: one rule per requirement, one result per failure.

GitHub shows every result as an alert, whatever its kind, so only failures are results. Checks without a decision
(``unknown``, ``error``) are notifications of the tool; the six counts stand in the run's properties. Fingerprints hold neither
line numbers nor messages, so that a failure stays the same one while the driver's source moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from storcert.harness.record.codec import to_json
from storcert.harness.record.run_record import CheckFailure, CheckResult, RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports import sarif
from storcert.reports.failure_text import failures_by_check
from storcert.reports.repository_place import repository_place
from storcert.reports.summary import headline, reason


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a rule is: ``title`` one line, ``text`` the contract's words, ``why`` it exists."""

    title: str
    text: str
    why: str


def render(record: RunRecord, texts: Mapping[str, RuleText], source_root: str = "") -> str:
    """The log as text. ``texts``: of the rules; ``source_root``: see :mod:`storcert.reports.repository_place`."""
    failures = failures_by_check(record)
    failed = [
        (check, failure)
        for check in record.checks
        if check.verdict is Verdict.FAIL
        # A check that failed has at least one result, so that no failing check is left out.
        for failure in failures.get(check.id) or [CheckFailure(check.id, check.reason or "failed", check.steps)]
    ]
    marks = sarif.numbered((record.kind, record.driver.name, record.device.name, check.id) for check, _ in failed)
    return sarif.render(
        sarif.SarifRun(
            version=record.kit.version,
            rules=tuple(_rule(rule.id, texts.get(rule.id)) for rule in record.rules),
            results=tuple(
                _result(record, check, failure, mark, source_root)
                for (check, failure), mark in zip(failed, marks, strict=True)
            ),
            successful=record.verdict is not RunVerdict.ERROR and not record.interrupted,
            exit_code=record.exit_code(),
            notifications=tuple(_notifications(record)),
            properties={
                "kind": record.kind,
                "verdict": str(record.verdict),
                "headline": headline(record),
                "reason": reason(record),
                "profile": record.profile,
                "seed": record.seed,
                "digest": record.digest,
                "driver": to_json(record.driver),
                "device": to_json(record.device),
                "counts": to_json(record.counts),
                **dict(_beside(record)),
            },
            automation_id=f"storcert/{record.kind}/{record.device.name}/",
        )
    )


def _beside(record: RunRecord) -> Iterator[tuple[str, object]]:
    """What a run tells beside its results: how deep it looked, and what ran and does not count."""
    if record.depth is not None:
        yield "depth", to_json(record.depth)
    if record.not_scored is not None:
        yield "notScored", to_json(record.not_scored)


def _rule(name: str, text: RuleText | None) -> sarif.SarifRule:
    if text is None:
        return sarif.SarifRule(name, f"requirements of {name}", tags=("storcert",))
    return sarif.SarifRule(
        name, text.title, text.text, f"{text.why}\n\n`storcert explain {name}` shows an example that breaks it.",
        tags=("storcert", "conformance"),
    )


def _result(
    record: RunRecord, check: CheckResult, failure: CheckFailure, mark: str, source_root: str
) -> sarif.SarifResult:
    where = repository_place(failure, record.driver, source_root)
    steps = "".join(f"\n{number}. {step}" for number, step in enumerate(failure.steps, 1))
    properties: dict[str, object] = {"check": check.id, "steps": list(failure.steps), "placeIsExact": where.exact}
    if failure.blame is not None:
        properties["blame"] = str(failure.blame)
        properties["evidence"] = list(failure.evidence)
    if failure.proof is not None:
        properties["proof"] = to_json(failure.proof)
    if failure.replay_argument:
        properties["replay"] = f"storcert replay {failure.replay_argument}"
    return sarif.SarifResult(
        rule=check.rule,
        message=f"{check.id}: {failure.message}{steps}",
        place=sarif.SarifPlace(where.file, where.line),
        fingerprint=mark,
        properties=properties,
    )


def _notifications(record: RunRecord) -> Iterator[sarif.SarifNotification]:
    for check in record.checks:
        if check.verdict in (Verdict.UNKNOWN, Verdict.ERROR):
            level = sarif.Level.ERROR if check.verdict is Verdict.ERROR else sarif.Level.WARNING
            blame = f" (blame: {check.blame})" if check.blame is not None else ""
            yield sarif.SarifNotification(f"{check.id}: {check.verdict}: {check.reason}{blame}", check.rule, level)
