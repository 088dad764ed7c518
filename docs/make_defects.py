"""Writes docs/control-plane-defects.md: which rule catches which defect planted in the control plane.

    python docs/make_defects.py

That each of them is really caught is what tests/mutants/control_plane asks, of every commit.
"""

from __future__ import annotations

from pathlib import Path

from storcert.scenarios.defects.defect import load

PAGE = Path(__file__).resolve().parent / "control-plane-defects.md"
HEAD = """# Defects planted in the control plane

Made by `python docs/make_defects.py`, do not edit.

Each row is the control plane with one mistake, many of them after failures that were reported of a real one (the number in the
second column: I an issue, P a change that mended it). A story of a region is told with it, and the named rule must break, in
words that tell of this mistake; the same story breaks no rule without it.

| defect | after | what went wrong | rule | story |
|---|---|---|---|---|
"""


def page() -> str:
    """The page."""
    rows = [f"| {one.id} | {one.after} | {one.sentence} | {one.rule} | {one.story} |\n" for one in load() if one.story]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
