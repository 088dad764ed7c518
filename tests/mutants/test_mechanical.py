"""The bank of mechanical changes: how it stands to its stored ends, and that whatever survives is explained by a person."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.mechanical import KINDS, all_changes, bank, changes_of, end_of, explained, stored, without_line
from tests.mutants.mutant import SUBJECTS

CHANGES = all_changes()
ENDS = stored()
EXPLAINED = explained()
ELSEWHERE = [one for one in EXPLAINED.values() if one.kind == "elsewhere"]


def test_ends_are_of_changes_that_can_still_be_made() -> None:
    gone = [identity for identity in ENDS if without_line(identity) not in CHANGES]
    assert gone == [], "that line was edited: take away end and explanation, and run: python -m tests.mutants.mechanical"
    assert all(end["change"] == CHANGES[without_line(identity)].told for identity, end in ENDS.items())


def test_the_bank_has_at_least_forty() -> None:
    found = [change for driver in SUBJECTS for change in bank(driver)]
    assert len({change.id for change in found}) == len(found) >= 40


def test_every_survivor_is_explained_and_nothing_else() -> None:
    assert {identity for identity, end in ENDS.items() if not end["case"]} == set(EXPLAINED)
    for one in EXPLAINED.values():
        assert one.kind in KINDS and len(one.why) > 40, one.id
        assert bool(one.case) == (one.kind == "elsewhere"), one.id


def test_nothing_ended_in_trouble_of_the_kit() -> None:
    """A change that only keeps the kit from deciding is no survivor that anybody explained."""
    assert [identity for identity, end in ENDS.items() if not end["case"] and end["trouble"]] == []


def test_a_change_changes_one_place() -> None:
    source = "def one(a, b):\n    if a < b and not b:\n        go(1)\n    return a * (b - 2)\n"
    made = {" ".join(f"{change.kind}: {change.told}".split()) for change in changes_of("s3", "s3", source)}
    assert made == {
        "comparison: < -> <=", "boolean: and -> or", "constant: 1 -> 2", "constant: 2 -> 3",
        "condition: a < b and not b -> not (a < b and not b)",
        "dropped call: go(1) -> pass", "arithmetic: * ( -> // (", "arithmetic: - -> +",
    }  # fmt: skip
    for change in changes_of("s3", "s3", source):
        assert ast.dump(ast.parse(change.mutant().edits[0][2])) != ast.dump(ast.parse(source))


@pytest.mark.mutants
@pytest.mark.parametrize("one", ELSEWHERE, ids=lambda one: one.id)
def test_what_another_configuration_shows_is_shown(one: object) -> None:
    survivor = EXPLAINED[one.id]  # type: ignore[attr-defined]
    assert end_of(CHANGES[without_line(survivor.id)], survivor.case, survivor.at).case == survivor.case
