"""C-READ for the numbers that libraries use as words: -1 for "to the end". Newer than contract version 1, and not scored."""

from __future__ import annotations

from storcert.conformance.bench import Bench
from storcert.conformance.checks.read import RULE
from storcert.conformance.content import content
from storcert.conformance.observe import both
from storcert.conformance.registry import Level, check
from storcert.harness.contract import InvalidRequest


@check(RULE, profile=Level.STANDARD, standard=lambda f: ["0", "1", "100"], needs=["range_read"])
def minus_one_is_no_length(b: Bench, offset: str) -> None:
    """A length of -1 is negative and raises InvalidRequest, wherever the range begins: it does not mean to the end."""
    here, there = both(b)
    uri = b.uri()
    here.write(uri, content("minus one", b.facts.fit(100)))
    b.expect(InvalidRequest, lambda: there.open_input(uri, int(offset), -1))
