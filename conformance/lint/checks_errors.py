"""C-ERRORS in sources: errors that vanish, ``None`` for an answer, and exceptions that are none of the contract's."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from storcert.conformance.lint.checks_streams import is_stream, only_raises
from storcert.conformance.lint.source import FunctionNode
from storcert.conformance.lint.subjects import CONTRACT_METHODS, is_driver
from storcert.conformance.lint.view import Found, View, shown

_BROAD = ("builtins.Exception", "builtins.BaseException")
_ANSWERING = frozenset({"describe", "open_input", "open_output", "open_volume", "capabilities"})
_ANSWERING_STREAM = frozenset({"read", "write", "commit", "pread", "pwrite"})


def swallowed_errors(view: View) -> Iterator[Found]:
    """Handlers that catch everything and go on as if nothing had happened."""
    for node in view.nodes():
        if isinstance(node, ast.ExceptHandler):
            if node.type is None and not _raises(node):
                yield Found("ERRORS-bare", node, "a bare except catches even the end of the program")
            elif node.type is not None and _is_broad(view, node.type) and _is_quiet(node):
                yield Found("ERRORS-swallowed", node, f"except {shown(node.type)} goes on as if nothing had happened")
    for call, dotted in view.calls():
        if dotted == "contextlib.suppress" and any(_is_broad(view, one) for one in call.args):
            yield Found("ERRORS-swallowed", call, f"{shown(call)} goes on as if nothing had happened")


def _is_broad(view: View, node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return any(_is_broad(view, one) for one in node.elts)
    return view.names.dotted(node) in _BROAD


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(one, ast.Raise) for one in ast.walk(handler))


def _is_quiet(handler: ast.ExceptHandler) -> bool:
    """Nothing is raised, and the error is at most logged: an error that is looked at is another matter."""
    if _raises(handler):
        return False
    for line in handler.body:
        if isinstance(line, (ast.Pass, ast.Continue, ast.Break)):
            continue
        if isinstance(line, ast.Return) and _is_nothing(line.value):
            continue
        if isinstance(line, ast.Expr) and (isinstance(line.value, ast.Constant) or _is_log(line.value)):
            continue
        return False
    return True


def _is_nothing(node: ast.expr | None) -> bool:
    if node is None or isinstance(node, ast.Constant):
        return True
    return isinstance(node, (ast.List, ast.Tuple, ast.Dict)) and not ast.unparse(node).strip("[](){}")


def _is_log(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    return name in ("debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "print_exc")


def empty_answers(view: View) -> Iterator[Found]:
    """Methods of the contract that give ``None``."""
    for node in view.classes():
        wanted = _ANSWERING if is_driver(node) else _ANSWERING_STREAM if is_stream(node) else frozenset()
        for function in node.body:
            if not isinstance(function, FunctionNode) or function.name not in wanted:
                continue
            if only_raises(function) or _is_bare(function):
                continue
            answers = [one for one in _own(function) if isinstance(one, ast.Return)]
            nothing = [one for one in answers if one.value is None or _is_none(one.value)]
            if nothing:
                yield Found("ERRORS-none", nothing[0], f"{function.name} gives None where the contract has an answer")
            elif not answers and not any(isinstance(one, (ast.Yield, ast.YieldFrom, ast.Raise)) for one in _own(function)):
                yield Found("ERRORS-none", function, f"{function.name} never gives an answer")


def foreign_exceptions(view: View) -> Iterator[Found]:
    """Exceptions of Python raised out of a method of the contract."""
    for node in view.classes():
        if not is_driver(node):
            continue
        for function in node.body:
            if not isinstance(function, FunctionNode) or function.name not in CONTRACT_METHODS:
                continue
            for one in _own(function):
                if isinstance(one, ast.Raise) and one.exc is not None and not _is_caught(view, one, function):
                    named = one.exc.func if isinstance(one.exc, ast.Call) else one.exc
                    dotted = view.names.dotted(named) or ""
                    kind = getattr(builtins, dotted.removeprefix("builtins."), None) if dotted.startswith("builtins.") else None
                    if isinstance(kind, type) and issubclass(kind, BaseException):
                        yield Found("ERRORS-foreign", one, f"{function.name} raises {kind.__name__}, which no caller expects")


def _is_caught(view: View, node: ast.AST, function: FunctionNode) -> bool:
    below: ast.AST = node
    for above in view.source.above(node):
        if above is function:
            return False
        if isinstance(above, ast.Try) and above.handlers and any(line is below for line in above.body):
            return True
        if isinstance(above, ast.With):
            return True  # a context manager may turn it into a typed error
        below = above
    return False


def _own(function: FunctionNode) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, (FunctionNode, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_bare(function: FunctionNode) -> bool:
    """A protocol's or an abstract class's: nothing but words and dots."""
    says = all(isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
               for one in function.body)  # fmt: skip
    return says or any("abstract" in ast.unparse(one) for one in function.decorator_list)
