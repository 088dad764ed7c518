"""C-NAMES where a name is as long as it may be: every character of it counts. Newer than contract version 1, and not scored."""

from __future__ import annotations

from storcert.conformance.bench import Bench
from storcert.conformance.checks.names import PLAIN_MAX, RULE, stay_apart
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both
from storcert.conformance.registry import Level, check
from storcert.harness.contract.uri import SEGMENT_CHARACTERS_MAX

#: At so many places, and at the last one, a name differs from the others.
PLACES = 8


def _lengths(facts: Facts) -> list[str]:
    longest = min(facts.capabilities.max_name_bytes or SEGMENT_CHARACTERS_MAX, SEGMENT_CHARACTERS_MAX)
    return [f"{part}-{length}" for length in sorted({PLAIN_MAX, longest}) for part in ("object", "account", "both")]


@check(RULE, profile=Level.STANDARD, standard=_lengths, simulation=True)
def long_names_in_full(b: Bench, case: str) -> None:
    """Names as long as any may be, and as long as the driver takes, that differ in one place are several objects."""
    part, _, text = case.partition("-")
    length = int(text)
    here, there = both(b)
    places = sorted({*range(0, length, length // PLACES), length - 1})
    names = ["x" * at + "y" + "x" * (length - at - 1) for at in places]
    account = b.uri("a").account
    uris = [b.uri(name if part != "account" else "a", name if part != "object" else account) for name in names]
    stay_apart(b, here, there, uris)
