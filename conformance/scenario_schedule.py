"""Runs of scenarios, one after another or in worker processes; what comes out is the same with any number of workers."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.util import Finalize

from storcert.conformance.blame import blame_of
from storcert.conformance.scenario_options import RunOptions
from storcert.conformance.usage import InvalidUsage
from storcert.harness.contract import StorageError
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.verdict import Blame, Verdict
from storcert.reports.timeline import timeline
from storcert.scenarios.explore.blame import Blamed
from storcert.scenarios.format.substitute import Substituted, substitute
from storcert.scenarios.result import ScenarioResult
from storcert.scenarios.runner.run import run_scenario

Run = tuple[int, int, int]
EVENTS_KEPT = 4_000
"""Of a run whose journal is not kept whole: enough for what came before a failure."""
LINES_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Ran:
    """One run: which scenario and variant of the options, and what came of it. ``error``: the kit itself failed. ``last``: the
    last lines of the timeline of a run that broke a rule. ``blamed``: whose it is, by rule, where that was asked; ``blame``:
    whose the ``error`` is."""

    scenario: int
    variant: int
    seed: int
    substituted: Substituted
    result: ScenarioResult | None
    error: str = ""
    last: tuple[str, ...] = ()
    blamed: Mapping[str, Blamed] = field(default_factory=dict)
    blame: Blame | None = None


def run_all(options: RunOptions, ended: Callable[[Ran], None], *, keep_events: bool) -> tuple[list[Ran], bool]:
    """Every run, in the order of the options, and whether an interrupt cut them short. ``ended``: told of each as it ends."""
    runs = options.runs()
    found: dict[Run, Ran] = {}
    runner = _in_workers if options.workers > 1 and len(runs) > 1 else _in_process
    interrupted = False
    try:
        for one in runner(options, runs, keep_events):
            found[one.scenario, one.variant, one.seed] = one
            ended(one)
    except KeyboardInterrupt:
        interrupted = True
    return [found[run] for run in runs if run in found], interrupted


def run_one(options: RunOptions, run: Run, keep_events: bool) -> Ran:
    """One run. Raises :class:`InvalidUsage` for what the scenario asks of a device in vain."""
    number, place, seed = run
    variant = options.variants[place]
    asked = options.scenarios[number]
    substituted = substitute(asked, variant.substitutions)
    try:
        result = run_scenario(
            substituted.scenario, seed, options.until_ns, elsewhere=substituted.changed,
            keep="all" if keep_events else EVENTS_KEPT, traced=options.traced)
    except (ValueError, StorageError) as error:
        raise InvalidUsage(f"scenario {asked.name}: {error}") from None
    except Exception as error:  # noqa: BLE001  a run that the kit could not finish is told as such, and the others go on
        whose = blame_of(Verdict.ERROR, error, "simulated")
        return Ran(number, place, seed, substituted, None, f"{type(error).__name__}: {error}", blame=whose)
    last = _last(result) if result.verdict is Verdict.FAIL else ()
    return Ran(number, place, seed, substituted, result if keep_events else result.without_events(), "", last)


def _last(result: ScenarioResult) -> tuple[str, ...]:
    """The last lines of the timeline up to the moment when the first rule broke."""
    broken = [rule.broken[0].time_ns for rule in result.rules if rule.verdict is Verdict.FAIL]
    events = result.shown.events
    until = [event for event in events if not broken or event.time_ns <= min(broken)] or events
    return tuple(timeline(until).splitlines()[-LINES_SHOWN:])


def _in_process(options: RunOptions, runs: list[Run], keep_events: bool) -> Iterator[Ran]:
    with installed():
        for run in runs:
            yield run_one(options, run, keep_events)


_kept = ExitStack()
_worker: list[tuple[RunOptions, bool]] = []


def _start_worker(options: RunOptions, keep_events: bool) -> None:
    # The parent alone answers an interrupt; a worker that died of it would take its results along.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _kept.enter_context(installed())
    # Undone while the interpreter is still whole, not when it tears its modules down.
    Finalize(None, _kept.close, exitpriority=10)
    _worker[:] = [(options, keep_events)]


def _run_batch(runs: list[Run]) -> list[Ran]:
    options, keep_events = _worker[0]
    return [run_one(options, run, keep_events) for run in runs]


def _in_workers(options: RunOptions, runs: list[Run], keep_events: bool) -> Iterator[Ran]:
    context = multiprocessing.get_context("spawn")
    size = max(1, min(16, len(runs) // (4 * options.workers)))
    batches = [runs[at : at + size] for at in range(0, len(runs), size)]
    with ProcessPoolExecutor(options.workers, context, _start_worker, (options, keep_events)) as pool:
        waiting: set[Future[list[Ran]]] = set()
        try:
            while batches or waiting:
                while batches and len(waiting) < 2 * options.workers:
                    waiting.add(pool.submit(_run_batch, batches.pop(0)))
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


