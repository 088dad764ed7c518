"""Streams in sources: what is asked of those handed in, what is offered by the driver's own, and how they end.

Part of C-NOFS (a stream is no file), C-ABORT (only ``commit`` publishes) and C-INDEP (streams share nothing).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from storcert.conformance.lint.checks_files import is_in_memory
from storcert.conformance.lint.source import FunctionNode
from storcert.conformance.lint.view import Found, View, shown

_OF_FILES = ("fileno", "seek", "tell", "truncate")
#: What callers call a stream that they hand in. A ``file`` that a driver got from its client library is its own affair.
_HANDED_IN = frozenset(
    {
        "stream", "source", "src", "reader", "writer", "fileobj", "body", "data", "payload", "input_stream", "output_stream",
        "instream", "outstream", "dst", "sink",
    }
)
_STREAM_TYPES = frozenset(
    {"Any", "object", "InputStream", "OutputStream", "IO", "BinaryIO", "RawIOBase", "BufferedIOBase", "IOBase"}
)
_BASES_WITH_FILES = (
    "io.BytesIO", "io.StringIO", "io.FileIO", "io.BufferedReader", "io.BufferedWriter", "io.BufferedRandom", "io.TextIOWrapper",
    "tempfile.SpooledTemporaryFile",
)
_CONTAINERS = (
    "builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray", "io.BytesIO", "collections.deque",
    "collections.defaultdict", "collections.OrderedDict", "collections.Counter",
)  # fmt: skip
CHANGING = frozenset(
    {
        "append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear",
        "appendleft", "write", "move_to_end",
    }
)


def is_stream(node: ast.ClassDef) -> bool:
    """Whether a class looks like a stream of the contract."""
    methods = {one.name for one in node.body if isinstance(one, FunctionNode)}
    return {"read", "close"} <= methods or {"write", "commit"} <= methods


def asked_of_streams(view: View) -> Iterator[Found]:
    """``seek``, ``tell``, ``fileno`` of what was handed in."""
    for call, _ in view.calls():
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr in _OF_FILES and _is_handed_in(view, func.value):
            yield Found("NOFS-stream-use", call, f"{shown(func)}() asks a stream that was handed in to be a file")


def _is_handed_in(view: View, node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        function = view.source.function_of(node)
        return (
            node.id in _HANDED_IN
            and view.names.is_parameter(node.id, node)
            and not _is_known_type(view, function, node.id)
        )
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        inside = view.source.class_of(node)
        values = [] if inside is None else view.names.attribute_values(inside, node.attr)
        # Every value it ever gets was handed in: one of the driver's own making in between, and nobody knows.
        given = [one for one in values if not (isinstance(one, ast.Constant) and one.value is None)]
        return bool(given) and all(isinstance(one, ast.Name) and _is_handed_in(view, one) for one in given)
    return False


def _is_known_type(view: View, function: FunctionNode | None, name: str) -> bool:
    """Annotated as something in memory, or as something that is no stream."""
    if function is None:
        return False
    for one in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]:
        if one.arg == name and one.annotation is not None:
            dotted = view.names.dotted(one.annotation) or ast.unparse(one.annotation)
            return dotted.rpartition(".")[2] not in _STREAM_TYPES
    return False


def offered_by_streams(view: View) -> Iterator[Found]:
    """Methods of files on the driver's own streams."""
    for node in view.classes():
        if not is_stream(node):
            continue
        for base in node.bases:
            if view.names.dotted(base) in _BASES_WITH_FILES:
                said = f"the stream {node.name} is a {shown(base)}, with seek, tell and the like"
                yield Found("NOFS-stream-offer", base, said)
        for one in node.body:
            if isinstance(one, FunctionNode) and one.name in (*_OF_FILES, "__len__") and not only_raises(one):
                yield Found("NOFS-stream-offer", one, f"the stream {node.name} offers {one.name}, which callers then rely on")


def only_raises(function: FunctionNode) -> bool:
    """Whether a function does nothing but refuse."""
    body = [one for one in function.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    return len(body) == 1 and isinstance(body[0], ast.Raise)


def endings(view: View) -> Iterator[Found]:
    """``__exit__`` that commits whatever happened, ``__del__`` that commits."""
    for node in view.classes():
        for one in node.body:
            if not isinstance(one, FunctionNode):
                continue
            commits = [call for call in ast.walk(one) if _is_commit(call)]
            if one.name == "__exit__" and commits and not _looks_at_the_error(one):
                yield Found("ABORT-exit", commits[0], f"{node.name}.__exit__ commits without a look at the exception")
            if one.name == "__del__" and commits:
                yield Found("ABORT-drop", commits[0], f"{node.name}.__del__ publishes what was dropped")


def _is_commit(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
        and isinstance(node.func.value, ast.Name) and node.func.value.id == "self"
    )  # fmt: skip


def _looks_at_the_error(function: FunctionNode) -> bool:
    names = {one.arg for one in [*function.args.posonlyargs, *function.args.args][1:]}
    if function.args.vararg is not None:
        names.add(function.args.vararg.arg)
    tests = [one.test for one in ast.walk(function) if isinstance(one, (ast.If, ast.IfExp))]
    tests += [one.subject for one in ast.walk(function) if isinstance(one, ast.Match)]
    tests += [one for one in ast.walk(function) if isinstance(one, ast.BoolOp)]
    used = {one.id for test in tests for one in ast.walk(test) if isinstance(one, ast.Name)}
    # A flag that write set after an error is a look as well.
    asked = any(isinstance(one, ast.Attribute) for test in tests for one in ast.walk(test))
    return bool(names & used) or asked


def shared_values(view: View) -> Iterator[Found]:
    """Containers in a class body that methods change, and defaults of parameters that a function changes."""
    for node in view.classes():
        if not is_stream(node):
            continue
        shared = {
            target.id: one.value
            for one in node.body
            if isinstance(one, ast.Assign) and _is_container(view, one.value)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        own = {
            target.attr
            for one in ast.walk(node) if isinstance(one, (ast.Assign, ast.AnnAssign))
            for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
            if isinstance(target, ast.Attribute)
        }  # fmt: skip
        changed = {name for one in ast.walk(node) if (name := _changed_attribute(one)) is not None}
        for name in sorted((shared.keys() & changed) - own):
            yield Found("INDEP-shared", shared[name], f"{node.name}.{name} is one {shown(shared[name])} for all streams")
    for function in view.functions():
        arguments = [*function.args.posonlyargs, *function.args.args]
        pairs = list(zip(arguments[len(arguments) - len(function.args.defaults) :], function.args.defaults, strict=True))
        for argument, default in pairs:
            if _is_container(view, default) and _is_kept_or_changed(function, argument.arg):
                said = f"the default of {argument.arg} is one value for all calls, and is changed"
                yield Found("INDEP-shared", default, said)


def _is_container(view: View, node: ast.expr) -> bool:
    if isinstance(node, (ast.List, ast.Dict, ast.Set)):
        return True
    return isinstance(node, ast.Call) and (view.names.dotted(node.func) in _CONTAINERS or is_in_memory(view, node))


def _changed_attribute(node: ast.AST) -> str | None:
    """The name in ``self.name.append(...)``, ``self.name[...] = ...`` and ``self.name += ...`` of a container."""
    target: ast.AST | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
        target = node.func.value
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
        target = node.value
    is_of_self = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    return target.attr if is_of_self and isinstance(target, ast.Attribute) else None


def _is_kept_or_changed(function: FunctionNode, name: str) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            held: ast.AST | None = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            held = node.value
        else:
            is_kept = isinstance(node, ast.Assign) and any(isinstance(target, ast.Attribute) for target in node.targets)
            held = node.value if isinstance(node, ast.Assign) and is_kept else None
        if isinstance(held, ast.Name) and held.id == name:
            return True
    return False
