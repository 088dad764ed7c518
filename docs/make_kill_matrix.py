"""Writes docs/kill-matrix.md: which check of the kit catches which planted bug of a bundled driver. docs/rules name them too.

    python docs/make_kill_matrix.py           run every mutant, then write
    python docs/make_kill_matrix.py --new     run those that are new or changed, then write
    python docs/make_kill_matrix.py --keep    write from the stored results

What became of changes that a machine made is stored by ``python -m tests.mutants.mechanical``, and only shown here.
Times are left out: they differ between machines.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs import make_rules  # noqa: E402
from storcert.conformance.registry import CHECKS, Level  # noqa: E402
from tests.mutants import mechanical  # noqa: E402
from tests.mutants.kill import kill, trips  # noqa: E402
from tests.mutants.mutant import Mutant, load  # noqa: E402
from tests.mutants.threaded import Row, kill_threaded  # noqa: E402
from tests.mutants.threaded import rows as threaded_rows  # noqa: E402

PAGE = ROOT / "docs" / "kill-matrix.md"
RESULTS = ROOT / "docs" / "kill-matrix.json"
WORKERS = 2
HEAD = """# Kill matrix

Made by `python docs/make_kill_matrix.py`, do not edit.

Each mutant is a bundled driver with one mistake that a vendor could make, many of them after real defects (the ids in the
second column). It counts as caught only where the named rule fails, in words that tell of this mistake, within the cases of
profile `standard`. *Examples* is how many were run until then, beginning with the check that was expected to catch it.

"""
THREADS_HEAD = """
## Drivers that use threads: {count} mutants

Correct drivers that hand the parts of an object to threads, each with one mistake in how the threads work together.

| mutant | driver | what the vendor got wrong | rule | caught by | examples |
|---|---|---|---|---|---|
"""
MECHANICAL_HEAD = """
## What a machine changed: {count} changes

A second bank, that nobody thought of: one operator, constant, condition or call of a bundled driver's source is changed; a
fixed seed draws which. {killed} are caught, by whichever check fails first. {survived} are not, with the usual configuration of
driver and device; a person has looked at each.

| change | from and to | caught by | examples |
|---|---|---|---|
"""
SURVIVORS_HEAD = """
| survives | from and to | which is | why |
|---|---|---|---|
"""
SURVIVORS = {
    "equivalent": "no difference that anybody could see", "unseen": "nothing that the contract speaks of",
    "elsewhere": "seen with another configuration", "hole": "**a hole of the kit**",
}
UNSEEN_HEAD = """
## Defects without a mutant

Every other entry of the catalogue of 95 real defects has at least one.

| entry | why the kit cannot see it |
|---|---|
"""
CHECKS_HEAD = """
## Every check can fail

A check that nothing fails says nothing. For each check with cases in profile `standard`, a mutant that it caught, in words
that tell of that mistake; generated programs (`programs-hold`) may have one here that another check was first to catch:

| check | failed by |
|---|---|
"""


def row_digest(mutant: Mutant) -> str:
    """Changes with everything that decides what a mutant is and who must catch it."""
    parts = [mutant.id, mutant.rule, mutant.check, mutant.says, mutant.edits, mutant.configuration, mutant.simulator]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def threaded_digest(row: Row) -> str:
    """As :func:`row_digest`."""
    parts = [row.id, row.file, row.check, row.rule, row.says, row.edit]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def run_threaded(number: int) -> dict[str, Any]:
    """The end of a mutant with threads, as it is stored."""
    row = threaded_rows()[number]
    with tempfile.TemporaryDirectory() as folder:
        found = kill_threaded(row, Path(folder))
    return {"row": threaded_digest(row), "case": found.case, "examples": found.examples}


def run(number: int) -> dict[str, Any]:
    """One mutant's end, as it is stored."""
    mutant = load()[number]
    found = kill(mutant)
    return {"row": row_digest(mutant), "case": found.case, "examples": found.examples}


def failed_by(check: str, known: Mapping[str, str]) -> str:
    """A mutant that fails ``check``: those of its rule are tried first, then the others of drivers that have the rule."""
    if check in known:
        return known[check]
    rule = check.partition("/")[0]
    mutants = load()
    able = {one.driver for one in mutants if one.rule == rule}
    for mutant in sorted(mutants, key=lambda one: (one.rule != rule, not one.quick)):
        if mutant.driver in able and trips(check, mutant):
            return mutant.id
    return ""


def in_standard() -> list[str]:
    """The checks that have cases in profile standard."""
    return sorted(
        check
        for check, one in CHECKS.items()
        if one.profile <= Level.STANDARD and (not one.values or any(level <= Level.STANDARD for level, _ in one.values))
    )


def results(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Run everything that ``stored`` does not have, or has of another row; what is done is kept as it comes."""
    mutants = load()
    kills = {
        one.id: stored["mutants"][one.id]
        for one in mutants
        if stored["mutants"].get(one.id, {}).get("row") == row_digest(one) and stored["mutants"][one.id]["case"]
    }
    checks = {check: mutant for check, mutant in stored["checks"].items() if mutant in kills}
    due = [number for number, mutant in enumerate(mutants) if mutant.id not in kills]
    rows = threaded_rows()
    threads = {
        one.id: stored["threads"][one.id]
        for one in rows
        if stored["threads"].get(one.id, {}).get("row") == threaded_digest(one) and stored["threads"][one.id]["case"]
    }
    due_threads = [number for number, row in enumerate(rows) if row.id not in threads]
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        for number, end in zip(due_threads, pool.map(run_threaded, due_threads), strict=True):
            threads[rows[number].id] = end
            save(kills, checks, threads)
        for number, end in zip(due, pool.map(run, due), strict=True):
            kills[mutants[number].id] = end
            save(kills, checks, threads)
        # In the order of the rows, so that it is the same one whatever was run this time.
        checks |= {kills[one.id]["case"].partition("[")[0]: one.id for one in reversed(mutants) if kills[one.id]["case"]}
        wanted = in_standard()
        for check, mutant in zip(wanted, pool.map(partial(failed_by, known=dict(checks)), wanted), strict=True):
            checks[check] = mutant
            save(kills, checks, threads)
    return {"kills": kills, "checks": {check: checks[check] for check in wanted}, "threads": threads}


def save(kills: Mapping[str, Any], checks: Mapping[str, str], threads: Mapping[str, Any]) -> None:
    """Write what is known so far: ``--new`` goes on from there."""
    value = {"mutants": kills, "checks": checks, "threads": threads}
    RESULTS.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def section(driver: str, mutants: Sequence[Mutant], stored: Mapping[str, Any]) -> list[str]:
    """The table of one driver's mutants."""
    lines = [f"\n## Driver {driver}: {len(mutants)} mutants\n\n"]
    lines += ["| mutant | after | what the vendor got wrong | rule | caught by | examples |\n|---|---|---|---|---|---|\n"]
    for mutant in mutants:
        end = stored["mutants"][mutant.id]
        case = end["case"].replace("|", "\\|")
        by = f"`{case}`" if case else "**survives**"
        lines.append(f"| {mutant.id} | {mutant.bug} | {mutant.sentence} | {mutant.rule} | {by} | {end['examples']} |\n")
    return lines


def cell(text: str) -> str:
    """``text`` as it may stand in a cell, as code."""
    return "`` " + " ".join(text.split()).replace("|", "\\|") + " ``"


def threaded_section(stored: Mapping[str, Any]) -> list[str]:
    """The table of mutants with threads."""
    rows = threaded_rows()
    lines = [THREADS_HEAD.format(count=len(rows))]
    for row in rows:
        end = stored["threads"][row.id]
        by = f"`{end['case']}`" if end["case"] else "**survives**"
        lines.append(f"| {row.id} | {row.file} | {row.sentence} | {row.rule} | {by} | {end['examples']} |\n")
    return lines


def mechanical_section() -> list[str]:
    """The tables of what a machine changed."""
    ends, explained = mechanical.stored(), mechanical.explained()
    killed = {identity: end for identity, end in ends.items() if end["case"]}
    lines = [MECHANICAL_HEAD.format(
        count=len(ends), killed=len(killed), survived=len(ends) - len(killed))]
    for identity, end in sorted(killed.items()):
        lines.append(f"| {identity} | {cell(end['change'])} | `{end['case']}` | {end['examples']} |\n")
    lines.append(SURVIVORS_HEAD)
    for identity, end in sorted(ends.items()):
        if not end["case"]:
            one = explained[identity]
            by = f": `{one.case}`" if one.case else ""
            lines.append(f"| {identity} | {cell(end['change'])} | {SURVIVORS[one.kind]}{by} | {' '.join(one.why.split())} |\n")
    return lines


def unseen() -> Mapping[str, str]:
    """Entries of the catalogue that no mutant can be made after, and why."""
    text = (ROOT / "tests" / "mutants" / "entries.toml").read_text(encoding="utf-8")
    found: Mapping[str, str] = tomllib.loads(text)["unseen"]
    return found


def page(stored: Mapping[str, Any]) -> str:
    """The page for these results and the rows as they are now."""
    mutants = load()
    caught = sum(bool(one["case"]) for one in stored["mutants"].values())
    lines = [HEAD, f"{caught} of {len(mutants)} mutants are caught.\n"]
    for driver in dict.fromkeys(mutant.driver for mutant in mutants):
        lines += section(driver, [mutant for mutant in mutants if mutant.driver == driver], stored)
    lines += [*threaded_section(stored), *mechanical_section()]
    lines.append(UNSEEN_HEAD)
    lines += [f"| {entry} | {why} |\n" for entry, why in sorted(unseen().items())]
    lines.append(CHECKS_HEAD)
    for check, mutant in sorted(stored["checks"].items()):
        lines.append(f"| {check} | {mutant or '**nothing yet**'} |\n")
    return "".join(lines)


def main() -> None:
    """Write both files."""
    if "--keep" not in sys.argv:
        nothing: dict[str, Any] = {"mutants": {}, "checks": {}, "threads": {}}
        stored = json.loads(RESULTS.read_text(encoding="utf-8")) if "--new" in sys.argv else nothing
        save(**results(stored))
    PAGE.write_text(page(json.loads(RESULTS.read_text(encoding="utf-8"))), encoding="utf-8")
    make_rules.main()


if __name__ == "__main__":
    main()
