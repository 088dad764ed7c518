"""Every defect planted in the control plane breaks its rule; without one, no story breaks any."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from storcert.harness.checkers.control_plane import RULES
from storcert.scenarios.defects.defect import Defect, Drifted, load, sources
from storcert.scenarios.defects.planting import planted
from tests.docs.scripts import script_of
from tests.mutants.control_plane.stories import BY_SCENARIOS, STORIES, broken

DEFECTS = load()
ROOT = Path(__file__).resolve().parents[3]
QUICK = [next(defect for defect in DEFECTS if defect.rule == rule) for rule in sorted(RULES)]


def found(defect: Defect | None, story: str, rule: str = "", says: str = "") -> str:
    """What breaks first in the story; only of that rule and in those words, where they are given."""
    with planted(defect):
        for one in broken(story):
            if rule in ("", one.rule) and says in one.text:
                return f"{one.rule}: {one.text}"
    return ""


@pytest.mark.mutants
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.id)
def test_breaks_its_rule(defect: Defect) -> None:
    assert found(defect, defect.story, defect.rule, defect.says), f"{defect.id} survives: {defect.sentence}"


@pytest.mark.parametrize("defect", QUICK, ids=lambda defect: defect.id)
def test_breaks_its_rule_every_day(defect: Defect) -> None:
    assert found(defect, defect.story, defect.rule, defect.says)


@pytest.mark.mutants
@pytest.mark.parametrize("story", sorted({*STORIES, *BY_SCENARIOS}))
def test_without_a_defect_no_story_breaks_a_rule(story: str) -> None:
    assert found(None, story) == ""


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.id)
def test_fits_the_control_plane_as_it_is(defect: Defect) -> None:
    for name, text in sources(defect).items():
        compile(text, name, "exec")


def test_a_defect_that_drifted_is_an_error() -> None:
    with pytest.raises(Drifted):
        sources(replace(DEFECTS[0], edits=(("logical.work", "no such text", ""),)))


def test_every_rule_has_defects() -> None:
    counts = Counter(defect.rule for defect in DEFECTS)
    assert sorted(counts) == sorted(RULES)
    assert len(DEFECTS) >= 45 and len({defect.id for defect in DEFECTS}) == len(DEFECTS)
    assert all(defect.story in {*STORIES, *BY_SCENARIOS} and defect.says for defect in DEFECTS)


def test_the_page_is_of_these_defects() -> None:
    script = script_of("make_defects")
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_defects.py"
