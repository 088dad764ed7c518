"""SimPy's timeouts and generator processes, for this kernel: integer delays, and failures that stay the same exception.

SimPy hands a copy ``type(error)(*error.args)`` to a process that waits for a failed event; a copy loses attributes, or cannot
be made at all. Here the original is thrown.
"""

from __future__ import annotations

from heapq import heappush
from typing import TYPE_CHECKING, Any

import simpy
from simpy.events import Event, Process

from storcert.harness.kernel.checks import delay_of

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel


class KernelTimeout(simpy.Timeout):
    """``kernel.timeout(delay_ns, value=None)``."""

    env: Kernel

    def __init__(self, env: Kernel, delay: int, value: Any = None) -> None:
        # Says what Timeout.__init__ and Environment.schedule say, without the two calls: this is the hottest path there is.
        if type(delay) is not int or delay < 0:
            delay = delay_of(delay)
        self.env = env
        self.callbacks = []
        self._value = value
        self._delay = delay
        self._ok = True
        heappush(env._queue, (env._now + delay, next(env._orders), self))


class KernelProcess(Process):
    """``kernel.process(generator)``."""

    def _resume(self, event: Event) -> None:
        env = self.env
        env._active_proc = self
        generator = self._generator
        while True:
            try:
                if event._ok:
                    event = generator.send(event._value)
                else:
                    event._defused = True
                    event = generator.throw(event._value)
            except StopIteration as stop:
                self._target = None  # type: ignore[assignment]
                self._ok = True
                self._value = stop.value
                env.schedule(self)
                break
            except BaseException as error:
                self._target = None  # type: ignore[assignment]
                self._ok = False
                self._value = error
                env.schedule(self)
                break
            try:
                callbacks = event.callbacks
            except AttributeError:
                env._active_proc = None
                raise RuntimeError(f"process {self.name} yielded {event!r}, which is no event") from None
            if callbacks is not None:
                callbacks.append(self._resume)
                self._target = event
                break
        env._active_proc = None
