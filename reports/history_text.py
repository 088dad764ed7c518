"""Operations that no order explains, as text: one line each, its bar on a common time axis, what was asked and answered.

The axis counts beginnings and ends and is not to scale: what matters is which operations were under way together. Pure
functions of :class:`BrokenHistory`.
"""

from __future__ import annotations

from collections.abc import Sequence

from storcert.harness.record.broken_history import BrokenHistory, HistoryLine
from storcert.reports.text import count, one_line

COLUMNS_MAX = 40
PROCESS_MAX, ASKED_MAX, ANSWER_MAX = 28, 90, 80


def text(history: BrokenHistory) -> str:
    """All of it: what the operations are, a line for each, and where the longest order ends."""
    lines = history.conflicting
    if not lines:
        return ""
    bars = axis(lines)
    last = max(end for _, end in bars)
    table = [
        (
            mark(line),
            one_line(line.process, PROCESS_MAX),
            _bar(*bars[number], last),
            one_line(line.asked, ASKED_MAX),
            one_line(line.answer, ANSWER_MAX),
        )
        for number, line in enumerate(lines)
    ]
    widths = [max(len(row[at]) for row in table) for at in range(5)]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join((headline(history), *shown, conclusion(history)))


def headline(history: BrokenHistory) -> str:
    """What is shown, and what is left out of it."""
    number = len(history.conflicting)
    words = f"No order explains what {'this operation' if number == 1 else f'these {number:,} operations'} answered"
    others = len(history.lines) - number + history.left_out
    if others:
        words += f"; {count(others, 'other')} on the same objects cannot explain it, whether they happened or not"
    return words + ("." if history.minimal else ". Fewer might do.")


def conclusion(history: BrokenHistory) -> str:
    """Where the longest order ends."""
    placed = sorted(line.place for line in history.conflicting if line.place and not line.fits_nowhere)
    if not placed:
        return "The answer of x fits in nowhere."
    return f"After {', '.join(map(str, placed))} the answer of x fits in nowhere."


def mark(line: HistoryLine) -> str:
    """Its place in the longest order; ``x`` where its answer fits in nowhere, ``-`` where it has no place."""
    return "x" if line.fits_nowhere else str(line.place) if line.place else "-"


def axis(lines: Sequence[HistoryLine]) -> list[tuple[int, int]]:
    """First and last column of each line's bar: beginnings and ends in their order, at most ``COLUMNS_MAX`` columns.

    Processes that meet at an instant are under way together; what one process asks next comes after its last answer."""
    never = max((line.end_ns or line.begin_ns for line in lines), default=0) + 1
    ends = [never if line.end_ns is None else line.end_ns for line in lines]
    last_answer: dict[str, tuple[int, int]] = {}
    asked_on, followed = set(), set()
    for number, (line, end) in enumerate(zip(lines, ends, strict=True)):
        before = last_answer.get(line.process)
        if before is not None and before[0] == line.begin_ns:
            asked_on.add(number)
            followed.add(before[1])
        last_answer[line.process] = (end, number)
    events = sorted(
        [(line.begin_ns, 1 if number in asked_on else 0, number, 0) for number, line in enumerate(lines)]
        + [(end, 1 if number in followed else 2, number, 1) for number, end in enumerate(ends)]
    )
    scale = min(1.0, (COLUMNS_MAX - 1) / max(len(events) - 1, 1))
    column = {(number, kind): int(at * scale) for at, (_, _, number, kind) in enumerate(events)}
    return [(column[number, 0], column[number, 1]) for number in range(len(lines))]


def _bar(begin: int, end: int, last: int) -> str:
    return (" " * begin + "|" + "=" * (end - begin - 1) + "|").ljust(last + 1)
