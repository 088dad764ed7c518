"""Writes docs/control-plane-defects.md: which rule catches which defect planted in the control plane, and which
defects of drivers scenarios run on.

    python docs/make_defects.py

That each of them is really caught is what tests/mutants/control_plane asks, of every commit.
"""

from __future__ import annotations

from pathlib import Path

from storcert.scenarios.defects.defect import load, of_drivers

PAGE = Path(__file__).resolve().parent / "control-plane-defects.md"
HEAD = """# Defects planted in the control plane

Made by `python docs/make_defects.py`, do not edit.

Each row is the control plane with one mistake, many of them after failures that were reported of a real one (the number in the
second column: I an issue, P a change that mended it). A story of a region is told with it, and the named rule must break, in
words that tell of this mistake; the same story breaks no rule without it.

| defect | after | what went wrong | rule | story |
|---|---|---|---|---|
"""
DRIVERS_HEAD = """
## Defects of drivers

Scenarios run on these too: a bundled driver with one mistake, after real defects of drivers and client libraries (second
column). The rule is the contract's: `storcert certify` catches each of them by it ([kill matrix](kill-matrix.md)). What
breaks above the driver stands in the scenario.

| defect | after | what went wrong | driver | rule |
|---|---|---|---|---|
"""


def page() -> str:
    """The page."""
    rows = [f"| {one.id} | {one.after} | {one.sentence} | {one.rule} | {one.story} |\n" for one in load()]
    drivers = [f"| {one.id} | {one.after} | {one.sentence} | {one.driver} | {one.rule} |\n" for one in of_drivers()]
    return HEAD + "".join(rows) + DRIVERS_HEAD + "".join(drivers)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
