"""``threading.local`` while installed: at a location each thread of its process has values of its own, outside it is CPython's.

Instances that were made before the installation are CPython's and know one thread only: that of all tasks.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose.presence import running, task_here
from storcert.harness.kernel.interpose.process_threads import ThreadIdentity, identity_of

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition

_ABSENT = object()
_OWN = frozenset({"_storcert_arguments", "_storcert_values"})


def _defined(kind: type, name: str) -> Any:
    """What a class or one of its bases has under this name."""
    return next((vars(cls)[name] for cls in kind.__mro__ if name in vars(cls)), _ABSENT)


def _local(original: Any) -> Any:
    """A class like ``original``, of which it is a subclass: outside a location it does nothing of its own."""
    get: Any = original.__getattribute__
    put: Any = original.__setattr__
    remove: Any = original.__delattr__

    class local(original):  # type: ignore[misc]
        __slots__ = ("_storcert_arguments", "_storcert_values")

        def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
            self = original.__new__(cls, *args, **kwargs)
            values: weakref.WeakKeyDictionary[ThreadIdentity, dict[str, Any]] = weakref.WeakKeyDictionary()
            put(self, "_storcert_arguments", (args, kwargs))
            put(self, "_storcert_values", values)
            if running[0] is not None and (task := task_here()) is not None:
                values[identity_of(task)] = {}  # Python calls __init__ for the thread that makes it
            return self

        def __getattribute__(self, name: str) -> Any:
            if running[0] is None or name in _OWN or (task := task_here()) is None:
                return get(self, name)
            values = _values(self, identity_of(task))
            if name == "__dict__":
                return values
            kind = type(self)
            defined = _defined(kind, name)
            how: Any = type(defined)
            if hasattr(how, "__set__") and hasattr(how, "__get__"):
                return how.__get__(defined, self, kind)
            if name in values:
                return values[name]
            if defined is _ABSENT:
                raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
            return how.__get__(defined, self, kind) if hasattr(how, "__get__") else defined

        def __setattr__(self, name: str, value: Any) -> None:
            if running[0] is None or (task := task_here()) is None:
                put(self, name, value)
                return
            values = _values(self, identity_of(task))
            if name == "__dict__":
                raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
            defined = _defined(type(self), name)
            how: Any = type(defined)
            if hasattr(how, "__set__"):
                how.__set__(defined, self, value)
            else:
                values[name] = value

        def __delattr__(self, name: str) -> None:
            if running[0] is None or (task := task_here()) is None:
                remove(self, name)
                return
            values = _values(self, identity_of(task))
            if name not in values:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            del values[name]

    def _values(self: Any, identity: ThreadIdentity) -> dict[str, Any]:
        of_threads = get(self, "_storcert_values")
        found: dict[str, Any] | None = of_threads.get(identity)
        if found is None:
            found = of_threads[identity] = {}
            args, kwargs = get(self, "_storcert_arguments")
            type(self).__init__(self, *args, **kwargs)
        return found

    return local


def install(interposition: Interposition) -> None:
    """New instances, and subclasses that are defined from now on, know the threads of locations."""
    import threading

    interposition.replace(threading, "local", _local)
