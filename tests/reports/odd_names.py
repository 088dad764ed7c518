"""Names that mean something to Mermaid, as names of places, commands and objects."""

from __future__ import annotations

from storcert.harness.record.history import Status
from storcert.harness.record.trace import Mark, PlaceKind, Sort, Span, Trace

ODD = (
    "end", "style x: #a;", "%%{init: {}}%%", "a;b#c", "<b>&amp;\"'", "wrap: x", "$$\\alpha$$", "loop", "\ud800😀é\u202e",
    "activate p1", "-->>", "x\ny", "#35;", "classDef a: #b;", "note over", "as", "",
)


def odd_trace() -> Trace:
    """A command and a crash for each of them."""
    places = {f"{number} {odd}": PlaceKind.HOST for number, odd in enumerate(ODD)}
    names, endings = list(places), (Status.OK, Status.FAILED, Status.UNKNOWN)
    spans = tuple(
        Span(Sort.COMMAND, f"command/{number}", "", odd, odd, names[number], names[number - 1], number, number + 5,
             endings[number % 3], odd)
        for number, odd in enumerate(ODD)
    )
    marks = tuple(Mark(number, names[number], "crash", odd) for number, odd in enumerate(ODD))
    return Trace("odd", 0, 100, places, spans, marks)
