"""Runs a random sample of the checks of a verdict again, here and now, and compares what they come to.

Which checks are run is nobody's to know beforehand: the sample is drawn from the system's randomness unless a seed is given.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storcert.conformance.certify import WHOLE_RUN
from storcert.conformance.driver_source import find_driver
from storcert.conformance.leak_check import LEAK_CHECK
from storcert.conformance.live_targets.session import started as live_target
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.schedule import Job, run_cases
from storcert.conformance.usage import InvalidUsage
from storcert.reports.statement import Claim


@dataclass(frozen=True, slots=True)
class Rerun:
    """``ran``: the checks of the sample. ``different``: check, what the verdict says, what it came to now."""

    ran: tuple[str, ...]
    different: tuple[tuple[str, str, str], ...]


def rerun(
    claim: Claim, number: int, *, driver: str | None, configuration: Mapping[str, Any] | None, sample_seed: int | None
) -> Rerun:
    """Run so many of the decided checks again. ``configuration``: instead of the one in the verdict, which has no secrets.

    Raises :class:`InvalidUsage` where that cannot be done: the driver or the case is not there."""
    source = find_driver(driver or claim.driver_reference, claim.device)
    try:
        options = CertifyOptions(
            source, claim.device, configuration if configuration is not None else dict(claim.options["configuration"]),
            dict(claim.options["simulator"]), Profile(claim.profile), seed=claim.seed)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidUsage(f"the verdict does not say how its run was made: {error}") from None
    with live_target(options.device) as reached:
        return _run_again(claim, Job.of(options, reached), number, sample_seed)


def _run_again(claim: Claim, job: Job, number: int, sample_seed: int | None) -> Rerun:
    options = job.options
    said = dict.fromkeys(claim.tests["passedTests"], "pass") | dict.fromkeys(claim.tests["failedTests"], "fail")
    chosen = sample(list(said), number, sample_seed)
    facts = job.calibrate()
    there = {case.id: case for case in cases_for(facts, Level[options.profile.name])}
    missing = [name for name in chosen if name not in there]
    if missing:
        raise InvalidUsage(f"there is no {missing[0]} for this driver and kit")
    outcomes, interrupted = run_cases(job, facts, [there[name] for name in chosen], 1, None, SilentProgress())
    if interrupted:
        raise KeyboardInterrupt
    different = []
    for outcome in outcomes:
        name = outcome.result.id
        # A case that breaks another rule than its own decides nothing of its own, and is in no list.
        now = str(outcome.result.verdict) if outcome.result.rule == name.partition("/")[0] else f"fail of {outcome.result.rule}"
        if now != said[name]:
            different.append((name, said[name], now))
    return Rerun(tuple(chosen), tuple(different))


def sample(checks: Sequence[str], number: int, seed: int | None) -> list[str]:
    """So many of these checks, or all where there are fewer. A check over the whole run, and failures under another rule than
    their case's, are no cases of their own and are left out."""
    cases = sorted(name for name in checks if name not in (WHOLE_RUN, LEAK_CHECK) and ":" not in name.rpartition("]")[2])
    chooser = random.SystemRandom() if seed is None else random.Random(seed)
    return chooser.sample(cases, min(number, len(cases)))
