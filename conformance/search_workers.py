"""Who runs the programs of a search: this process, or workers. What comes of a swarm is the same wherever it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.util import Finalize
from typing import Protocol

from storcert.conformance.confirm import decide
from storcert.conformance.facts import Facts
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.schedule import Job, fence, start_worker, worker_of_job
from storcert.conformance.subject import Subject
from storcert.conformance.swarms import Swarm, case_of, files_of
from storcert.scenarios.explore.lines import LineWatch


@dataclass(frozen=True, slots=True)
class Wanted:
    """A swarm, and the number of its programs' stream."""

    swarm: Swarm
    number: int


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of it; ``lines`` of the driver that were reached, by file, as the bits of a number."""

    wanted: Wanted
    outcome: CaseOutcome
    lines: tuple[tuple[str, int], ...]


class Searchers(Protocol):
    """Runs a round of swarms, in whichever order; as many of them as there is time for, in the order of their numbers."""

    def round(self, wanted: Sequence[Wanted], over: Callable[[], bool]) -> Iterator[Searched]:
        """What comes of them."""
        ...


@contextmanager
def searchers(job: Job, facts: Facts, workers: int) -> Iterator[Searchers]:
    """``workers``: 1 for this process alone. Where driver code is to be isolated, it never runs in this process."""
    if workers > 1 or job.options.isolate:
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (job, facts))
        try:
            yield _Pool(pool, workers)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return
    with fence(job.mode), LineWatch() as watch:
        yield _Here(job.subject(), facts, job.options.seed, watch)


class _Here:
    def __init__(self, subject: Subject, facts: Facts, seed: int, watch: LineWatch) -> None:
        self._subject = subject
        self._facts = facts
        self._seed = seed
        self._watch = watch
        self._files = files_of(subject)

    def round(self, wanted: Sequence[Wanted], over: Callable[[], bool]) -> Iterator[Searched]:
        for one in wanted:
            if over():
                return
            yield self.run(one)

    def run(self, wanted: Wanted) -> Searched:
        # Told anew of every line: what an earlier swarm reached in this process is no affair of this one.
        self._watch.begin(self._files)
        outcome = decide(case_of(wanted.swarm, wanted.number), self._subject, self._facts, self._seed)
        return Searched(wanted, outcome, self._watch.take())


class _Pool:
    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool = pool
        self._workers = workers

    def round(self, wanted: Sequence[Wanted], over: Callable[[], bool]) -> Iterator[Searched]:
        waiting: list[Future[Searched]] = []
        left = list(wanted)
        while left or waiting:
            while left and len(waiting) < self._workers and not over():
                waiting.append(self._pool.submit(_search, left.pop(0)))
            if not waiting:
                return
            yield waiting.pop(0).result()


_kept = ExitStack()
_here: list[_Here] = []


def _start(job: Job, facts: Facts) -> None:
    start_worker(job, facts)
    job, facts, subject = worker_of_job()
    watch = _kept.enter_context(LineWatch())
    Finalize(None, _kept.close, exitpriority=11)
    _here[:] = [_Here(subject, facts, job.options.seed, watch)]


def _search(wanted: Wanted) -> Searched:
    return _here[0].run(wanted)
