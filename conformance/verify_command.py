"""``storcert verify``: asks a signed verdict every question there is, and tells each answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storcert.conformance import commands
from storcert.conformance.options import Profile
from storcert.conformance.sign_command import signatures
from storcert.conformance.usage import InvalidUsage
from storcert.conformance.verdict_check import (
    claim_questions,
    driver_question,
    failed,
    kit_question,
    not_checked,
    ok,
    record_question,
)
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verification import Question, Refusal, Verification
from storcert.reports import badge, verification_text
from storcert.reports.statement import PAYLOAD_TYPE, Claim, NotStatable, read_statement
from storcert.reports.text import count, one_line

SAMPLE_MAX = 10_000
SHOWN = 3


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """``keys``: public ones, any of which may have signed. ``profile``: the least that will do. ``rerun``: so many checks are
    run again; ``config``: with that file's configuration. ``now``: for tests and for looking back."""

    keys: tuple[Path, ...]
    record: Path | None = None
    driver: str | None = None
    config: Path | None = None
    max_age: timedelta | None = None
    profile: Profile = Profile.STANDARD
    rerun: int = 0
    sample_seed: int | None = None
    now: datetime | None = None
    json: Path | None = None
    badge: Path | None = None

    def check(self) -> None:
        """Raises :class:`InvalidUsage` for what makes no sense."""
        if not self.keys:
            raise InvalidUsage("--key: name the public key of whoever signs; without it a signature proves nothing")
        if not 0 <= self.rerun <= SAMPLE_MAX:
            raise InvalidUsage(f"--rerun {self.rerun}: how many checks, from 0 to {SAMPLE_MAX:,}")
        if not self.rerun and (self.sample_seed is not None or self.config is not None):
            raise InvalidUsage("--sample-seed and --config go with --rerun")


def verify(path: Path, options: VerifyOptions) -> int:
    """Check, print, write; 0 where the verdict holds, 1 where it does not."""
    options.check()
    record = commands.stored(options.record) if options.record is not None else None
    now = options.now or datetime.now(UTC)
    claim, found = examine(path, options, record, now)
    commands.print_text(verification_text.render(found))
    if options.json is not None:
        commands.write_file(options.json, verification_text.to_text(found))
    if options.badge is not None:
        commands.write_file(options.badge, _badge(claim, found, now))
    return found.exit_code()


def examine(
    path: Path, options: VerifyOptions, record: RunRecord | None, now: datetime
) -> tuple[Claim | None, Verification]:
    """What the verdict claims (``None`` where nothing in it may be believed), and every answer."""
    module = signatures()
    envelope = module.opened(path)
    try:
        keyid = module.check_signature(envelope, options.keys)
    except module.BadSignature as error:
        asked = [failed("signature", Refusal(error.reason), str(error)), not_checked("everything else", "it is not signed")]
        return None, Verification(path.name, tuple(asked))
    asked = [ok("signature", f"ed25519, key {keyid[:16]}")]
    try:
        if envelope.payload_type != PAYLOAD_TYPE:
            raise NotStatable(f"its type is {one_line(envelope.payload_type, 60)}")
        claim = read_statement(envelope.payload)
    except NotStatable as error:
        asked.append(failed("statement", Refusal.NOT_A_VERDICT, str(error)))
        return None, Verification(path.name, tuple(asked))
    asked += claim_questions(claim, now, options.max_age, options.profile)
    asked += [driver_question(claim, options.driver), kit_question(claim), record_question(claim, record)]
    asked += _rerun(claim, options)
    subject = f"{claim.driver} {claim.driver_version}".strip() + f" on {claim.device} ({claim.device_mode})"
    return claim, Verification(subject, tuple(asked))


def _rerun(claim: Claim, options: VerifyOptions) -> Iterator[Question]:
    if not options.rerun:
        yield not_checked("rerun", "not asked for (--rerun N)")
        return
    from storcert.conformance.configuration import read_config
    from storcert.conformance.rerun import rerun

    configuration = read_config(options.config).configuration if options.config is not None else None
    try:
        found = rerun(
            claim, options.rerun, driver=options.driver, configuration=configuration, sample_seed=options.sample_seed)
    except InvalidUsage as error:
        yield failed("rerun", Refusal.RERUN_IMPOSSIBLE, str(error))
        return
    if not found.ran:
        yield failed("rerun", Refusal.RERUN_IMPOSSIBLE, "the verdict has no check that can be run by itself")
    elif found.different:
        told = "; ".join(f"{name} is {now}, the verdict says {said}" for name, said, now in found.different[:SHOWN])
        message = f"{len(found.different)} of {count(len(found.ran), 'check')} come to something else: {told}"
        yield failed("rerun", Refusal.RERUN_DIFFERS, message)
    else:
        shown = ", ".join(found.ran[:SHOWN]) + (", ..." if len(found.ran) > SHOWN else "")
        yield ok("rerun", f"{count(len(found.ran), 'check')} of {sum(map(len, claim.tests.values())):,} run again: {shown}")


def _badge(claim: Claim | None, found: Verification, now: datetime) -> str:
    """The badge of a verdict: grey as soon as anything about it does not hold but that it says no."""
    if claim is None:
        return badge.drawn("storcert", "not verified", badge.GREY)
    words = [claim.verdict.replace("_", " "), claim.profile, f"kit {claim.kit_version}", claim.certified.date().isoformat()]
    stale = {Refusal.EXPIRED, Refusal.TOO_OLD} & set(found.refusals)
    broken = set(found.refusals) - {Refusal.NOT_CONFORMANT, Refusal.EXPIRED, Refusal.TOO_OLD}
    color = badge.GREEN if claim.verdict == "conformant" else badge.RED
    label = f"storcert {claim.driver}"
    if broken:
        return badge.drawn(label, f"not verified: {', '.join(sorted(broken))}", badge.GREY)
    return badge.drawn(label, " · ".join(words), color, expired=bool(stale) or now > claim.expires)
