"""Locations: the simulated machines on which code runs. They crash, pause and restart; their tasks go with them.

Fault model. A location dies at one instant, at any point where its code waits or talks to something: no ``finally`` runs, what
was in its memory is gone, what it had sent is on its way. The point may be chosen by the request that is made there (``crash``,
a fault of every device: before it is sent, with half of its body sent, after its effect).

- crash: all its tasks, its caches, its open files and its mounts are gone; leases and watches it held lapse by the device's own
  clock. [any machine can lose its power; measured for each device with kill -9 of the client]
- restart: a new process with another id, another boot time and the same name; nothing is remembered.
- pause and resume: nothing runs for a while and then all of it goes on, unaware, as a virtual machine that was stopped or a
  process in a long garbage collection. Meanwhile others may have taken it for dead. [measured: SIGSTOP and SIGCONT]
- a clock that is wrong: the time of day of one location jumps ahead or back, by itself or because somebody set it, and jumps
  again when it is put right. Monotonic clocks, sleep and everything that measures a duration go on. [a machine without NTP, or
  with a wrong one; a virtual machine that was suspended; ``settimeofday`` and a step of ``ntpd``, which ``CLOCK_REALTIME``
  shows and ``CLOCK_MONOTONIC`` does not: clock_gettime(2)]
- kill: one process of it dies, the others go on; a driver's own command (``dog``) after its time limit.

Not modelled, and why:

- a clock that runs too fast or too slow: a second is as long everywhere. A quartz is wrong by a second in some hours, and no
  deadline is that close.
- the catalogue's own clock: moments of different servers are compared by it alone, and it is right.
- a disk of its own: a driver may keep nothing there (C-NOFS), so nothing of it can be lost or found again.
- memory that runs out, a processor that is too slow: computing takes no virtual time. To others such a machine is one that
  pauses, or dies.
- a machine that lies: agents and servers are of one operator.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import greenlet

from storcert.harness.kernel.exceptions import LocationCrashed
from storcert.harness.kernel.task import Task
from storcert.harness.record.finding import Finding

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel


class Location:
    """Made by ``Kernel.location``.

    ``alive``, ``paused``; ``epoch``: how often it was restarted, last at ``booted_ns``; ``pid``: of its process, another one
    after each restart; ``clock_ahead_ns``: how wrong its clock is; ``services``: client faces attached here, by name;
    ``filesystem``: what paths mean here; ``threads``: those of its process, once there are any; ``findings``: what driver
    code did here that it may not do.
    """

    def __init__(self, kernel: Kernel, name: str, hostname: str, environ: Mapping[str, str]) -> None:
        self.kernel = kernel
        self.name = name
        self.hostname = hostname
        self.environ = dict(environ)
        self.pid = kernel._next_pid()
        self.alive = True
        self.paused = False
        self.epoch = 0
        self.booted_ns = kernel.now_ns
        self.clock_ahead_ns = 0
        self.services: dict[str, Any] = {}
        self.filesystem: Any | None = None
        self.threads: Any | None = None
        self.findings: list[Finding] = []
        self._streams: dict[str, random.Random] = {}
        self._tasks: dict[Task, None] = {}
        self._held: list[tuple[Task, Any]] = []

    def __repr__(self) -> str:
        state = "paused" if self.paused else "alive" if self.alive else "dead"
        return f"<location {self.name}: {state}>"

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Tasks that have not ended, oldest first."""
        return tuple(self._tasks)

    def stream(self, name: str) -> random.Random:
        """The random stream called ``name`` of this location, a new one after each restart."""
        found = self._streams.get(name)
        if found is None:
            found = self._streams[name] = self.kernel.new_stream(f"location/{self.name}/{self.epoch}/{name}")
        return found

    @property
    def wall_ns(self) -> int:
        """What its clock shows: Unix time, as far as this machine knows."""
        return max(0, self.kernel.now_ns + self.clock_ahead_ns)

    def set_clock(self, ahead_ns: int) -> None:
        """The time of day here is so much later than it is, or earlier (less than 0), from now on; 0: it is right. What
        measures durations goes on as ever. It survives a crash: the clock is the machine's."""
        if ahead_ns != self.clock_ahead_ns:
            self.clock_ahead_ns = ahead_ns
            self.kernel.journal.record("clock", self.name, f"{ahead_ns:+d} ns" if ahead_ns else "right")

    def require_open(self) -> None:
        """For everything simulated: raises ``LocationCrashed`` if code of this location may not do anything any more."""
        if not self.alive or self.kernel.sealed:
            self.kernel._refuse()

    def crash(self) -> None:
        """The machine dies now. Its tasks never go on and run no ``finally``. Called by one of its own tasks, it does not
        return. Does nothing to a dead location."""
        if not self.alive:
            return
        self.kernel._require_open()
        self.kernel.journal.record("crash", self.name, "")
        self._kill_tasks()
        self._leave_if_inside()

    def restart(self) -> None:
        """Up again, as a new process, with none of the old tasks; crashes it first if it is alive."""
        self.kernel._require_open()
        self._kill_tasks()
        self.alive = True
        self.epoch += 1
        self._streams = {}
        self.threads = None
        self.booted_ns = self.kernel.now_ns
        self.pid = self.kernel._next_pid()
        self.kernel.journal.record("restart", self.name, "")
        self._leave_if_inside()

    def pause(self) -> None:
        """Nothing runs here until ``resume``; the world goes on. Called by one of its own tasks, returns at ``resume``."""
        if not self.alive or self.paused:
            return
        self.kernel._require_open()
        self.kernel.journal.record("pause", self.name, "")
        self.paused = True
        inside = self._inside()
        for task in self._tasks:
            if task is not inside:
                task._held, task._waits_for = task._waits_for, None
        if inside is not None:
            self._held.append((inside, None))
            inside.waiting_for = "resume"
            inside._suspend()

    def resume(self) -> None:
        """Runs again. Wake-ups that came meanwhile are delivered in the order in which they came, at this instant."""
        if not self.alive or not self.paused:
            return
        self.kernel._require_open()
        self.kernel.journal.record("resume", self.name, "")
        self.paused = False
        for task in self._tasks:
            if task._held is not None:
                task._waits_for, task._held = task._held, None
        if self._held:
            self.kernel.after(0, self._deliver)

    def _deliver(self) -> None:
        # Taken one by one: a task that runs may pause or crash its location, and what is left then stays or goes.
        while self._held and not self.paused:
            task, event = self._held.pop(0)
            task.switch(event)

    def kill(self, task: Task) -> None:
        """One process of the machine is killed: ``task`` never goes on and runs no ``finally``. Not for the calling task
        itself; does nothing to one that has ended."""
        if task not in self._tasks:
            return
        self.kernel._require_open()
        self.kernel.journal.record("kill", self.name, task.name)
        self._held = [(one, event) for one, event in self._held if one is not task]
        del self._tasks[task]
        _bury(task)

    def _kill_tasks(self) -> None:
        self.alive = False
        self.paused = False
        self._held.clear()
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            _bury(task)

    def _inside(self) -> Task | None:
        """The task of this location that is calling, if it is one."""
        current = greenlet.getcurrent()
        return current if isinstance(current, Task) and current.location is self and not current.done else None

    def _leave_if_inside(self) -> None:
        task = self._inside()
        if task is not None:
            task._suspend()
            raise LocationCrashed("a crashed task was resumed")  # pragma: no cover  # nothing wakes it but close()


def _bury(task: Task) -> None:
    task._withdraw()
    task.crashed = True
    task.waiting_for = ""
    task._tell_end()
