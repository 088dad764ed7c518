"""What the kernel raises. The tree::

    Exception
     +-- DeadlineExpired     a wait took longer than it was allowed to
     +-- TaskCrashed         the task one joins crashed with its location: there is no result
     +-- WorldClosed         the kit uses a kernel after close()
    BaseException
     +-- LocationCrashed     code of a dead location or of a world that is over still runs: it must leave
     +-- RunawayTask         a task burns real time, or events, without letting virtual time pass
     +-- KitAbort            base for the kit's own "stop the whole run" exceptions raised inside a task

The three under ``BaseException`` are there so that ``except Exception`` of driver code does not swallow them.
"""

from __future__ import annotations


class DeadlineExpired(Exception):
    """``kernel.wait(event, timeout_ns)``: the event had not happened when the time was up. The event is left alone."""

    def __init__(self, timeout_ns: int = 0) -> None:
        super().__init__(timeout_ns)
        self.timeout_ns = timeout_ns

    def __str__(self) -> str:
        return f"nothing happened within {self.timeout_ns} ns of virtual time"


class TaskCrashed(Exception):
    """``kernel.join(task)``: the task's location crashed, so the task neither finished nor failed."""


class WorldClosed(Exception):
    """The kernel was closed: its world is over and nothing can happen in it any more."""


class LocationCrashed(BaseException):
    """Raised by everything simulated in code that must not run any more: its location died, or its world is over.

    Only ``Kernel.close()`` lets such code run at all, to free the memory its stack holds.
    """


class RunawayTask(BaseException):
    """Thrown into a task that would never end; kept as its ``error``. Virtual time stood still meanwhile. Raised by ``run()``
    itself where no task, but a device or the kit, goes round in circles."""


class KitAbort(BaseException):
    """Raised by kit code inside a task, ends the whole ``run()`` with this exception instead of only the task."""


_TEST_TOOLS = frozenset({"_pytest", "pytest", "hypothesis"})


def belongs_to_kit(error: BaseException) -> bool:
    """Whether an exception that ended a task must leave ``run()`` too: an interrupt by the user, or a test tool's own control
    flow (``pytest.fail``, Hypothesis' ``StopTest``). All else is the driver's doing and stays in ``task.error``."""
    if isinstance(error, Exception):
        return False
    if isinstance(error, (KeyboardInterrupt, KitAbort)):
        return True
    # Looked for among the bases too: pytest says that its exceptions are builtins.
    return any(kind.__module__.partition(".")[0] in _TEST_TOOLS for kind in type(error).__mro__)
