"""Where a name can sit captured inside a module: class attributes (``_open = open``), default arguments (``rm=os.unlink``).

Looking into every function of every module takes too long for each installation. Modules that are library code do not
change: which of their functions and classes hold a built-in function or a class at all is found once and kept.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from storcert.harness.kernel.interpose import blame

_Undo = list[Callable[[], None]]
_CAPTURED = (types.BuiltinFunctionType, types.FunctionType, types.MethodType, staticmethod, type)


class Defaults:
    """A function whose default arguments hold something callable."""

    __slots__ = ("_function",)

    def __init__(self, function: types.FunctionType) -> None:
        self._function = function

    def swap(self, swap: dict[int, Any], undo: _Undo) -> None:
        """Exchange what ``swap`` names, by id."""
        function = self._function
        defaults = function.__defaults__
        if defaults and any(id(value) in swap for value in defaults):
            function.__defaults__ = tuple(swap.get(id(value), value) for value in defaults)
            undo.append(lambda: setattr(function, "__defaults__", defaults))
        keywords = function.__kwdefaults__
        if keywords and any(id(value) in swap for value in keywords.values()):
            function.__kwdefaults__ = {name: swap.get(id(value), value) for name, value in keywords.items()}
            undo.append(lambda: setattr(function, "__kwdefaults__", keywords))


class Attribute:
    """A class attribute that holds something callable which the class did not define itself."""

    __slots__ = ("_cls", "_name")

    def __init__(self, cls: type, name: str) -> None:
        self._cls = cls
        self._name = name

    def swap(self, swap: dict[int, Any], undo: _Undo) -> None:
        """Exchange what ``swap`` names, by id."""
        cls, name = self._cls, self._name
        held = vars(cls).get(name)
        found = swap.get(id(held))
        if found is None and isinstance(held, staticmethod):
            found = swap.get(id(held.__func__))
            found = None if found is None or isinstance(found, staticmethod) else staticmethod(found)
        if found is None:
            return
        try:
            setattr(cls, name, found)
        except (TypeError, AttributeError):
            return  # a class that refuses, or an enumeration
        undo.append(lambda: setattr(cls, name, held))


Holder = Defaults | Attribute
_kept: dict[str, tuple[dict[str, Any], int, tuple[Holder, ...]]] = {}


def holders(module_name: str, names: dict[str, Any]) -> tuple[Holder, ...]:
    """The places of a module, given by its dictionary, where captured names can sit."""
    kept = _kept.get(module_name)
    if kept is not None and kept[0] is names and kept[1] == len(names):
        return kept[2]
    found = tuple(_look(module_name, names))
    if blame.is_library_module(names):
        _kept[module_name] = (names, len(names), found)
    return found


def _look(module_name: str, names: dict[str, Any]) -> Iterator[Holder]:
    for value in list(names.values()):
        if isinstance(value, types.FunctionType):
            if value.__module__ == module_name and _has_callable_default(value):
                yield Defaults(value)
        elif isinstance(value, type) and getattr(value, "__module__", None) == module_name:
            for name, inner in list(vars(value).items()):
                held = inner.__func__ if isinstance(inner, (staticmethod, classmethod)) else inner
                if isinstance(held, types.FunctionType) and getattr(held, "__module__", None) == module_name:
                    if _has_callable_default(held):
                        yield Defaults(held)
                elif isinstance(held, _CAPTURED) or isinstance(inner, _CAPTURED):
                    yield Attribute(value, name)


def _has_callable_default(function: types.FunctionType) -> bool:
    values = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    return any(isinstance(value, _CAPTURED) for value in values)
