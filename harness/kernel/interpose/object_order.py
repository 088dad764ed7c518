"""Sets of objects in the same order in every run: a hash that tells when an object was made, instead of where it lies.

Only for classes whose sets are walked through by what locations run, the standard library's and s3transfer's. The sets of a
driver's own objects are its own affair, on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose.presence import running, task_here
from storcert.harness.kernel.interpose.process_threads import process_of

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition

_NUMBER = "_storcert_number"


def order_by_making(interposition: Interposition, cls: type) -> None:
    """Instances of ``cls`` that are made at a location have their number there as hash. ``cls`` compares by identity."""
    interposition.replace(cls, "__init__", _numbering)
    interposition.add(cls, "__hash__", _hash)


def _numbering(original: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if running[0] is not None and (task := task_here()) is not None:
            # First of all: the class may put its new instance into a set.
            self.__dict__[_NUMBER] = process_of(task.location).next_object()
        original(self, *args, **kwargs)

    return __init__


def _hash(self: Any) -> int:
    number = self.__dict__.get(_NUMBER)
    return object.__hash__(self) if number is None else int(number)
