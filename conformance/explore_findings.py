"""What an exploration found, made smaller by the workers that found it, and written: a scenario and a test for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storcert.conformance import secrets
from storcert.conformance.explore_options import ExploreOptions
from storcert.conformance.replay_token import payload
from storcert.conformance.tokens import place
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.exploration import Discovery, Exploration
from storcert.reports.exploration import matrix_text
from storcert.scenarios.defects.defect import Defect, UnknownDefect, named
from storcert.scenarios.explore.blame import Blamed, BlameTask
from storcert.scenarios.explore.diary import Diary
from storcert.scenarios.explore.outcome import Found
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.write import dumps
from storcert.scenarios.pool.child import TaskFailed
from storcert.scenarios.pool.pool import Pool, WorkerLost
from storcert.scenarios.replay import Case
from storcert.scenarios.shrink.shrink import Shrink, Shrunk
from storcert.scenarios.shrink.written import Failure, pytest_text, scenario_text

SHRUNK_MAX = 12
"""So many findings are made smaller; whoever has more has enough to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding, and what became of making it smaller: ``why`` where nothing did. ``blamed``: whose it is, where that was
    asked."""

    found: Found
    shrunk: Shrunk | None = None
    why: str = ""
    blamed: Blamed | None = None

    @property
    def scenario(self) -> Scenario:
        """The smallest that shows it."""
        return self.found.trial.scenario if self.shrunk is None else self.shrunk.scenario


def shrink_all(
    found: Sequence[Found], options: ExploreOptions, pool: Pool, diary: Diary, ended: Callable[[int, Finding], None]
) -> None:
    """Each as small as it gets; ``ended`` is told of each with its place in ``found``, in whichever order they end."""
    waiting: dict[Future[Any], int] = {}
    for turn, one in enumerate(found):
        identity = one.number, one.first.rule, one.first.key
        if options.shrink_runs == 0 or turn >= SHRUNK_MAX:
            ended(turn, Finding(one, None, "as it was found"))
        elif identity in diary.shrunk:
            ended(turn, Finding(one, Shrunk.from_json(diary.shrunk[identity])))
        else:
            task = Shrink(one.trial, one.first.rule, one.first.key, options.shrink_runs)
            waiting[pool.submit(task)] = turn
    while waiting:
        done, _ = wait(waiting, 0.5, FIRST_COMPLETED)
        for future in done:
            turn = waiting.pop(future)
            one = found[turn]
            try:
                shrunk: Shrunk = future.result()
            except (ValueError, TaskFailed, WorkerLost) as error:
                ended(turn, Finding(one, None, f"could not be made smaller: {error}"))
                continue
            diary.keep_shrunk(one.number, one.first.rule, one.first.key, shrunk.to_json())
            ended(turn, Finding(one, shrunk))


def blame_all(findings: Sequence[Finding], pool: Pool) -> list[Finding]:
    """The same, each of the first with whose it is."""
    asked: list[Future[Any]] = []
    for one in findings[:SHRUNK_MAX]:
        digest = one.found.digest if one.shrunk is None else one.shrunk.digest
        asked.append(pool.submit(BlameTask(one.scenario, one.found.trial.seed, (one.found.first.rule,), digest)))
    found = list(findings)
    for turn, future in enumerate(asked):
        with suppress(ValueError, TaskFailed, WorkerLost):  # whose it is then stays open, and says so by its absence
            found[turn] = replace(found[turn], blamed=future.result()[findings[turn].found.first.rule])
    return found


def discoveries(findings: Sequence[Finding], options: ExploreOptions, out: Path | None) -> Iterator[Discovery]:
    """As the record has them; their files are written. Raises :class:`InvalidUsage` for one that cannot be."""
    for number, one in enumerate(findings, 1):
        found, first = one.found, one.found.first
        failure = _failure(one, options, number)
        text = scenario_text(failure)
        file = f"finding-{number}.toml" if out is not None else ""
        test = f"test_finding_{number}.py" if out is not None else ""
        if out is not None:
            _write(out / file, text)
            _write(out / test, pytest_text(failure))
        token, path = ("", "") if out is not None else _token(failure)
        yield Discovery(
            rule=first.rule, message=first.text, key=first.key, trial=found.number, trials=found.runs, seed=found.trial.seed,
            scenario=dumps(failure.scenario()), file=file or path, test=test, token=token, runs=failure.shrunk.runs,
            cut_short=one.why or failure.shrunk.cut_short, necessary=failure.shrunk.necessary, unproven=failure.shrunk.unproven,
            blame=one.blamed.blame if one.blamed is not None else None,
            evidence=one.blamed.evidence if one.blamed is not None else (),
        )


def write_matrix(out: Path, told: Exploration) -> None:
    """Every cell of the matrix, as text. Raises :class:`InvalidUsage`."""
    _write(out / "matrix.txt", matrix_text(told))


def _failure(one: Finding, options: ExploreOptions, number: int) -> Failure:
    found, defect = one.found, options.defect
    shrunk = one.shrunk or Shrunk(found.trial.scenario, 0, one.why, (), (), found.digest)
    ours = defect is not None and _is_of_the_package(defect)
    around = options.scenario.name or "a scenario"
    origin = f"Found by storcert explore around {around}, seed {options.seed}, in run {found.number}."
    return Failure(
        f"finding-{number}", found.first.rule, found.first.text, found.trial.seed, origin, shrunk,
        defect.id if defect is not None and ours else "", defect.id if defect is not None and not ours else "")


def _is_of_the_package(defect: Defect) -> bool:
    try:
        return named(defect.id) == defect
    except UnknownDefect:
        return False


def _token(failure: Failure) -> tuple[str, str]:
    """For ``storcert replay``; none for a defect that only whoever planted it has. A long one goes to a file."""
    if failure.own_defect:
        return "", ""
    case = Case.of(failure.scenario(), failure.seed)
    return place(payload(case, failure.shrunk.digest, failure.rule, failure.text), None)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(secrets.scrubbed(text), encoding="utf-8")
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None
