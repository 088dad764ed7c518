"""Writes docs/states.md: the state machine of a placement, as the program has it.

    python docs/make_states.py
"""

from __future__ import annotations

import inspect
from pathlib import Path

from storcert.harness.logical import states
from storcert.harness.logical.states import TRANSITIONAL, TRANSITIONS, State

PAGE = Path(__file__).resolve().parent / "states.md"


def page() -> str:
    """The page."""
    said = (inspect.getdoc(states) or "").split("\n\n", 1)
    lines = ["# States of a placement\n\nMade by `python docs/make_states.py`, do not edit.\n\n", f"{said[1]}\n\n"]
    lines.append("| from | event | to |\n|---|---|---|\n")
    for state in State:
        for (before, event), then in TRANSITIONS.items():
            if before is state:
                mark = " (belongs to a job)" if then in TRANSITIONAL else ""
                lines.append(f"| {before} | {event} | {then}{mark} |\n")
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
