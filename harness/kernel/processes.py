"""SimPy's timeouts and generator processes, for this kernel: integer delays, and failures that stay the same exception.

SimPy hands a copy ``type(error)(*error.args)`` to a process that waits for a failed event; a copy loses attributes, or cannot
be made at all. Here the original is thrown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import simpy
from simpy.events import Event, Process, ProcessGenerator

if TYPE_CHECKING:
    from storcert.harness.kernel.environment import IntegerEnvironment


class KernelTimeout(simpy.Timeout):
    """What ``kernel.timeout(delay_ns, value=None)`` gives. Made there, without ``__init__``."""


new_timeout = KernelTimeout.__new__


class KernelProcess(Process):
    """What ``kernel.process(generator)`` gives."""

    def __init__(self, env: IntegerEnvironment, generator: ProcessGenerator) -> None:
        super().__init__(env, generator)
        self._send = generator.send
        self._go_on: Any = self._resume  # a bound method, made once; a cycle, so taken away at the end

    def _resume(self, event: Event) -> None:
        env = self.env
        env._active_proc = self
        while True:
            try:
                if event._ok:
                    event = self._send(event._value)
                else:
                    event._defused = True
                    event = self._generator.throw(event._value)
            except StopIteration as stop:
                self._finish(True, stop.value)
                break
            except BaseException as error:  # noqa: BLE001  # it is the value of the process from now on
                self._finish(False, error)
                break
            try:
                callbacks = event.callbacks
            except AttributeError:
                env._active_proc = None
                raise RuntimeError(f"process {self.name} yielded {event!r}, which is no event") from None
            if callbacks is not None:
                callbacks.append(self._go_on)
                self._target = event
                break
        env._active_proc = None

    def _finish(self, ok: bool, value: Any) -> None:
        self._target = self._go_on = None  # type: ignore[assignment]  # as in SimPy: no target any more
        self._ok = ok
        self._value = value
        self.env.schedule(self)
