"""The mistakes of bundled drivers that are shipped with the package are those on which a scenario of the catalogue runs; each
is a mutant that the kit catches too, and no other row says the same."""

from __future__ import annotations

import tomllib

import pytest

from storcert.scenarios.catalogue import paths, scenario
from storcert.scenarios.defects.defect import DRIVERS, Defect, driver_rows, load, named, of_drivers, sources
from tests.mutants.mutant import ROWS, SUBJECTS
from tests.mutants.mutant import load as mutants


def test_they_are_those_that_scenarios_run_on() -> None:
    used = {asked.defect.id for asked in map(scenario, paths()) if asked.defect is not None}
    assert used >= {one.id for one in of_drivers()}, "a row that no scenario needs belongs to tests/mutants/rows"
    assert {named(identity).id for identity in used} == used


def test_each_stands_in_one_place() -> None:
    shipped = {one.id for one in of_drivers()}
    rows = [row["id"] for file in ROWS.rglob("*.toml") for row in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]]
    assert not shipped & set(rows) and not shipped & {one.id for one in load()}
    assert shipped <= {one.id for one in mutants()}
    assert set(DRIVERS) == set(SUBJECTS) and all(driver_rows(driver) for driver in DRIVERS)


@pytest.mark.parametrize("defect", of_drivers(), ids=lambda defect: defect.id)
def test_fits_the_driver_as_it_is(defect: Defect) -> None:
    for name, text in sources(defect).items():
        assert name.startswith("storcert.harness.drivers.")
        compile(text, name, "exec")
