"""A failure is run again before anybody hears of it: the same world, the driver loaded anew, as a replay would have it.

What fails again is the driver's. What does not is a finding of its own: a world is a function of its seed, so two answers are
explained by something outside of it. Where the driver was the first to do something else, it is nondeterministic (C-STATELESS);
where that cannot be shown, nothing is decided. A live device owes nobody the same answer twice: there, what cannot be had again
stays a failure for which nobody can be named, and a device out of reach decides nothing. A case that passes is run once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from storcert.conformance.bench import Bench
from storcert.conformance.facts import Facts
from storcert.conformance.live import LiveClock
from storcert.conformance.program import Program
from storcert.conformance.registry import Case
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.subject import Subject
from storcert.conformance.tidy import LEFT
from storcert.conformance.violation import Undecided, Violation
from storcert.harness.contract import DeviceUnavailable, ObjectNotFound, StorageError
from storcert.harness.record.event import Event
from storcert.harness.record.finding import Finding
from storcert.harness.record.verdict import Blame, Verdict

#: Kind of the finding; it says no more than that the same world gave two answers.
NONDETERMINISTIC = "nondeterministic"
STATELESS = "C-STATELESS"
#: So long a live device that went away may take to come back, and so often it is looked for.
COMES_BACK_NS, LOOKS_AGAIN_NS = 3 * 10**9, 250 * 10**6


class Parted(Enum):
    """Where two runs of one world went different ways."""

    ASKED = "the driver asked for something else"
    ANSWERED = "the same request was answered otherwise"
    NOWHERE = "every request and every answer was the same, and the driver made something else of them"


def decide(case: Case, subject: Subject, facts: Facts, seed: int) -> CaseOutcome:
    """The outcome of a case, its failure confirmed or taken back. Raises nothing but ``KeyboardInterrupt``."""
    first = run_case(case, subject, facts, seed, keep_journal=True)
    if any(one.kind == LEFT for one in first.findings):
        return _left_again(first, run_case(case, subject, facts, seed))
    if first.result.verdict is not Verdict.FAIL:
        return replace(first, journal=())
    fresh = _fresh(subject)
    if fresh is None and facts.mode == "in_process":
        return replace(first, journal=())  # what the first run left in this process would be found by the second
    gone = _stays_away(subject, facts, seed) if facts.mode == "live" else None
    if gone is not None:
        return replace(_went_away(first, gone), journal=())
    program = Program.from_json(first.program) if first.program is not None else None
    wanted = first.example or None
    again = run_case(case, fresh or subject, facts, seed, wanted=wanted, program=program, keep_journal=True)
    alike = (first.result.verdict, first.result.rule) == (again.result.verdict, again.result.rule)
    if facts.mode == "live":
        told = _on_a_live_device(first, alike, subject, facts, seed)
    else:
        told = first if alike else _two_answers(first, again)
    return replace(told, journal=())


def _left_again(first: CaseOutcome, again: CaseOutcome) -> CaseOutcome:
    """What is left on a real device counts where it is left a second time: somebody may have been late with something."""
    if any(one.kind == LEFT for one in again.findings):
        return replace(first, journal=())
    return replace(first, journal=(), findings=tuple(one for one in first.findings if one.kind != LEFT))


def _fresh(subject: Subject) -> Subject | None:
    """The driver as a new process has it, where it can be had: whoever replays a token has run no world before."""
    try:
        return subject.loaded_again()
    except ImportError:
        return None


def _two_answers(first: CaseOutcome, again: CaseOutcome) -> CaseOutcome:
    parted, where = part(first.journal, again.journal)
    now = "it held" if again.result.verdict is Verdict.PASS else f"{again.result.verdict}: {again.message}"
    said = f"the same world twice, and two answers: first {first.result.rule}: {first.message}; again: {now}"
    told = f"{said} ({parted.value}{where})"
    source = first.source
    finding = Finding(NONDETERMINISTIC, told, source.file if source else "", source.line if source else 0)
    outcome = replace(first, findings=tuple(sorted({*first.findings, finding})), message=told)
    if first.result.rule == "C-BUDGET" and parted is Parted.NOWHERE:
        # How long a call may burn the processor is measured in real time, and a machine may be busy.
        return _undecided(outcome, f"{said}; the machine may have been too busy", Blame.ENVIRONMENT)
    if parted is Parted.ANSWERED:
        return _undecided(outcome, told, Blame.INCONCLUSIVE)
    return replace(outcome, result=replace(first.result, rule=STATELESS, reason=told), blame=Blame.DRIVER)


def part(first: Sequence[Event], again: Sequence[Event]) -> tuple[Parted, str]:
    """Where two journals of one world first differ, and in what. The first is of a failure, which ends a case
    early: that it is the shorter one is no difference."""
    for one, other in zip(first, again, strict=False):
        if (one.location, one.text) == (other.location, other.text):
            continue
        asked, answer = _asked(one)
        asked_again, answer_again = _asked(other)
        if (one.location, asked) != (other.location, asked_again):
            return Parted.ASKED, f": {one.location} {asked}, and then {other.location} {asked_again}"
        return Parted.ANSWERED, f": {one.location} {asked}: {answer}, and then {answer_again}"
    if len(first) > len(again):
        more = first[len(again)]
        return Parted.ASKED, f": {more.location} {_asked(more)[0]}, and then nothing more"
    return Parted.NOWHERE, ""


def _asked(event: Event) -> tuple[str, str]:
    """What an event says but its last word, and that: a request's answer."""
    asked, _, answer = event.text.rpartition(" ")
    return (asked, answer) if event.kind == "request" else (event.text, "")


def _on_a_live_device(first: CaseOutcome, alike: bool, subject: Subject, facts: Facts, seed: int) -> CaseOutcome:
    gone = _stays_away(subject, facts, seed)
    if gone is not None:
        return _went_away(first, gone)
    if first.blame is Blame.ENVIRONMENT and not (alike and _answers(subject, facts, seed)):
        return _undecided(first, f"the device could not be reached: {first.message}", Blame.ENVIRONMENT)
    if alike:
        return replace(first, blame=Blame.DRIVER)
    return replace(first, blame=Blame.INCONCLUSIVE)


def _went_away(first: CaseOutcome, gone: str) -> CaseOutcome:
    """It may have gone while the case ran: whatever a check made of that is no answer of the driver's."""
    said = f"could not be reached: {first.message}" if first.blame is Blame.ENVIRONMENT else f"went away: {gone}"
    return _undecided(first, f"the device {said}", Blame.ENVIRONMENT)


def _stays_away(subject: Subject, facts: Facts, seed: int) -> str | None:
    """What is said by a device that is out of reach and remains so; who watches over it gets a few seconds to start it again.
    A second run must not fail because of what the first one ended: that would be held against the driver."""
    until_ns = LiveClock().now_ns + COMES_BACK_NS
    while (gone := _gone(subject, facts, seed)) is not None and LiveClock().now_ns < until_ns:
        LiveClock.sleep_ns(LOOKS_AGAIN_NS)
    return gone


def _gone(subject: Subject, facts: Facts, seed: int) -> str | None:
    """What is said now by a device that is certainly out of reach; ``None`` for any other, also for one that answers badly."""
    bench = Bench(subject, facts, seed, "is-it-there")
    try:
        bench.client().describe(bench.uri("is-it-there"))
    except DeviceUnavailable as error:
        return error.message
    except (StorageError, Violation, Undecided):
        return None
    finally:
        bench.close()
    return None


def _answers(subject: Subject, facts: Facts, seed: int) -> bool:
    """Whether the device says now that an object is absent: then it was not out of reach a moment ago."""
    bench = Bench(subject, facts, seed, "is-it-there")
    try:
        bench.client().describe(bench.uri("is-it-there"))
    except ObjectNotFound:
        return True
    except (StorageError, Violation, Undecided):
        return False
    finally:
        bench.close()
    return False


def _undecided(outcome: CaseOutcome, reason: str, blame: Blame) -> CaseOutcome:
    own = outcome.result.id.partition("/")[0]
    result = replace(outcome.result, rule=own, verdict=Verdict.UNKNOWN, reason=reason)
    return replace(outcome, result=result, message=reason, blame=blame)
