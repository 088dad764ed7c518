"""Verdicts: what is not as expected is told, and a planted defect that nobody notices too."""

from __future__ import annotations

import pytest

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.defects.defect import UnknownDefect
from storcert.scenarios.format.read import loads
from storcert.scenarios.result import ScenarioResult
from storcert.scenarios.runner.run import run_scenario
from tests.scenarios.runner.test_play import PREPARED

MOVE = PREPARED + 'step = [{ do = "migrate", object = "volume/a", device = "new" }]\n'


def run(text: str) -> ScenarioResult:
    return run_scenario(loads(text), 1)


def test_as_expected() -> None:
    found = run(MOVE)
    assert (found.verdict, found.problems, found.planted) == (Verdict.PASS, (), None)
    assert {rule.verdict for rule in found.rules} == {Verdict.PASS, Verdict.SKIPPED}


NOT_AS_EXPECTED = {
    "step": (MOVE.replace('"migrate"', '"migrate", expect = "ObjectInUse"'), "ended done; expected: ObjectInUse"),
    "error": (MOVE.replace('"volume/a", device = "new"', '"volume/b", device = "new"'), "ended ObjectNotFound"),
    "check": (MOVE + 'afterwards = [{ do = "check", object = "volume/a", on = ["old"] }]', "it is ready on new, not on old"),
    "fault": (MOVE + 'fault = [{ place = "images", fault = "throttle", operation = "PutObject" }]', "the fault never struck"),
    "late": (MOVE + 'fault = [{ place = "new", fault = "slow", start = "1 d" }]', "the fault never struck"),
    "operations": (MOVE + "expect = { operations_done_min = 1 }", "0 operations were done, at least 1 were expected"),
}


@pytest.mark.parametrize("case", NOT_AS_EXPECTED)
def test_not_as_expected(case: str) -> None:
    text, said = NOT_AS_EXPECTED[case]
    found = run(text)
    assert found.verdict is Verdict.FAIL and any(said in problem for problem in found.problems), found.problems


def test_nothing_to_look_at_is_no_pass() -> None:
    found = run(MOVE + 'expect = { decided = ["L-STAGING"] }')
    assert found.verdict is Verdict.UNKNOWN


DEFECT = 'defect = { id = "moved-before-copied", breaks = "L-SOURCE", says = "before it was seen on" }\n'


def test_negative_runs_on_the_defect_only() -> None:
    found = run(f'class = "negative"\n{DEFECT}{MOVE}')
    assert (found.verdict, found.played) == (Verdict.PASS, None)
    assert [(rule.rule, rule.verdict) for rule in found.rules] == [("L-SOURCE", Verdict.PASS)]
    assert "before it was seen on" in found.rules[0].broken[0].text


def test_regression_runs_both_ways() -> None:
    found = run(f'class = "regression"\n{DEFECT}{MOVE}')
    assert found.verdict is Verdict.PASS
    assert found.played is not None and found.planted is not None and found.played.digest != found.planted.digest


@pytest.mark.parametrize("kind", ["negative", "regression"])
def test_a_defect_that_survives_fails(kind: str) -> None:
    words = run(f'class = "{kind}"\n{DEFECT.replace("before it", "after it")}{MOVE}')
    assert words.verdict is Verdict.FAIL and "breaks in other words" in words.problems[0]
    other = run(f'class = "{kind}"\n{DEFECT}{PREPARED}')
    assert other.verdict is Verdict.FAIL and "survives: L-SOURCE holds" in other.problems[0]


def test_on_other_devices_and_half_way_a_defect_need_not_show() -> None:
    negative = loads(f'class = "negative"\n{DEFECT}{PREPARED}')
    for found in (run_scenario(negative, 1, elsewhere=True), run_scenario(negative, 1, 10**6)):
        assert (found.verdict, found.problems) == (Verdict.UNKNOWN, ())
    regression = run_scenario(loads(f'class = "regression"\n{DEFECT}{PREPARED}'), 1, elsewhere=True)
    assert (regression.verdict, regression.planted) == (Verdict.PASS, None)


def test_a_defect_may_break_what_a_scenario_expects() -> None:
    defect = DEFECT.replace("L-SOURCE", "EXPECTED").replace("moved-before-copied", "nfs-commit-last-chunk-lost")
    text = f'class = "regression"\n{defect.replace("before it was seen on", "bytes are there, 3000000 were due")}{MOVE}'
    found = run(text.replace("rbd", "nfs").replace('"64 KiB"', "3000000"))
    assert found.verdict is Verdict.PASS, found.problems
    assert found.planted is not None and not any(finding.broken for finding in found.planted.findings)
    survives = run(f'class = "negative"\n{DEFECT.replace("L-SOURCE", "EXPECTED")}{MOVE}')
    assert survives.verdict is Verdict.FAIL and "EXPECTED breaks in other words" in survives.problems[0]
    holds = run(f'class = "negative"\n{defect}{PREPARED}')
    assert holds.verdict is Verdict.FAIL and "EXPECTED holds" in holds.problems[0]


def test_afterwards_all_is_as_it_was() -> None:
    before = run(MOVE)
    run(f'class = "negative"\n{DEFECT}{MOVE}')
    assert run(MOVE).digest == before.digest


def test_no_such_defect() -> None:
    with pytest.raises(UnknownDefect):
        run(f'class = "negative"\n{DEFECT.replace("moved-before-copied", "nobody")}{MOVE}')
