"""Step mode: forward and back along the timeline of one run, looking at whatever stands there. Forward, the run goes on; back,
it is run again up to that moment. Commands come from a terminal, or from whatever standard input is."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right

from storcert.conformance.commands import print_text
from storcert.conformance.replay_places import MOMENTS, THINGS, Course, thing
from storcert.conformance.replay_text import Moment, event_text, numbered
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.reports.timeline import seconds
from storcert.scenarios.region import Region
from storcert.scenarios.replay import Case, Left, visit

HELP = f"""\
  n [COUNT]    the next line of the timeline           p [COUNT]    the line before
  + [COUNT]    the next event, requests too            - [COUNT]    the event before
  g MOMENT     go there: {MOMENTS}
  s [THING]    show it: {THINGS}; alone: what is out of the ordinary
  l            the timeline around here                ?            this
  q            leave
"""
PROMPT = "replay> "
AROUND = 8


class _Back(Exception):
    """To an earlier event: the session's target."""


def step(case: Case, course: Course, number: int) -> None:
    """Stand at event ``number``, and do as is said until the end of the input or ``q``."""
    session = _Session(course, number)
    while True:
        try:
            visit(case, session.target, session.stand)
            return
        except _Back:
            continue


class _Session:
    """``target``: the event that it wants to stand at, or stands at. The world may have come further: to the last of those that
    happen in one go with it."""

    def __init__(self, course: Course, target: int) -> None:
        self.target = target
        self._course = course
        self._numbers = [line.number for line in course.lines]
        self._terminal = sys.stdin.isatty() and sys.stdout.isatty()
        if self._terminal:
            print_text("n: next, p: previous, g: go to, s: show, ?: all commands, q: leave\n")

    def stand(self, region: Region, number: int) -> int:
        """At an event, until somebody wants to go elsewhere. Raises :class:`Left` and :class:`_Back`."""
        moment = Moment(self._course, region, number, self.target)
        self.target = moment.asked
        print_text(self._here(self.target))
        while True:
            line = self._ask()
            if line is None:
                raise Left
            word, _, rest = line.strip().partition(" ")
            try:
                target = self._obey(word, rest.strip(), moment)
            except InvalidUsage as error:
                print_text(f"{one_line(error)}\n")
                continue
            if target is None or target == self.target:
                continue
            earlier, self.target = target < self.target, target
            if earlier:
                raise _Back
            if target > moment.number:
                return target
            moment.asked = target
            print_text(self._here(target))

    def _ask(self) -> str | None:
        """The next command; ``None`` where there is no more."""
        if self._terminal:
            try:
                return input(PROMPT)
            except EOFError:
                print_text("\n")
                return None
        line = sys.stdin.readline()
        return line or None

    def _obey(self, word: str, rest: str, moment: Moment) -> int | None:
        """Where to go, or ``None`` to stay. Raises :class:`InvalidUsage`."""
        here, course = self.target, self._course
        match word:
            case "":
                return None
            case "q":
                raise Left
            case "n":
                at = bisect_right(self._numbers, here) + _count(rest) - 1
                return self._told(self._numbers[at] if at < len(self._numbers) else course.last, here)
            case "p":
                at = bisect_left(self._numbers, here) - _count(rest)
                return self._told(self._numbers[at] if at >= 0 else 1, here)
            case "+":
                return self._told(min(course.last, here + _count(rest)), here)
            case "-":
                return self._told(max(1, here - _count(rest)), here)
            case "g":
                return self._told(course.moment(rest), here)
            case "s":
                print_text(moment.show(thing(rest)) if rest else moment.summary())
            case "w":
                print_text(moment.show(thing("waits")))
            case "l":
                print_text(self._around(here))
            case "?" | "h" | "help":
                print_text(HELP)
            case _:
                raise InvalidUsage(f"{word!r} is no command; ? shows them")
        return None

    def _told(self, target: int, here: int) -> int:
        if target == here:
            print_text(f"{'the end' if here == self._course.last else 'the beginning' if here == 1 else 'here already'}\n")
        return target

    def _here(self, number: int) -> str:
        """The line of the timeline that this event is, or the event itself."""
        at = bisect_left(self._numbers, number)
        if at < len(self._numbers) and self._numbers[at] == number:
            return numbered([self._course.lines[at]], self._course.last)
        event = self._course.events[number - 1]
        return f"{number:>{len(str(self._course.last))}}  {seconds(self._course.since(event.time_ns))}  {event_text(event)}\n"

    def _around(self, number: int) -> str:
        at = bisect_left(self._numbers, number)
        some = self._course.lines[max(0, at - AROUND) : at + AROUND]
        told = numbered(some, self._course.last).splitlines(keepends=True)
        return "".join(f"{'>' if line.number == number else ' '} {text}" for line, text in zip(some, told, strict=True))


def _count(text: str) -> int:
    if not text:
        return 1
    if not text.isdecimal() or int(text) < 1:
        raise InvalidUsage(f"{text!r} is no count: a whole number from 1")
    return int(text)
