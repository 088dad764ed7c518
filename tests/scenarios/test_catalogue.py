"""Every scenario of the catalogue comes to what it expects; each says where it comes from and stands where its class says."""

from __future__ import annotations

import os

import pytest

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.catalogue import paths, scenario
from storcert.scenarios.defects.defect import load
from storcert.scenarios.runner.run import run_scenario

#: More seeds than the scenarios' own, from 1 on, for whoever wants to look longer.
SEEDS = int(os.environ.get("STORCERT_SCENARIO_SEEDS", "0"))
NAMES = list(paths())
FAST = [name for name in NAMES if scenario(name).cost == "fast"]
SLOW = [name for name in NAMES if scenario(name).cost != "fast"]


def as_expected(name: str) -> None:
    asked = scenario(name)
    for seed in range(1, SEEDS + 1) if SEEDS else asked.seeds:
        found = run_scenario(asked, seed, keep=0)
        broken = [one.text for rule in found.rules if rule.verdict is not Verdict.PASS for one in rule.broken]
        assert found.verdict is Verdict.PASS, f"seed {seed}: {found.problems} {broken}"


@pytest.mark.parametrize("name", FAST)
def test_fast(name: str) -> None:
    as_expected(name)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SLOW)
def test_slow(name: str) -> None:
    as_expected(name)


def test_every_defect_that_no_story_tells_is_caught_by_a_scenario() -> None:
    caught = {found.defect.id for found in map(scenario, NAMES) if found.defect is not None}
    assert {defect.id for defect in load() if not defect.story} <= caught


@pytest.mark.parametrize("name", NAMES)
def test_its_form(name: str) -> None:
    asked = scenario(name)
    assert paths()[name].parent.name == asked.class_
    assert asked.name == name and asked.source and asked.story
    assert 1 <= asked.story.count(". ") + asked.story.endswith(".") <= 3, "two sentences"
    assert not asked.title.endswith(".") and "should" not in asked.title
