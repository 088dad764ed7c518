"""The requirement set: enough of it, every rule covered twice, every case with a name of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from storcert.conformance import registry
from storcert.conformance.frozen import RequirementSet
from storcert.conformance.registry import CHECKS, Level, cases_for, check
from storcert.conformance.rules import DRIVER_RULES
from storcert.harness.contract import Capabilities
from tests.conformance import block_kit
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import facts_of

GENERATED = "programs-hold"
OPTIONAL_RULES = ("C-SNAP", "C-REVERT", "C-CLONE", "C-DEPEND", "C-VOLUME")
APPLYING = sorted(rule.id for rule in DRIVER_RULES if rule.id not in OPTIONAL_RULES)


@pytest.fixture
def own_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CHECKS", dict(CHECKS))


def test_a_core_run_of_the_s3_driver_has_at_least_250_cases() -> None:
    assert len(cases_for(facts_of(), Level.CORE)) >= 250


@pytest.mark.parametrize("rule", APPLYING)
def test_every_rule_has_directed_and_generated_cases_that_run(rule: str) -> None:
    checks = [case.check for case in cases_for(facts_of(), Level.STANDARD) if not case.check.missing(facts_of())]
    names = {one.name for one in checks if one.rule == rule}
    assert names - {GENERATED}, "no directed check"
    # What files a driver touches is collected over every program of the run, whatever rule it leans to.
    assert GENERATED in names or rule == "C-NOFS"


@pytest.mark.parametrize("rule", OPTIONAL_RULES)
def test_every_optional_rule_has_cases_that_run_where_it_is_declared_and_none_where_not(rule: str) -> None:
    checks = [one for one in CHECKS.values() if one.rule == rule]
    assert len([one for one in checks if not one.missing(block_kit.facts_of())]) >= 6
    assert not [one for one in checks if not one.missing(facts_of())]


def test_every_check_belongs_to_a_rule_of_the_contract() -> None:
    assert {one.rule for one in CHECKS.values()} <= {rule.id for rule in DRIVER_RULES}


@pytest.mark.parametrize("level", list(Level))
def test_case_ids_are_unique_and_deeper_profiles_contain_the_others(level: Level) -> None:
    ids = [case.id for case in cases_for(facts_of(), level)]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    if level > Level.CORE:
        assert set(ids) > {case.id for case in cases_for(facts_of(), Level(level - 1))}


def test_every_check_says_in_one_line_what_it_requires() -> None:
    for one in CHECKS.values():
        assert len(one.description.split()) >= 3, one.id
        assert one.description[0].isupper() or one.description.split()[0].strip(":,()").islower(), one.id
        assert one.description.endswith("."), one.id


def test_the_order_does_not_depend_on_import_order(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [case.id for case in cases_for(facts_of(), Level.STANDARD)]
    monkeypatch.setattr(registry, "CHECKS", dict(reversed(CHECKS.items())))
    assert [case.id for case in cases_for(facts_of(), Level.STANDARD)] == ids


class TestRegistering:
    def test_two_checks_of_one_name_are_refused(self, own_checks: None) -> None:
        def once(b: Any) -> None:
            """Something holds."""

        check("C-READ")(once)
        with pytest.raises(ValueError, match="two checks are called C-READ/once"):
            check("C-READ")(once)

    def test_a_check_without_a_sentence_is_refused(self, own_checks: None) -> None:
        def silent(b: Any) -> None: ...

        with pytest.raises(ValueError, match="C-READ/silent does not say"):
            check("C-READ")(silent)

    def test_values_give_one_case_each_and_only_in_their_profile(self, own_checks: None) -> None:
        def sized(b: Any, size: int) -> None:
            """Something holds at a size."""

        check("C-READ", core=lambda f: [1, 2], standard=lambda f: [2, 3])(sized)
        for level, expected in ((Level.CORE, ["1", "2"]), (Level.STANDARD, ["1", "2", "3"])):
            found = [case.label for case in cases_for(facts_of(), level) if case.check.name == "sized"]
            assert found == expected


class TestDigest:
    def test_it_changes_when_a_check_changes(self, own_checks: None) -> None:
        before = RequirementSet.registered().digest
        name = "C-READ/whole-object" if "C-READ/whole-object" in CHECKS else min(CHECKS)
        seen = {before}
        for change in (
            lambda one: replace(one, function=_another),
            lambda one: replace(one, profile=Level.DEEP),
            lambda one: replace(one, needs=("snapshots",)),
        ):
            registry.CHECKS[name] = change(CHECKS[name])
            seen.add(RequirementSet.registered().digest)
        registry.CHECKS.pop(name)
        seen.add(RequirementSet.registered().digest)
        assert len(seen) == 5
        registry.CHECKS[name] = CHECKS[name]
        assert RequirementSet.registered().digest == before

    def test_it_does_not_depend_on_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = RequirementSet.registered().digest
        monkeypatch.setattr(registry, "CHECKS", dict(reversed(CHECKS.items())))
        assert RequirementSet.registered().digest == before


def _another(b: Any) -> None:
    """Something else."""


class TestMissing:
    def test_capabilities_and_modes_give_their_reason(self) -> None:
        needs_copy = next(one for one in CHECKS.values() if "on_device_copy" in one.needs)
        needs_simulation = next(one for one in CHECKS.values() if one.simulation and not one.needs)
        simulated = facts_of()
        assert needs_copy.missing(simulated) == needs_simulation.missing(simulated) == ""
        bare = replace(simulated, capabilities=Capabilities())
        assert needs_copy.missing(bare) == "capability on_device_copy is not declared"
        assert needs_simulation.missing(facts_of(MemoryDriver)) == "the driver makes no request to the simulated device"
        assert needs_simulation.missing(replace(simulated, mode="live")) == "a live device cannot show this"
