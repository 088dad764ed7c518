"""``datetime`` at a location: the classes stay the real ones, only their methods that read a clock or the time zone change.

``datetime.datetime`` is captured everywhere (``from datetime import datetime``, class bodies, compiled validators) and
compared by identity, so a substitute class is seen. Instead the methods are exchanged inside the real class. A built-in
class refuses ``setattr``; its dictionary is reached through the garbage collector's view and the interpreter's method cache
is told by ``PyType_Modified``. Where that is not possible (PyPy, no ctypes) the classes are left as they are.
The local time zone of a location is UTC.
"""

from __future__ import annotations

import datetime
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose.presence import running, task_here

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition

_EPOCH = datetime.datetime(1970, 1, 1)
_UTC = datetime.timezone.utc  # noqa: UP017  (datetime.UTC is the same object)
_MISSING = object()


def _now_us() -> int | None:
    """Simulated time in microseconds, ``None`` outside a location."""
    task = task_here()
    if task is None:
        return None
    from storcert.harness.kernel.interpose.clock import wall_ns

    return wall_ns(task) // 1_000


def _build(cls: Any, moment: datetime.datetime) -> Any:
    """``moment`` as an instance of ``cls``, which may be a subclass with a constructor of the usual shape."""
    if cls is datetime.datetime and moment.tzinfo is None:
        return moment
    return cls(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond,
        moment.tzinfo, fold=moment.fold,
    )


def _now(original: Any) -> Any:
    def now(cls: Any, tz: datetime.tzinfo | None = None) -> Any:
        if running[0] is None or (now_us := _now_us()) is None:
            return original.__get__(None, cls)(tz)
        moment = _EPOCH + datetime.timedelta(microseconds=now_us)
        if tz is None:
            return _build(cls, moment)
        return tz.fromutc(_build(cls, moment.replace(tzinfo=tz)))

    return classmethod(now)


def _utcnow(original: Any) -> Any:
    def utcnow(cls: Any) -> Any:
        if running[0] is None or (now_us := _now_us()) is None:
            return original.__get__(None, cls)()
        return _build(cls, _EPOCH + datetime.timedelta(microseconds=now_us))

    return classmethod(utcnow)


def _datetime_fromtimestamp(original: Any) -> Any:
    def fromtimestamp(cls: Any, timestamp: float, tz: datetime.tzinfo | None = None) -> Any:
        convert = original.__get__(None, cls)
        if tz is not None or running[0] is None or task_here() is None:
            return convert(timestamp, tz)
        return convert(timestamp, _UTC).replace(tzinfo=None)

    return classmethod(fromtimestamp)


def _date_fromtimestamp(original: Any) -> Any:
    def fromtimestamp(cls: Any, timestamp: float, /) -> Any:
        if running[0] is None or task_here() is None:
            return original.__get__(None, cls)(timestamp)
        moment = datetime.datetime.fromtimestamp(timestamp, _UTC)
        return cls(moment.year, moment.month, moment.day)

    return classmethod(fromtimestamp)


def _timestamp(original: Any) -> Any:
    def timestamp(self: datetime.datetime) -> float:
        if self.tzinfo is None and running[0] is not None and task_here() is not None:
            return float(original(self.replace(tzinfo=_UTC)))
        return float(original(self))

    return timestamp


def _astimezone(original: Any) -> Any:
    def astimezone(self: datetime.datetime, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        if running[0] is not None and task_here() is not None:
            if self.tzinfo is None:
                self = self.replace(tzinfo=_UTC)
            tz = _UTC if tz is None else tz
        return original(self, tz)  # type: ignore[no-any-return]

    return astimezone


# date.today and datetime.today go through time.time and fromtimestamp, in C as in Python.
_METHODS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (datetime.datetime, "now", _now),
    (datetime.datetime, "utcnow", _utcnow),
    (datetime.datetime, "fromtimestamp", _datetime_fromtimestamp),
    (datetime.datetime, "timestamp", _timestamp),
    (datetime.datetime, "astimezone", _astimezone),
    (datetime.date, "fromtimestamp", _date_fromtimestamp),
)


def _class_dictionary(cls: type) -> dict[str, Any] | None:
    """The dictionary behind ``vars(cls)``, which is only a view of it."""
    found = gc.get_referents(vars(cls))
    return found[0] if len(found) == 1 and type(found[0]) is dict else None


def _forget_cached_methods() -> Callable[[type], None] | None:
    try:
        import ctypes

        modified = ctypes.pythonapi.PyType_Modified
    except (ImportError, AttributeError):
        return None

    def forget(cls: type) -> None:
        modified(ctypes.py_object(cls))

    return forget


def install(interposition: Interposition) -> None:
    """Exchange the methods, where this interpreter lets them be exchanged."""
    forget = _forget_cached_methods()
    if forget is None:
        return
    for cls, name, make in _METHODS:
        names = _class_dictionary(cls)
        original = _MISSING if names is None else names.get(name, _MISSING)
        if names is None or original is _MISSING:
            continue
        names[name] = make(original)
        forget(cls)
        interposition.on_undo(_restore(names, name, original, cls, forget))


def _restore(
    names: dict[str, Any], name: str, original: Any, cls: type, forget: Callable[[type], None]
) -> Callable[[], None]:
    def restore() -> None:
        names[name] = original
        forget(cls)

    return restore
