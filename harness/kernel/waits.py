"""Who waits for whom: why a task does not go on, in words, with the line of its code where it stands.

A task that waits for a lock waits for the task that has it (``holder`` of the event it waits for), one that joins another waits
for that one. Where this comes back to where it began nobody of them can ever go on: a deadlock. Nothing here changes the world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from storcert.harness.kernel.task import Task

Line = tuple[str, int]
"""File and line."""


def next_of(task: Task, others: Iterable[Task]) -> Task | None:
    """The task that must act before ``task`` goes on, where it is one task alone; ``others``: those that have not ended."""
    awaited = task.awaited
    if awaited is None:
        return None
    holder: Any = getattr(awaited, "holder", None)
    if isinstance(holder, Task):
        return None if holder is task else holder  # waits for whoever gives back its own lock: a condition or an event
    return next((other for other in others if other.end_waited_for is awaited), None)


def chain_of(task: Task, others: Iterable[Task]) -> tuple[list[Task], Task | None]:
    """``task`` and whom it waits for, directly and indirectly; and the one where the chain bites its tail, if it does."""
    there = tuple(others)
    chain = [task]
    while (following := next_of(chain[-1], there)) is not None:
        if following in chain:
            return chain, following
        chain.append(following)
    return chain, None


def explain(task: Task, others: Iterable[Task], line_of: Callable[[FrameType | None], Line | None]) -> str:
    """Why ``task`` does not go on. ``line_of`` finds, from the frame where a task stands, the line to show."""
    chain, again = chain_of(task, others)
    parts = []
    for number, one in enumerate(chain):
        last = number == len(chain) - 1
        following = None if last and again is None else again if last else chain[number + 1]
        line = line_of(one.gr_frame)
        where = "" if line is None else f" at {line[0]}:{line[1]}"
        parts.append(f"{one.name!r} waits{where} for {_what(one, following)}")
    return ("deadlock: " if again is not None else "") + ", ".join(parts)


def _what(task: Task, following: Task | None) -> str:
    if following is None:
        holder = getattr(task.awaited, "holder", None)
        return "being told by another thread" if holder is task else task.waiting_for or "nothing"
    if getattr(task.awaited, "holder", None) is not None:
        return f"a lock that {following.name!r} has"
    return f"the end of {following.name!r}"
