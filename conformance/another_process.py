"""The same failure in another process: another hash seed, other addresses, nothing loaded before.

What depends on the order of a set of texts is the same all day in one process, and another thing in the next, where somebody
replays the token. So, where there are workers anyway, the first failure of each rule is tried in a process of its own as well.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from storcert.conformance.confirm import NONDETERMINISTIC, STATELESS
from storcert.conformance.runner import CaseOutcome
from storcert.harness.record.finding import Finding
from storcert.harness.record.verdict import Blame, Verdict

HASH_SEED = "PYTHONHASHSEED"


class AnotherProcess:
    """Started when it is first needed: ``start(*arguments)`` makes the driver ready there, ``again`` runs one failure."""

    def __init__(self, start: Callable[..., None], arguments: tuple[Any, ...], again: Callable[..., CaseOutcome]) -> None:
        self._start = start
        self._arguments = arguments
        self._again = again
        self._pool: ProcessPoolExecutor | None = None
        self._seen: set[str] = set()

    def confirmed(self, outcome: CaseOutcome) -> CaseOutcome:
        """The outcome, or what it is where the other process does not have it again."""
        rule = outcome.result.rule
        failed = outcome.result.verdict is Verdict.FAIL and outcome.blame is Blame.DRIVER
        if not failed or rule in self._seen or rule == STATELESS:
            return outcome
        self._seen.add(rule)
        again = self._run(outcome)
        if (again.result.verdict, again.result.rule) == (Verdict.FAIL, rule):
            return outcome
        now = "it held" if again.result.verdict is Verdict.PASS else f"{again.result.verdict}: {again.message}"
        told = f"the same world twice, and two answers: first {rule}: {outcome.message}; in another process: {now}"
        place = (outcome.source.file, outcome.source.line) if outcome.source else ("", 0)
        findings = tuple(sorted({*outcome.findings, Finding(NONDETERMINISTIC, told, *place)}))
        result = replace(outcome.result, rule=STATELESS, reason=told)
        return replace(outcome, result=result, message=told, findings=findings)

    def close(self) -> None:
        """End the process, if there is one."""
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self, outcome: CaseOutcome) -> CaseOutcome:
        with _another_hash_seed():
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, context, self._start, self._arguments)
            asked = self._pool.submit(self._again, outcome.result.id, outcome.example or None, outcome.program)
            return asked.result()


@contextmanager
def _another_hash_seed() -> Iterator[None]:
    before = os.environ.get(HASH_SEED)
    os.environ[HASH_SEED] = "2" if before == "1" else "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[HASH_SEED]
        else:
            os.environ[HASH_SEED] = before
