"""Every scenario of the catalogue comes to what it expects; each says where it comes from and stands where its class says."""

from __future__ import annotations

import os

import pytest

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.catalogue import CLASSES, paths, scenario
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


@pytest.mark.parametrize("name", [name for name in NAMES if scenario(name).class_ == "negative"])
def test_without_its_defect_no_rule_breaks(name: str) -> None:
    asked = scenario(name)
    found = run_scenario(asked.model_copy(update={"class_": "smoke", "defect": None}), asked.seeds[0], elsewhere=True, keep=0)
    assert found.verdict is not Verdict.FAIL, (found.problems, [one.text for rule in found.rules for one in rule.broken])


def test_no_two_have_the_same_name() -> None:
    root = paths()[NAMES[0]].parent.parent
    assert len([path for folder in CLASSES for path in (root / folder).glob("*.toml")]) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_form(name: str) -> None:
    asked = scenario(name)
    assert paths()[name].parent.name == asked.class_
    assert asked.name == name and asked.source and asked.story
    assert 1 <= asked.story.count(". ") + asked.story.endswith(".") <= 3, "two sentences"
    assert not asked.title.endswith(".") and "should" not in asked.title
