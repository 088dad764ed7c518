"""Who runs which case: in this process or in worker processes. The answer is the same with any number of workers."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import Any

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance.another_process import AnotherProcess
from storcert.conformance.calibrate import calibrate
from storcert.conformance.confirm import decide
from storcert.conformance.devices import is_live, prepare
from storcert.conformance.facts import Facts
from storcert.conformance.generated import count_of_programs
from storcert.conformance.interrupts import end_with_parent
from storcert.conformance.isolation import Isolation
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.live_targets.targets import TARGETS
from storcert.conformance.lost_device import LostDevice
from storcert.conformance.options import CertifyOptions
from storcert.conformance.program import Program
from storcert.conformance.progress import Progress
from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.subject import Subject
from storcert.harness.kernel.interpose import declare_driver_code, installed
from storcert.harness.record.run_record import CheckResult
from storcert.harness.record.verdict import Verdict

BATCH = 8


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker needs to know; plain data."""

    options: CertifyOptions
    reached: Reached | None = None

    @classmethod
    def of(cls, options: CertifyOptions, reached: Reached | None = None) -> Job:
        """The job of a certification. ``reached``: the live target that was started for it."""
        return cls(options, reached)

    @property
    def mode(self) -> str:
        """``simulated`` or ``live``."""
        return "live" if is_live(self.options.device) else "simulated"

    @property
    def mount(self) -> str:
        """The path of a live target that stands for a mount, or ``""``."""
        return str(self.reached.server.get("mount", "")) if self.reached is not None else ""

    @property
    def behind(self) -> str:
        """The folder behind that path, or ``""``."""
        return str(self.reached.server.get("behind", "")) if self.reached is not None else ""

    def subject(self) -> Subject:
        """The driver, loaded in this process."""
        options = self.options
        prepare(options.device)
        driver_class = options.driver.load()
        declare_driver_code(options.driver.file)
        configuration = {**options.configuration, **options.driver.configuration}
        return Subject(
            options.driver.reference, driver_class, options.device, configuration, options.simulator, self.reached)

    def calibrate(self) -> Facts:
        """Facts of driver and device. Raises :class:`InvalidUsage`."""
        if self.options.isolate:
            with _isolated_pool(self, 1) as pool:
                return pool.submit(_calibrate, self).result()
        return self.calibrate_here()

    def calibrate_here(self) -> Facts:
        """The same in this process, whatever the options say."""
        subject = self.subject()
        with fence(self.mode):
            return calibrate(subject, self.options.seed, self.mode)


def fence(mode: str) -> AbstractContextManager[object]:
    """The interpositions of a simulated run; a live driver runs in the open."""
    return nullcontext() if mode == "live" else _fenced()


@contextmanager
def _fenced() -> Iterator[None]:
    # What is loaded by now stays; the collector, called after every heavy world, need not walk it each time.
    gc.collect()
    gc.freeze()
    try:
        with installed():
            yield
    finally:
        gc.unfreeze()


def run_cases(
    job: Job, facts: Facts, cases: Sequence[Case], workers: int, budget_s: float | None, progress: Progress,
    ended: Callable[[CaseOutcome], None] = lambda outcome: None,
) -> tuple[list[CaseOutcome], bool]:
    """Outcomes in the order of ``cases`` and whether an interrupt cut the run. Cases that did not run say why.

    ``ended`` hears of each case that ran, in the order in which they end."""
    deadline = None if budget_s is None else time.monotonic() + budget_s
    done: dict[str, CaseOutcome] = {}
    interrupted, lost = False, LostDevice()
    if job.mode == "live" and job.reached is None:
        workers = 1
    runner = _in_workers if workers > 1 or job.options.isolate else _in_process
    # A live device owes nobody the same answer twice: there, another process that does not have it again says nothing.
    askable = workers > 1 and not job.options.isolate and job.mode != "live"
    apart = AnotherProcess(start_worker, (job, facts), _run_again) if askable else None
    ordered = sorted(cases, key=_turn)
    try:
        processes = processes_for(workers, job.options.device)
        for outcome in runner(
            job, facts, ordered, processes, lambda: deadline is not None and time.monotonic() > deadline
        ):
            if apart is not None:
                outcome = apart.confirmed(outcome)
            done[outcome.result.id] = outcome
            progress.advanced(outcome.result.rule, str(outcome.result.verdict) if outcome.scored else "not scored")
            ended(outcome)
            if job.mode == "live" and lost.sees(outcome):
                break
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if apart is not None:
            apart.close()
    reason = (
        "interrupted before it ran"
        if interrupted
        else lost.reason
        if lost.reason
        else f"the budget of {budget_s:g} s was over"
        if budget_s
        else "did not run"
    )
    cut_short = interrupted or bool(lost.reason)
    return [done.get(case.id) or CaseOutcome(_not_run(case, reason, cut_short)) for case in cases], interrupted


def processes_for(workers: int, device: str) -> int:
    """As many as workers, or a few for each where drivers wait in real time: one goes on while the other waits."""
    return workers * TARGETS[device].processes_per_worker if workers > 1 and device in TARGETS else workers


def _turn(case: Case) -> tuple[bool, int]:
    """Directed cases first: a budget that ends early takes generated ones away before it takes rules away. Of these the long
    ones first, so that no worker is alone with one in the end."""
    generated = case.check.name == "programs-hold"
    return generated, -count_of_programs(case.label) if generated else 0


def batches_of(identities: Sequence[str], workers: int) -> list[Sequence[str]]:
    """Several cases at a time, fewer and fewer towards the end, so that all workers end at about the same time."""
    found: list[Sequence[str]] = []
    at = 0
    while at < len(identities):
        size = max(1, min(BATCH, (len(identities) - at) // (2 * BATCH * workers)))
        found.append(identities[at : at + size])
        at += size
    return found


def _not_run(case: Case, reason: str, cut_short: bool) -> CheckResult:
    generated = case.check.name == "programs-hold" and not cut_short
    return CheckResult(case.id, case.check.rule, case.label, Verdict.DISABLED if generated else Verdict.UNKNOWN, reason)


def _in_process(
    job: Job, facts: Facts, cases: Sequence[Case], workers: int, over: Callable[[], bool]
) -> Iterator[CaseOutcome]:
    subject = job.subject()
    with fence(job.mode):
        for case in cases:
            if over():
                return
            yield decide(case, subject, facts, job.options.seed)


_kept = ExitStack()
_worker: list[tuple[Job, Facts, Subject, dict[str, Case]]] = []


def _isolated_pool(job: Job, workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _isolated, (job,))


def _isolated(job: Job) -> None:
    """Before any driver code: the kit and the device's client library are loaded, then the rights are given up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare(job.options.device)
    Isolation.of(job.options, job.mount, job.behind).enter()


def _calibrate(job: Job) -> Facts:
    return job.calibrate_here()


def start_worker(job: Job, facts: Facts) -> None:
    """What a worker process does first: the driver is loaded behind the fence, isolated where that is wanted."""
    # The parent alone answers an interrupt; a worker that died of it would take its results along.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    if job.options.isolate:
        _isolated(job)
    subject = job.subject()
    cases = {case.id: case for case in cases_for(facts, Level[job.options.profile.name])}
    _kept.enter_context(fence(job.mode))
    # Undone while the interpreter is still whole, not when it tears its modules down.
    Finalize(None, _kept.close, exitpriority=10)
    _worker[:] = [(job, facts, subject, cases)]


def worker_of_job() -> tuple[Job, Facts, Subject]:
    """What :func:`start_worker` began in this process."""
    job, facts, subject, _ = _worker[0]
    return job, facts, subject


def _run_batch(identities: Sequence[str]) -> list[CaseOutcome]:
    job, facts, subject, cases = _worker[0]
    return [decide(cases[identity], subject, facts, job.options.seed) for identity in identities]


def _run_again(identity: str, wanted: str | None, program: Mapping[str, Any] | None) -> CaseOutcome:
    job, facts, subject, cases = _worker[0]
    known = Program.from_json(program) if program is not None else None
    return run_case(cases[identity], subject, facts, job.options.seed, wanted=wanted, program=known)


def _in_workers(
    job: Job, facts: Facts, cases: Sequence[Case], workers: int, over: Callable[[], bool]
) -> Iterator[CaseOutcome]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, start_worker, (job, facts)) as pool:
        batches = batches_of([case.id for case in cases], workers)
        waiting: set[Future[list[CaseOutcome]]] = set()
        try:
            while batches or waiting:
                while batches and len(waiting) < 2 * workers and not over():
                    waiting.add(pool.submit(_run_batch, batches.pop(0)))
                if not waiting:
                    return
                ended, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield from future.result()
        except BaseException:
            # What a worker is at may take minutes on a real device, and nobody hears of it any more.
            workers_now = list((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers_now:
                worker.terminate()
            raise
