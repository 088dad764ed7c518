"""C-ABORT where much has been sent: several parts, each of which must go. Newer than contract version 1, and not scored."""

from __future__ import annotations

from storcert.conformance.bench import Bench
from storcert.conformance.checks.abort import RULE
from storcert.conformance.content import content
from storcert.conformance.observe import both, require_absent
from storcert.conformance.registry import Level, check
from storcert.conformance.violation import require
from storcert.harness.contract import SizeMismatch

PARTS = 4
ENDS = ("abort", "close", "raise", "drop", "mismatch")


@check(RULE, profile=Level.STANDARD, standard=lambda f: ENDS, simulation=True)
def every_part_goes(b: Bench, end: str) -> None:
    """Nothing is left of a stream that sent several parts and is given up, or is dropped and its URI deleted."""
    here, there = both(b)
    uri, size = b.uri(), b.facts.fit(PARTS * b.facts.part_bytes + 1)
    before, data = b.census(), content("x", size)
    if end == "mismatch":
        try:
            here.write(uri, data, size=b.facts.fit(size - b.facts.capabilities.size_granularity_bytes))
        except SizeMismatch:
            pass
        else:
            require(False, "a commit of more bytes than were announced succeeded", "C-COMMIT")
    else:
        here.write(uri, data, end=end)
    if end == "drop":
        there.delete(uri)
    require_absent(there, uri)
    b.require_same_census(before, f"after {end} of {PARTS} parts")
