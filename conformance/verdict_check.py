"""The questions asked of a signed verdict, each answered by itself. Nothing here prints; nothing is run again here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import storcert
import storcert.conformance.requirements
from storcert.conformance.driver_source import find_driver
from storcert.conformance.frozen import requirements_digest
from storcert.conformance.options import Profile
from storcert.conformance.source_digests import kit_digest
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict
from storcert.harness.record.verification import Answer, Question, Refusal
from storcert.reports.statement import Claim, count_mistakes, record_digest
from storcert.reports.text import count

SKEW = timedelta(minutes=10)
"""So far clocks may be apart."""


def ok(name: str, message: str) -> Question:
    """It holds."""
    return Question(name, Answer.OK, message)


def failed(name: str, reason: Refusal, message: str) -> Question:
    """It does not."""
    return Question(name, Answer.FAILED, message, reason)


def not_checked(name: str, message: str) -> Question:
    """Nobody looked."""
    return Question(name, Answer.NOT_CHECKED, message)


def claim_questions(claim: Claim, now: datetime, max_age: timedelta | None, least: Profile) -> Iterator[Question]:
    """What the verdict alone can answer: whether it is of one mind, says yes, of the whole of a profile, and is fresh."""
    mistakes = count_mistakes(claim)
    if mistakes:
        yield failed("counts", Refusal.COUNTS_DIFFER, "; ".join(mistakes))
    else:
        yield ok("counts", ", ".join(f"{number:,} {name}" for name, number in claim.counts.items() if number))
    if claim.verdict == RunVerdict.CONFORMANT:
        yield ok("verdict", f"conformant, profile {claim.profile}, seed {claim.seed}")
    else:
        yield failed("verdict", Refusal.NOT_CONFORMANT, f"the verdict is {claim.verdict.replace('_', ' ')}")
    yield _whole(claim, least)
    yield _fresh(claim, now, max_age)


def _whole(claim: Claim, least: Profile) -> Question:
    order = [str(profile) for profile in Profile]
    if claim.profile not in order or order.index(claim.profile) < order.index(least):
        return failed("depth", Refusal.LOWER_PROFILE, f"profile {one_line(claim.profile, 20)}, and {least} was asked for")
    if claim.counts["disabled"]:
        return failed("depth", Refusal.NOT_WHOLE, f"{count(claim.counts['disabled'], 'check')} were switched off")
    return ok("depth", f"the whole of profile {claim.profile}")


def _fresh(claim: Claim, now: datetime, max_age: timedelta | None) -> Question:
    days = (now - claim.certified).days
    when = f"certified {claim.certified.date()}, {days} days ago"
    if claim.certified > now + SKEW:
        return failed("freshness", Refusal.FROM_THE_FUTURE, f"certified {claim.certified.date()}, which is still to come")
    if now > claim.expires:
        return failed("freshness", Refusal.EXPIRED, f"{when}, valid until {claim.expires.date()}")
    if max_age is not None and now - claim.certified > max_age:
        return failed("freshness", Refusal.TOO_OLD, f"{when}, and {max_age.days} days were allowed")
    return ok("freshness", f"{when}, valid until {claim.expires.date()}")


def driver_question(claim: Claim, reference: str | None) -> Question:
    """Whether the driver at hand is the one that was certified. ``reference``: which it is; else the one of that name.

    Raises :class:`InvalidUsage` for a ``reference`` that is no driver."""
    try:
        source = find_driver(reference or claim.driver_reference, claim.device)
    except InvalidUsage as error:
        if reference is not None:
            raise
        return not_checked("driver", f"{claim.driver} is not at hand ({error}); --driver says where it is")
    if source.digest.removeprefix("sha256:") == claim.driver_digest:
        return ok("driver", f"{source.reference}: the source that was certified")
    return failed("driver", Refusal.DRIVER_DIFFERS, f"{source.reference}: not the source that was certified")


def kit_question(claim: Claim) -> Question:
    """Whether this kit is the one that decided, as far as its version makes that a question."""
    here = str(storcert.__version__)
    if claim.kit_version != here:
        return not_checked("kit", f"decided by storcert {claim.kit_version}, this is {here}")
    mine = (kit_digest().removeprefix("sha256:"), requirements_digest().removeprefix("sha256:"))
    if mine == (claim.kit_digest, claim.requirements_digest):
        return ok("kit", f"storcert {here}, the same source and requirements")
    return failed("kit", Refusal.KIT_DIFFERS, f"storcert {here} decided and this is it, but their source is not the same")


def record_question(claim: Claim, record: RunRecord | None) -> Question:
    """Whether a run record is the one that was signed."""
    if record is None:
        return not_checked("record", "no run record was given (--record RUN.json)")
    if record_digest(record).removeprefix("sha256:") != claim.record_digest:
        return failed("record", Refusal.RECORD_DIFFERS, "the run record is not the one that was signed")
    return ok("record", "the run record that was signed")
