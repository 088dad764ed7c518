"""The clock at a location: simulated time behind ``time`` and ``datetime``; waiting is waiting in virtual time.

Wall clock: the location's, which is the kernel's ``now_ns`` unless it is wrong. Monotonic clocks count from the boot of the
location's epoch. Processor time does not exist in the model: those clocks show the monotonic one, so that a loop on them
ends. The time zone is UTC everywhere.

Reading the clock costs nothing, so a loop that polls it would never end. After ``_READS_AT_ONE_INSTANT`` reads with no
time passing, a read waits a moment itself, and twice as long the next time (a real machine would have run other code too).

Not caught: ``time.tzname`` and its neighbours (constants), clocks read in C by extension modules, ``select`` as a sleep
(:mod:`.unsimulated` answers it), signals and timers of the operating system.
"""

from __future__ import annotations

import calendar
import math
import operator
import time
import weakref
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose import datetimes
from storcert.harness.kernel.interpose.presence import running, task_here

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.interpose.presence import LocatedTask
    from storcert.harness.kernel.location import Location

_SECOND_NS = 10**9
_BOOT_TO_FIRST_PROCESS_NS = 10 * _SECOND_NS  # a monotonic clock at 0 is what no program ever sees
_READS_AT_ONE_INSTANT = 2_000
_FIRST_SPIN_NS = 1_000_000
_LONGEST_SPIN_NS = 60 * _SECOND_NS
_LONGEST_SLEEP_SECONDS = 2**63 / _SECOND_NS

_REAL_GMTIME = time.gmtime
_REAL_ASCTIME = time.asctime


class _Spin:
    """How often the clock was read since time last moved, in the world that read it last."""

    __slots__ = ("at_ns", "kernel", "penalty_ns", "reads")

    def __init__(self) -> None:
        self.kernel: Callable[[], Any] = lambda: None
        self.at_ns = -1
        self.reads = 0
        self.penalty_ns = _FIRST_SPIN_NS


_spin = _Spin()


def wall_ns(task: LocatedTask) -> int:
    """Unix time as the clock of the location of ``task`` shows it, in integer nanoseconds; counts as one look at the clock."""
    _look(task)
    return task.location.wall_ns


def _look(task: LocatedTask) -> int:
    """Virtual time, looked at once more."""
    kernel = task.location.kernel
    now_ns: int = kernel.now_ns
    spin = _spin
    if now_ns != spin.at_ns or spin.kernel() is not kernel:
        # Somebody really waited: what follows is not the loop that was running.
        spin.kernel, spin.at_ns, spin.reads, spin.penalty_ns = weakref.ref(kernel), now_ns, 1, _FIRST_SPIN_NS
        return now_ns
    spin.reads += 1
    if spin.reads > _READS_AT_ONE_INSTANT:
        penalty_ns = spin.penalty_ns
        kernel.sleep_ns(penalty_ns)
        if kernel.now_ns == now_ns + penalty_ns:
            spin.at_ns, spin.reads = kernel.now_ns, 0
            spin.penalty_ns = min(2 * penalty_ns, _LONGEST_SPIN_NS)
        return int(kernel.now_ns)
    return now_ns


def monotonic_ns(task: LocatedTask) -> int:
    """Nanoseconds since the location was last booted, which was a while before its first process ran."""
    return _look(task) - boot_ns(task.location)


def boot_ns(location: Location) -> int:
    """Simulated time at which the machine of the present epoch of ``location`` was switched on."""
    return location.booted_ns - _BOOT_TO_FIRST_PROCESS_NS


def _reading(read: Callable[[LocatedTask], Any]) -> Callable[[Any], Any]:
    """A replacement without arguments: the original outside, ``read(task)`` at a location."""

    def call(original: Callable[[], Any]) -> Any:
        if running[0] is None:
            return original()
        task = task_here()
        return original() if task is None else read(task)

    return lambda original: MethodType(call, original)


def _seconds(read_ns: Callable[[LocatedTask], int]) -> Callable[[LocatedTask], float]:
    return lambda task: read_ns(task) / _SECOND_NS


def duration_ns(seconds: Any) -> int:
    """Seconds as :func:`time.sleep` takes them, in nanoseconds, rounded up as it does; its own errors."""
    if isinstance(seconds, float):
        if math.isnan(seconds):
            raise ValueError("Invalid value NaN (not a number)")
        if seconds >= _LONGEST_SLEEP_SECONDS:
            raise OverflowError("timestamp too large to convert to C _PyTime_t")
        whole_ns = math.ceil(seconds * _SECOND_NS)
    else:
        whole_ns = operator.index(seconds) * _SECOND_NS
        if whole_ns >= _LONGEST_SLEEP_SECONDS * _SECOND_NS:
            raise OverflowError("timestamp too large to convert to C _PyTime_t")
    if whole_ns < 0:
        raise ValueError("sleep length must be non-negative")
    return whole_ns


def _sleep(original: Callable[[float], None], seconds: float, /) -> None:
    if running[0] is None or (task := task_here()) is None:
        return original(seconds)
    waited_ns = duration_ns(seconds)
    if waited_ns == 0:
        wall_ns(task)  # so that a loop of sleep(0) is seen as the busy loop that it is
    task.location.kernel.sleep_ns(waited_ns)
    return None


def _broken_down(
    original: Callable[[float | None], time.struct_time], seconds: float | None = None, /
) -> time.struct_time:
    if running[0] is None or (task := task_here()) is None:
        return original(seconds)
    return _REAL_GMTIME(wall_ns(task) // _SECOND_NS if seconds is None else seconds)


def _text(original: Callable[..., str]) -> Callable[..., str]:
    """``ctime`` and ``asctime``: the present moment where no argument is given."""
    wants_seconds = original.__name__ == "ctime"

    def call(original: Callable[..., str], value: Any = None, /) -> str:
        if running[0] is None or (task := task_here()) is None:
            return original() if value is None else original(value)
        if value is not None and not wants_seconds:
            return original(value)
        return _REAL_ASCTIME(_REAL_GMTIME(wall_ns(task) // _SECOND_NS if value is None else value))

    return MethodType(call, original)


def _strftime(original: Callable[..., str], form: str, moment: Any = None, /) -> str:
    if moment is None and running[0] is not None and (task := task_here()) is not None:
        moment = _REAL_GMTIME(wall_ns(task) // _SECOND_NS)
    return original(form) if moment is None else original(form, moment)


def _mktime(original: Callable[[Any], float], moment: Any, /) -> float:
    if running[0] is None or task_here() is None:
        return original(moment)
    return float(calendar.timegm(tuple(moment)))


def _clock_gettime(scale: int) -> Callable[[Any], Any]:
    """``clock_gettime`` (scale 10**9: seconds) and ``clock_gettime_ns`` (scale 1)."""

    def call(original: Callable[[int], Any], clock: int, /) -> Any:
        if running[0] is None or (task := task_here()) is None:
            return original(clock)
        value_ns = wall_ns(task) if clock == time.CLOCK_REALTIME else monotonic_ns(task)
        return value_ns if scale == 1 else value_ns / scale

    return lambda original: MethodType(call, original)


def install(interposition: Interposition) -> None:
    """Replace the clocks of ``time`` and the constructors of ``datetime`` that read one."""
    replace = interposition.replace
    replace(time, "time", _reading(_seconds(wall_ns)))
    replace(time, "time_ns", _reading(wall_ns))
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        replace(time, name, _reading(_seconds(monotonic_ns)))
        replace(time, f"{name}_ns", _reading(monotonic_ns))
    replace(time, "sleep", lambda original: MethodType(_sleep, original))
    replace(time, "gmtime", lambda original: MethodType(_broken_down, original))
    replace(time, "localtime", lambda original: MethodType(_broken_down, original))
    replace(time, "ctime", _text)
    replace(time, "asctime", _text)
    replace(time, "strftime", lambda original: MethodType(_strftime, original))
    replace(time, "mktime", lambda original: MethodType(_mktime, original))
    replace(time, "clock_gettime", _clock_gettime(_SECOND_NS))
    replace(time, "clock_gettime_ns", _clock_gettime(1))
    datetimes.install(interposition)
