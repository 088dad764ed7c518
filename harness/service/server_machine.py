"""The surroundings of a management server that really runs: a SQLite file, the clock, and agents that speak JSON over HTTP."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from storcert.harness.logical.ports import NoAnswer
from storcert.harness.logical.repository import Repository
from storcert.harness.logical.session import Session
from storcert.harness.record.command import Answer, Command
from storcert.harness.service.clock import clock_ns
from storcert.harness.service.journal import tell

T = TypeVar("T")


class RealServer:
    """``catalogue``: a file, which several servers may share. ``agents``: URL of the agent at each location. ``journal``: where
    facts go, a line each."""

    def __init__(self, name: str, catalogue: str, agents: Mapping[str, str], journal: Any = None) -> None:
        self.name = name
        self.boot = uuid.uuid4().hex
        self._agents = dict(agents)
        self._journal = journal
        self._lock = threading.Lock()
        self._repository = Repository(catalogue, lambda fact: self._tell(*fact))
        self._client = httpx.Client()

    def clock_ns(self) -> int:
        """Time since the machine was switched on."""
        return clock_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        """Let time pass."""
        time.sleep(duration_ns / 1e9)

    def spawn(self, label: str, body: Callable[[], None]) -> None:
        """A thread that dies with the process."""
        threading.Thread(target=body, name=label, daemon=True).start()

    def transact(self, label: str, body: Callable[[Session], T]) -> T:
        """One transaction of this process at a time; SQLite keeps other processes apart."""
        with self._lock:
            return self._repository.transact(body)

    def ask(self, location: str, command: Command, timeout_ns: int) -> Answer:
        """Post the command to the agent there."""
        url = self._agents.get(location)
        if url is None:
            raise NoAnswer(f"no agent is known at {location!r}")
        try:
            answer = self._client.post(f"{url}/command", json=command.to_json(), timeout=timeout_ns / 1e9)
            answer.raise_for_status()
            return Answer.from_json(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise NoAnswer(f"{command.verb} at {location}: {type(error).__name__}") from error

    def note(self, sort: str, /, **value: Any) -> None:
        """A line in the journal."""
        self._tell(sort, value)

    def _tell(self, sort: str, value: Mapping[str, Any]) -> None:
        tell(self._journal, self.name, sort, value)


