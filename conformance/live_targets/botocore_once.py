"""What every client of botocore works out anew although it is the same for all: here it is worked out once per process.

The kit has drivers make thousands of clients, each with a session of its own. Only pure functions of what botocore ships are
remembered: what is in its data files, what events were called before, whether a handler takes any keyword, the rules of
endpoints as objects. Sessions, clients, credentials and answers are never shared. Where another version of botocore has one of
these no more, it is left alone.
"""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Callable
from typing import Any

_MARK = "remembered_by_storcert"


def remember() -> None:
    """From now on, in this process. May be repeated."""
    import botocore.endpoint_provider
    import botocore.hooks
    import botocore.loaders
    import botocore.session

    for module in (botocore.loaders, botocore.session):
        _replace(module, "create_loader", functools.cache)
    _replace(botocore.hooks, "accepts_kwargs", _by_function)
    _replace(botocore.hooks, "EventAliaser", _with_known_names)
    _replace(botocore.endpoint_provider, "RuleSet", _by_rules)


def _replace(module: types.ModuleType, name: str, remembering: Callable[[Any], Any]) -> None:
    found = getattr(module, name, None)
    if found is not None and not hasattr(found, _MARK):
        instead = remembering(found)
        setattr(instead, _MARK, True)
        setattr(module, name, instead)


def _by_function(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Answers about plain functions, for as long as these live; a method is its function."""
    known: weakref.WeakKeyDictionary[types.FunctionType, Any] = weakref.WeakKeyDictionary()

    def remembered(handler: Any) -> Any:
        function = getattr(handler, "__func__", handler)
        if not isinstance(function, types.FunctionType):
            return ask(handler)
        if function not in known:
            known[function] = ask(handler)
        return known[function]

    return remembered


def _with_known_names(kind: Any) -> Any:
    """Names of events as they are called now; a table of aliases of somebody's own is left to itself."""
    begin, names = kind.__init__, dict[str, str]()
    usual = begin.__globals__.get("EVENT_ALIASES")

    @functools.wraps(begin)
    def begin_with_names(self: Any, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        if hasattr(self, "_alias_name_cache") and getattr(self, "_event_aliases", None) == usual:
            self._alias_name_cache = names

    kind.__init__ = begin_with_names
    return kind


def _by_rules(kind: Any) -> Callable[..., Any]:
    """One object for the rules of one data file; the data itself is kept, so that no other can have its identity."""
    known: dict[tuple[int, int], tuple[Any, Any, Any]] = {}

    def remembered(**given: Any) -> Any:
        key = (id(given.get("rules")), id(given.get("partitions")))
        if key not in known:
            known[key] = (kind(**given), given.get("rules"), given.get("partitions"))
        return known[key][0]

    return remembered
