"""Tasks: ordinary blocking Python in virtual time. Each is a greenlet; the hub it switches to is the kernel's loop.

A task that waits has told an event (or a deadline) to call ``_wake``. The wake-up counts only if it comes from the very
event the task waits for now, so a late one (the task was crashed, interrupted, or gave up) changes nothing. Which task
runs, ``context._running``, is saved by a task that suspends and restored by it when it goes on.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import greenlet
import simpy

from storcert.harness.kernel import context
from storcert.harness.kernel.deadline import Deadline
from storcert.harness.kernel.exceptions import LocationCrashed, belongs_to_kit

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel

_running = context._running  # read and written twice per switch: a function call would be a tenth of it


class Task(greenlet.greenlet):
    """Made by ``Kernel.spawn``.

    ``name``, ``location``. ``done``: its function returned or raised; ``result`` or ``error`` then say what. ``crashed``: its
    location died under it, it will never go on. ``ended_event``: succeeds, with the task as its value, when either comes
    true. ``waiting_for``: in words, for "who waits for whom"; a device may set it. ``scope``: a free slot for the kit.
    ``behalf``: the name of the task whose work it does: another's where that one has run a command, for example. ``thread``:
    which thread of its location's process it is, once somebody asked; told by :meth:`_ended` of the kernel when it ends.
    """

    __slots__ = (
        "_alarm",
        "_deadline",
        "_ended_event",
        "_expirers",
        "_function",
        "_held",
        "_refusals",
        "_waits_for",
        "_wakers",
        "behalf",
        "crashed",
        "done",
        "error",
        "kernel",
        "location",
        "name",
        "result",
        "scope",
        "thread",
        "waiting_for",
    )

    error: BaseException | None  # type: ignore[assignment]  # the base has an exception class of this name

    def __init__(
        self, kernel: Kernel, function: Callable[[], Any], location: Location | None, name: str, hub: greenlet.greenlet
    ) -> None:
        super().__init__(parent=hub)
        self.gr_context = contextvars.copy_context()
        self.kernel = kernel
        self.location = location
        self.name = name
        self.behalf = name
        self.done = False
        self.crashed = False
        self.result: Any = None
        self.error = None
        self._ended_event: simpy.Event | None = None
        self.waiting_for = ""
        self.scope: object = None
        self.thread: Any = None
        self._function: Callable[[], Any] | None = function
        # Bound methods, made once; cycles, which Kernel._ended breaks.
        self._wakers: tuple[Callable[[Any], Any], ...] = (self._wake,)
        self._expirers: tuple[Callable[[Any], Any], ...] = (self._expire,)
        self._waits_for: Any = None
        self._deadline: Deadline | None = None
        self._held: Any = None
        self._refusals = 0
        self._alarm = Deadline(kernel, 0, ())

    @property
    def ended_event(self) -> simpy.Event:
        """Made when it is first asked for: nobody waits for most tasks. One that is asked for after the end has happened
        already; a task that is over remembers none, because the two would know each other and be left to the garbage
        collector."""
        event = self._ended_event
        if event is None:
            event = simpy.Event(self.kernel)
            if self.ended:
                event._ok, event._value, event.callbacks = True, self, None  # type: ignore[assignment]
            else:
                self._ended_event = event
        return event

    @property
    def end_waited_for(self) -> simpy.Event | None:
        """:attr:`ended_event`, if anybody has asked for it. Asking for the event itself changes what happens; this does not."""
        return self._ended_event

    def _tell_end(self) -> None:
        """Those who asked for the event learn that it has happened."""
        event, self._ended_event = self._ended_event, None
        if event is not None:
            event.succeed(self)

    @property
    def ended(self) -> bool:
        """Finished, failed or crashed: it will never run again."""
        return self.done or self.crashed

    @property
    def awaited(self) -> Any:
        """Of a task that waits, the event that will wake it: for "who waits for whom"."""
        return self._held if self._waits_for is None else self._waits_for

    def __repr__(self) -> str:
        state = "crashed" if self.crashed else "done" if self.done else self.waiting_for or "runs"
        return f"<task {self.name}: {state}>"

    def run(self, _start: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The body of the greenlet, which calls it with what the first ``switch`` was given."""
        function, self._function = self._function, None
        assert function is not None
        self._waits_for = None
        self.waiting_for = ""
        _running[0] = self
        try:
            self.result = function()
        except LocationCrashed as error:
            if not (self.crashed or self.kernel.sealed):
                self.error = error  # somebody else's: kept, as any error
        except BaseException as error:  # noqa: BLE001  # kept, and raised again below if it is the kit's
            self.error = error  # pyright: ignore[reportIncompatibleVariableOverride]
        finally:
            _running[0] = None
        self.kernel._ended(self)
        if self.error is not None and belongs_to_kit(self.error):
            raise self.error
        del self  # the frames of an error lead here, and a task knows its error: a cycle

    def _wake(self, event: Any) -> None:
        """Called by the loop when ``event`` happens."""
        if event is self._waits_for:
            self.switch(event)
        elif event is self._held and event is not None:
            self._hold_back(event)

    def _expire(self, deadline: Deadline) -> None:
        """Called by the loop when the time for a wait is up."""
        if deadline is self._deadline:
            if self._waits_for is not None:
                self.switch(deadline)
            elif self._held is not None:
                self._hold_back(deadline)

    def _suspend(self) -> Any:
        """Give control to the loop; gives what it was woken with. Called inside the task only."""
        before = _running[0]
        _running[0] = None
        try:
            return self.kernel._hub.switch()
        except BaseException:
            self._withdraw()
            raise
        finally:
            _running[0] = before

    def _withdraw(self) -> None:
        """Wait for nothing any more: no event, no deadline holds on to this task."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()
        for event in (self._waits_for, self._held):
            self._stop_listening(event)
        self._waits_for = self._held = None

    def _stop_listening(self, event: Any) -> None:
        if type(event) is Deadline:
            event.cancel()
            if event is self._alarm:  # still in the heap, so it cannot be used again
                self._alarm = Deadline(self.kernel, 0, ())
        elif event is not None and event.callbacks and self._wakers[0] in event.callbacks:
            event.callbacks.remove(self._wakers[0])

    def _hold_back(self, woken_by: Any) -> None:
        """The location is paused: keep the wake-up for ``resume``. The first to come wins, as it would have."""
        if not woken_by._ok:
            woken_by._defused = True
        deadline, self._deadline = self._deadline, None
        if deadline is woken_by:
            self._stop_listening(self._held)
        elif deadline is not None:
            deadline.cancel()
        self._held = None
        assert self.location is not None
        self.location._held.append((self, woken_by))
