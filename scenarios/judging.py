"""The rules of the control plane, looking on while a region runs: they hear each fact when it is recorded. What they found is
asked for afterwards; nothing they do can reach back into the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from storcert.harness.checkers.control_plane import SORTS, Fact, Finding, Judge
from storcert.harness.kernel.journal import Journal


class CheckerFailed(Exception):
    """A rule could not make sense of a fact: the kit's error, neither a failure of the control plane nor a pass."""


class Judging:
    """Listens to a journal from now on."""

    def __init__(self, journal: Journal) -> None:
        self._judge = Judge()
        self._failure: tuple[Fact, Exception] | None = None
        journal.listen(sorted(SORTS), self._hear)

    def _hear(self, time_ns: int, location: str, kind: str, text: str, value: Mapping[str, Any] | None) -> None:
        if self._failure is not None:
            return
        fact = Fact(time_ns, location, kind, value or {})
        try:
            if value is None and text:
                fact = fact._replace(value=json.loads(text))
            self._judge.see(fact)
        except Exception as error:  # noqa: BLE001  (raised where it is asked for: here it would look like the run's own error)
            self._failure = fact, error

    def findings(self) -> list[Finding]:
        """What every rule came to so far, by id. Raises :class:`CheckerFailed`."""
        if self._failure is not None:
            fact, error = self._failure
            raise CheckerFailed(f"{type(error).__name__} at the fact {fact.sort} {dict(fact.value)}: {error}") from error
        return self._judge.findings()
