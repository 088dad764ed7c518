"""Whose it is that a rule broke in a run of a scenario: asked for a few of the runs that went wrong, as it takes more runs.

How it is decided stands in :mod:`storcert.scenarios.explore.blame`; whose an error is, in :mod:`storcert.conformance.blame`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from storcert.conformance.scenario_schedule import Ran
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.blame import BlameTask
from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.result import EXPECTED
from storcert.scenarios.runner.resolve import resolve

BLAMED_MAX = 3
"""So many seeds of one scenario on one set of devices: the others fail alike, or show something new when these are mended."""


def with_blame(rans: Sequence[Ran], whole: bool) -> tuple[list[Ran], bool]:
    """The same runs; of the first of each scenario in which rules broke, whose it is; and whether an interrupt cut that short.
    ``whole``: runs went on to their end, without which nothing can be held against another run."""
    found: list[Ran] = []
    try:
        for ran in _with_blame(rans, whole):
            found.append(ran)
    except KeyboardInterrupt:
        return [*found, *rans[len(found) :]], True
    return found, False


def _with_blame(rans: Iterable[Ran], whole: bool) -> Iterator[Ran]:
    asked: Counter[tuple[int, int]] = Counter()
    for ran in rans:
        rules = _broken(ran)
        if not rules or not whole or asked[ran.scenario, ran.variant] >= BLAMED_MAX:
            yield ran
            continue
        asked[ran.scenario, ran.variant] += 1
        assert ran.result is not None
        scenario = loosened(resolve(ran.substituted.scenario, ran.seed))
        with installed():
            yield replace(ran, blamed=BlameTask(scenario, ran.seed, rules, ran.result.digest).do(None))


def _broken(ran: Ran) -> tuple[str, ...]:
    """Rules that broke in a run without a planted defect. What a scenario expects of its steps is its author's affair; that a
    region comes to rest and raises nothing of its own is expected of all."""
    if ran.result is None or ran.result.played is None:
        return ()
    rules = [one.rule for one in ran.result.rules if one.verdict is Verdict.FAIL]
    restless = bool(ran.result.played.unrest or ran.result.played.failures)
    return (*rules, EXPECTED) if restless else tuple(rules)
