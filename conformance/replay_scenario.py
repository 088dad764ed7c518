"""A scenario's run once more: whether it is the same and the failure happens again; what stood where at a moment of it; what
would have happened without a fault, or with something changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storcert.conformance import secrets
from storcert.conformance.commands import print_text
from storcert.conformance.replay_places import BROKEN, END, Course, thing
from storcert.conformance.replay_step import step
from storcert.conformance.replay_text import Moment, event_text, numbered
from storcert.conformance.replay_token import Recorded, same_digest
from storcert.conformance.usage import InvalidUsage
from storcert.harness.contract import StorageError
from storcert.harness.record.verdict import Verdict
from storcert.reports.timeline import Line, seconds
from storcert.scenarios.format.write import dumps
from storcert.scenarios.region import Region
from storcert.scenarios.replay import Case, again, visit
from storcert.scenarios.replay_change import NoSuchChange, changed, patient, without
from storcert.scenarios.replay_compare import Comparison, compare
from storcert.scenarios.result import ScenarioResult

LINES_SHOWN = 120
EXPECTED = "EXPECTED"


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What is wanted beside the run itself. ``at``: a moment; ``show``: things at that moment; ``step``: step mode, from there;
    ``without`` and ``change``: what if; ``write``: where the scenario goes."""

    at: str | None = None
    show: tuple[str, ...] = ()
    step: bool = False
    without: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    write: Path | None = None

    @property
    def what_if(self) -> bool:
        """Whether anything is to be changed."""
        return bool(self.without or self.change)


def replay_scenario(recorded: Recorded, options: ReplayOptions) -> bool:
    """Run, print; whether the failure happens in what was run last. Raises :class:`InvalidUsage`."""
    things = [thing(said) for said in options.show]
    case = recorded.case
    other = _other(case, options)
    if options.write is not None:
        _write(options.write, other or case)
    result = _run(case)
    print_text("".join(f"{line}\n" for line in _head(recorded)))
    if other is not None:
        first, course = result, Course(result)
        result = _run(other)
        print_text(_compared(compare(first, result), course, Course(result), options))
        case = other
    course = Course(result)
    looking = options.at is not None or options.step or bool(things)
    number = course.moment(options.at or (BROKEN if course.broken else END)) if looking else course.last
    if options.step:
        step(case, course, number if options.at is not None else 1)
    elif looking:

        def look(region: Region, reached: int) -> None:
            moment = Moment(course, region, reached, number)
            print_text("\n".join(moment.show(one) for one in things) if things else moment.summary())

        visit(case, number, look)
    elif other is None:
        print_text(_timeline(course))
    happened = _happened(recorded, result)
    print_text("".join(f"{line}\n" for line in _verdict(recorded, result, happened, other is not None)))
    return happened


def _other(case: Case, options: ReplayOptions) -> Case | None:
    """The changed case, if anything is to be changed."""
    if not options.what_if:
        return None
    try:
        scenario = patient(without(changed(case.scenario, options.change), case.seed, options.without))
    except NoSuchChange as error:
        raise InvalidUsage(str(error)) from None
    return replace(case, scenario=scenario)


def _run(case: Case) -> ScenarioResult:
    try:
        return again(case)
    except (ValueError, StorageError) as error:
        raise InvalidUsage(f"scenario {case.scenario.name}: {error}") from None


def _write(path: Path, case: Case) -> None:
    try:
        text = dumps(case.scenario.model_copy(update={"seeds": (case.seed,)}))
        path.write_text(secrets.scrubbed(text), encoding="utf-8")
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None


# -- what is said


def _head(recorded: Recorded) -> Iterator[str]:
    scenario = recorded.case.scenario
    defect = f", on defect {scenario.defect.id}" if scenario.class_ == "negative" and scenario.defect is not None else ""
    yield f"scenario  {scenario.name or scenario.title}, seed {recorded.case.seed}{defect}"
    if recorded.rule:
        yield f"recorded  {recorded.rule}: {recorded.message}"
    for note in recorded.notes:
        yield f"note      {note}"
    yield ""


def _timeline(course: Course) -> str:
    lines = course.lines[-LINES_SHOWN:]
    cut = len(course.lines) - len(lines)
    earlier = f"  ... {cut} earlier lines; --step and --at reach them ...\n" if cut else ""
    head = f"timeline (virtual time; the numbers are those of the {course.last:,} events)\n"
    return f"{head}{earlier}{numbered(lines, course.last)}"


def _failures(recorded: Recorded, result: ScenarioResult) -> dict[str, str]:
    """What went wrong, by rule. On a defect: what is not as expected; where a rule was recorded that broke, what broke."""
    shown, on_defect = result.shown, result.played is None
    if on_defect and recorded.rule not in ("", EXPECTED):
        return {finding.rule: finding.broken[0].text for finding in shown.findings if finding.broken}
    found = {
        rule.rule: rule.broken[0].text
        for rule in result.rules
        if rule.verdict is Verdict.FAIL and rule.broken and not on_defect
    }
    problems = list(result.problems)
    if on_defect and recorded.rule:
        problems += [*([f"it does not come to rest: {shown.unrest}"] if shown.unrest else []), *shown.failures]
    if problems:
        found[EXPECTED] = "; ".join(problems)
    return found


def _happened(recorded: Recorded, result: ScenarioResult) -> bool:
    """Whether what was recorded happened; where nothing was, whether anything fails, and on a defect whether it shows."""
    if not recorded.rule and result.played is None:
        return result.verdict is Verdict.PASS
    failures = _failures(recorded, result)
    return recorded.rule in failures if recorded.rule else bool(failures)


def _verdict(recorded: Recorded, result: ScenarioResult, happened: bool, what_if: bool) -> Iterator[str]:
    failures = _failures(recorded, result)
    yield ""
    if not recorded.rule and result.played is None and happened:
        rule = result.rules[0]
        yield f"On this defect it fails, as it must: {rule.rule}: {rule.broken[0].text}"
    elif happened:
        rule_id = recorded.rule or next(iter(failures))
        word = "It happens all the same" if what_if else "It happened again" if recorded.rule else "It fails"
        yield f"{word}: {rule_id}: {failures.pop(rule_id)}"
    else:
        yield "It does not happen then." if what_if else "It did not happen again." if recorded.rule else "Nothing fails."
    for name, text in failures.items():
        yield f"{'Also' if happened else 'But'} {name}: {text}"
    if recorded.digest and not what_if:
        same = same_digest(recorded, result)
        yield "Every event is as recorded, bit for bit." if same else "The events differ from the recorded ones."
    yield f"digest {result.digest}"


def _compared(found: Comparison, recorded: Course, other: Course, options: ReplayOptions) -> str:
    said = [*(f"without {name}" for name in options.without), *options.change]
    lines = [f"what if   {', '.join(said)}"]
    if found.same:
        lines.append(f"          nothing differs: all {found.common:,} events are the same")
    else:
        last = f", the last of them {_event(recorded, found.common)}" if found.common else ""
        lines.append(f"the same  {found.common:,} events{last}")
        lines.append(f"then      {_event(recorded, found.common + 1)}")
        lines.append(f"now       {_event(other, found.common + 1)}")
        lines += _first_lines(recorded.lines, other.lines)
    lines += [f"differs   {one.what}: {one.recorded} -> {one.changed}" for one in found.changes]
    if not found.changes and not found.same:
        lines.append("          every verdict, every step and every fault ends alike")
    return "".join(f"{line}\n" for line in lines)


def _event(course: Course, number: int) -> str:
    if number > course.last:
        return "(the run is over)"
    event = course.events[number - 1]
    return f"{number:,}, {seconds(course.since(event.time_ns)).strip()}: {event_text(event)}"


def _first_lines(recorded: Sequence[Line], other: Sequence[Line]) -> list[str]:
    """The first lines of the timelines that say something else; requests and moments left out, they tell the story."""
    pairs = zip(recorded, other, strict=False)
    at = next(
        (number for number, (one, two) in enumerate(pairs) if (one.where, one.what) != (two.where, two.what)),
        min(len(recorded), len(other)))
    told = [_line(lines[at]) if at < len(lines) else "(no more)" for lines in (recorded, other)]
    return [] if told[0] == told[1] else [f"timeline  then {told[0]}", f"          now  {told[1]}"]


def _line(line: Line) -> str:
    where = f"{line.where}  " if line.where else ""
    return f"{seconds(line.since_ns).strip()}  {where}{line.what.strip()}"
