"""The simulation kernel: virtual time in which ordinary blocking code runs, and one seed that decides everything.

``Kernel`` is a world; ``Task`` is blocking code that runs in it; ``Location`` is a machine that can crash. What a run did is in
its ``Journal``; its digest identifies it. ``current_task()`` says whose code runs now.
"""

from storcert.harness.kernel.context import current_location, current_task, outside
from storcert.harness.kernel.deadline import Deadline
from storcert.harness.kernel.exceptions import (
    DeadlineExpired,
    KitAbort,
    LocationCrashed,
    RunawayTask,
    TaskCrashed,
    WorldClosed,
)
from storcert.harness.kernel.journal import Journal
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.loop import Kernel
from storcert.harness.kernel.priorities import Priorities
from storcert.harness.kernel.task import Task

__all__ = [
    "Deadline",
    "DeadlineExpired",
    "Journal",
    "Kernel",
    "KitAbort",
    "Location",
    "LocationCrashed",
    "Priorities",
    "RunawayTask",
    "Task",
    "TaskCrashed",
    "WorldClosed",
    "current_location",
    "current_task",
    "outside",
]
