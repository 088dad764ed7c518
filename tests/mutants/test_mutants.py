"""The kit catches planted bugs, each by the rule it breaks; and lets the driver pass that has none, whatever the seed."""

from __future__ import annotations

import json
import os
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from storcert.conformance.registry import CHECKS, Level, cases_for
from storcert.conformance.runner import run_case
from storcert.conformance.schedule import fence
from storcert.harness.record.verdict import Verdict
from tests.docs.scripts import script_of
from tests.mutants.kill import kill, planted
from tests.mutants.mutant import LEAST, SUBJECTS, Drifted, Mutant, load, sources
from tests.mutants.seeds import mutant_seeds
from tests.mutants.threaded import rows

MUTANTS = load()
DOCS = Path(__file__).resolve().parents[2] / "docs"
RULES = sorted({one.rule for one in CHECKS.values()})
#: Only generated cases and interleavings depend on the seed: a few of core here, and one of standard for the quickest driver;
#: a change waits for minutes and not for half an hour. `tox -e seeds` asks for many of both and of all drivers.
MORE = int(os.environ.get("STORCERT_SEEDS", "0"))
RUNS = [(driver, Level.CORE, seed) for seed in range(100, 100 + (MORE or 2)) for driver in SUBJECTS]
IN_STANDARD = tuple(SUBJECTS) if MORE else ("s3",)
RUNS += [(driver, Level.STANDARD, seed) for seed in range(200, 200 + (MORE // 4 or 1)) for driver in IN_STANDARD]


def _dies(mutant: Mutant, seed: int = 0) -> None:
    found = kill(mutant, seed)
    assert found.case, f"{mutant.id} survives: {mutant.sentence}\n" + "\n".join(found.others)


@pytest.mark.mutants
@pytest.mark.parametrize("seed", mutant_seeds())
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_is_caught_for_the_right_reason(mutant: Mutant, seed: int) -> None:
    _dies(mutant, seed)


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.quick], ids=lambda mutant: mutant.id)
def test_is_caught_every_day(mutant: Mutant) -> None:
    _dies(mutant)


@pytest.mark.mutants
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("driver, level, seed", RUNS)
def test_the_correct_driver_passes_with_any_seed(driver: str, level: Level, seed: int) -> None:
    with planted(None, seed, driver) as (subject, facts), fence("simulated"):
        for case in cases_for(facts, level):
            outcome = run_case(case, subject, facts, seed)
            assert outcome.result.verdict in (Verdict.PASS, Verdict.SKIPPED), (case.id, outcome.message, outcome.result.steps)


def test_a_mutant_without_its_bug_is_not_caught() -> None:
    harmless = replace(MUTANTS[0], id="harmless", edits=(("s3", "class S3Driver:\n", "class S3Driver:\n    # nothing\n"),))
    assert not kill(replace(harmless, rule="C-DESCRIBE", check="C-DESCRIBE/missing")).case


def test_a_mutant_that_drifted_is_an_error() -> None:
    with pytest.raises(Drifted):
        sources(replace(MUTANTS[0], edits=(("s3", "no such text", ""),)))
    with pytest.raises(Drifted):
        sources(replace(MUTANTS[0], edits=(("s3", "self._bucket", ""),)))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_fits_the_driver_as_it_is(mutant: Mutant) -> None:
    original = sources(None, mutant.driver)
    changed = {stem: text for stem, text in sources(mutant).items() if text != original[stem]}
    assert changed
    for stem, text in changed.items():
        compile(text, f"{stem}.py", "exec")


def test_every_rule_has_mutants() -> None:
    counts = Counter(mutant.rule for mutant in MUTANTS)
    assert sorted(counts) == RULES and min(counts.values()) >= 2
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)
    assert all(mutant.check.partition("[")[0] in CHECKS and mutant.says for mutant in MUTANTS)


@pytest.mark.parametrize("driver", sorted(LEAST))
def test_every_driver_has_mutants(driver: str) -> None:
    assert sum(mutant.driver == driver for mutant in MUTANTS) >= LEAST[driver]


def test_every_entry_of_the_catalogue_has_a_mutant_or_a_reason() -> None:
    entries = tomllib.loads((Path(__file__).parent / "entries.toml").read_text(encoding="utf-8"))
    made = {bug for mutant in MUTANTS for bug in mutant.bug.replace(",", " ").split()}
    assert len({*entries["seen"], *entries["unseen"]}) == 95
    assert made & set(entries["unseen"]) == set()
    assert set(entries["seen"]) - made == set()
    assert made <= set(entries["seen"])
    assert all(len(why) > 40 for why in entries["unseen"].values())


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return script_of("make_kill_matrix")


def test_the_page_is_of_these_mutants(script: ModuleType) -> None:
    stored = json.loads((DOCS / "kill-matrix.json").read_text(encoding="utf-8"))
    threads = {row.id: script.threaded_digest(row) for row in rows()}
    assert {one: end["row"] for one, end in stored["threads"].items()} == threads
    assert all(end["case"] for end in stored["threads"].values())
    assert {one: end["row"] for one, end in stored["mutants"].items()} == {one.id: script.row_digest(one) for one in MUTANTS}
    assert all(end["case"] for end in stored["mutants"].values())
    assert sorted(stored["checks"]) == script.in_standard()
    assert all(stored["checks"].values())
    assert script.page(stored) == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_kill_matrix.py --keep"


def test_every_check_is_the_one_that_catches_a_mutant(script: ModuleType) -> None:
    """To fail with one that another check was made for proves little; only generated programs look everywhere."""
    stored = json.loads((DOCS / "kill-matrix.json").read_text(encoding="utf-8"))
    catching = {end["case"].partition("[")[0] for bank in ("mutants", "threads") for end in stored[bank].values()}
    assert [one for one in script.in_standard() if not one.endswith("/programs-hold") and one not in catching] == []
