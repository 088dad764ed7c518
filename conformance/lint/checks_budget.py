"""C-BUDGET in sources: loops that try for ever, and waiting without an end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from storcert.conformance.lint.view import Found, View, argument, has_keyword, shown

_SLEEPS = ("time.sleep", "asyncio.sleep", "eventlet.sleep", "gevent.sleep")
#: Names of what ends a loop some day.
_LIMIT = re.compile(
    r"deadline|attempt|tries|retries|remaining|left|patience|effort|budget|timeout|expire|until|count|limit|elapsed|monotonic|again",
    re.IGNORECASE,
)
_REQUESTS = frozenset(f"{module}.{verb}" for module in ("requests", "requests.api") for verb in
                      ("get", "put", "post", "patch", "delete", "head", "options", "request"))  # fmt: skip


def endless_retries(view: View) -> Iterator[Found]:
    """``while True`` around a request, with a handler from which nothing leads out; polling without an end."""
    for node in view.nodes():
        if not isinstance(node, (ast.While, ast.For)) or _is_bounded(view, node):
            continue
        if _is_endless(view, node):
            handler = next((one for one in _of_loop(node) if isinstance(one, ast.ExceptHandler) and not _leaves(one)), None)
            if handler is not None and not _is_end_of_input(handler):
                yield Found("BUDGET-loop", node, "this loop tries again for ever where the device keeps failing")
        elif isinstance(node, ast.While) and _sleeps(view, node) and not any(_leaves(line) for line in node.body):
            yield Found("BUDGET-loop", node, f"while {shown(node.test)} waits for ever where the device never gets there")


def _is_endless(view: View, node: ast.While | ast.For) -> bool:
    if isinstance(node, ast.While):
        return isinstance(node.test, ast.Constant) and bool(node.test.value)
    if not isinstance(node.iter, ast.Call):
        return False
    endless = ("itertools.count", "itertools.cycle", "itertools.repeat")
    return view.names.dotted(node.iter.func) in endless and len(node.iter.args) < 2


def _of_loop(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a loop without those of functions inside it."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        one = waiting.pop(0)
        yield one
        if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(one))


def _leaves(node: ast.AST) -> bool:
    """Whether something in it leads out of the loop."""
    return any(isinstance(one, (ast.Raise, ast.Return, ast.Break)) for one in (node, *_of_loop(node)))


def _is_bounded(view: View, loop: ast.AST) -> bool:
    """Something that looks like a limit is asked in the loop: a name of one, or a clock."""
    for node in _of_loop(loop):
        tests = [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else []
        if isinstance(loop, ast.While) and node is loop.test:
            tests.append(loop.test)
        for test in tests:
            for one in ast.walk(test):
                word = one.id if isinstance(one, ast.Name) else one.attr if isinstance(one, ast.Attribute) else ""
                if word and _LIMIT.search(word):
                    return True
                if isinstance(one, ast.Call) and (view.names.dotted(one.func) or "").startswith("time."):
                    return True
        if isinstance(node, ast.AugAssign) and isinstance(loop, ast.While) and _names(node.target) & _names(loop.test):
            return True
        # patience.check() raises where the time is spent.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _LIMIT.search(ast.unparse(node.value.func)):
            return True
    return False


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _is_end_of_input(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and ast.unparse(handler.type) in ("StopIteration", "KeyError", "queue.Empty", "Empty")


def _sleeps(view: View, loop: ast.AST) -> bool:
    return any(isinstance(one, ast.Call) and view.names.dotted(one.func) in _SLEEPS for one in _of_loop(loop))


def missing_timeouts(view: View) -> Iterator[Found]:
    """Requests that may wait for ever. Commands are :func:`storcert.conformance.lint.checks_paths.commands`."""
    for call, dotted in view.calls():
        if dotted in _REQUESTS and not has_keyword(call, "timeout"):
            yield Found("BUDGET-timeout", call, f"{dotted}() without timeout waits for ever")
        elif dotted == "urllib.request.urlopen" and argument(call, 2, "timeout") is None and not has_keyword(call):
            yield Found("BUDGET-timeout", call, "urllib.request.urlopen() without timeout waits for ever")
        elif dotted == "socket.create_connection" and argument(call, 1, "timeout") is None and not has_keyword(call):
            yield Found("BUDGET-timeout", call, "socket.create_connection() without timeout waits for ever")
        elif (dotted or "").partition(".")[0] in ("httpx", "aiohttp") or dotted in _REQUESTS:
            for keyword in call.keywords:
                if keyword.arg == "timeout" and isinstance(keyword.value, ast.Constant) and keyword.value.value is None:
                    yield Found("BUDGET-timeout", call, f"{dotted}(timeout=None) waits for ever")
