"""A failure as the lines that every text form of a report ends with: what, where, the steps, and the two commands to go on."""

from __future__ import annotations

from collections.abc import Iterable

from storcert.harness.record.run_record import CheckFailure, RunRecord
from storcert.harness.record.verdict import Blame
from storcert.reports.summary import place


def failure_lines(failure: CheckFailure, rule: str) -> list[str]:
    """Message, whose fault, place in the driver, numbered steps, ``storcert replay``, ``storcert explain``."""
    lines = [failure.message]
    lines += blame_lines(failure.blame, failure.evidence)
    if failure.shrinking is not None:
        lines.append(str(failure.shrinking))
    if failure.source is not None:
        lines.append(f"at {place(failure.source.file, failure.source.line)}")
    lines += [f"{number}. {step}" for number, step in enumerate(failure.steps, 1)]
    lines += proof_lines(failure)
    if failure.live is not None:
        lines.append(str(failure.live))
    if failure.replay_argument:
        lines.append(f"storcert replay {failure.replay_argument}")
    lines.append(f"storcert explain {rule}")
    return lines


def blame_lines(blame: Blame | None, evidence: Iterable[str]) -> list[str]:
    """Whose a failure is, and by what that was decided; nothing where nobody asked."""
    return [f"blame: {blame_words(blame)}", *(f"  {line}" for line in evidence)] if blame is not None else []


def blame_words(blame: Blame | None) -> str:
    """``control plane``, ``driver``; empty where nobody asked."""
    return str(blame or "").replace("_", " ")


def proof_lines(failure: CheckFailure) -> list[str]:
    """What the failure needs, and what it does not."""
    if failure.proof is None:
        return []
    lines = [f"necessary, as a run without it shows: {part}" for part in failure.proof.necessary]
    return lines + [f"not necessary: {part}" for part in failure.proof.unneeded]


def failures_by_check(record: RunRecord) -> dict[str, list[CheckFailure]]:
    """The failures of each check that has some."""
    found: dict[str, list[CheckFailure]] = {}
    for failure in record.failures:
        found.setdefault(failure.check, []).append(failure)
    return found


def joined(failures: Iterable[CheckFailure], rule: str) -> str:
    """Several failures of one check, an empty line between."""
    return "\n\n".join("\n".join(failure_lines(failure, rule)) for failure in failures)
