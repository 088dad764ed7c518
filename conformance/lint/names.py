"""What a name in a source stands for: import aliases, assignments of functions, attributes of ``self``, other modules.

``o.path.join`` after ``import os as o``, ``opener`` after ``opener = open``, ``self._open`` after ``self._open = open`` and a
name that another module of the driver imported all become the one dotted name of the thing. A name that is a parameter, is
bound to a value nobody knows, or to several things, stands for nothing: a shadowed ``open`` is not ``open``.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from storcert.conformance.lint.source import FunctionNode, Source

_DEPTH = 12
#: Several names of one module, by the name that rules use.
_MODULES: Mapping[str, str] = {
    "posix": "os", "nt": "os", "_io": "io", "_pyio": "io", "_socket": "socket", "pathlib._local": "pathlib",
    "pathlib._abc": "pathlib", "_sqlite3": "sqlite3", "_thread": "_thread", "posixpath": "os.path", "ntpath": "os.path",
}
_SAME: Mapping[str, str] = {"io.open": "builtins.open", "io.open_code": "builtins.open"}
_STARS = ("os", "os.path", "shutil", "tempfile", "pathlib", "io", "glob", "subprocess", "socket", "platform", "time", "mmap")


@dataclass(slots=True, eq=False)
class Scope:
    """One function, class or module. ``bound``: what each name was bound to; ``None`` stands for a value nobody knows."""

    node: ast.AST
    parent: Scope | None
    bound: dict[str, list[ast.expr | str | None]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)

    def bind(self, name: str, value: ast.expr | str | None) -> None:
        """Note one binding."""
        self.bound.setdefault(name, []).append(value)


class Names:
    """The names of one source, and through ``modules`` those of the driver's other files."""

    def __init__(self, source: Source, modules: Mapping[str, Names]) -> None:
        self.source = source
        self._modules = modules
        self._looking_for: set[tuple[Scope, str]] = set()
        self._scopes: dict[ast.AST, Scope] = {}
        self.top = Scope(source.tree, None)
        self._scopes[source.tree] = self.top
        self._collect(source.tree, self.top)
        classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
        self._attributes = {node: self._attributes_of(node) for node in classes}

    # What is asked of it

    def dotted(self, node: ast.expr, depth: int = 0) -> str | None:
        """The dotted name of what ``node`` stands for (``os.path.join``, ``builtins.open``), or ``None``."""
        found = self._dotted(node, depth)
        return None if found is None else _canonical(found)

    def is_parameter(self, name: str, at: ast.AST) -> bool:
        """Whether ``name``, where it is used, is a parameter of a function."""
        scope = self._binding_scope(name, at)
        node = None if scope is None else scope.node
        return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and name in _parameters(node)

    def value(self, name: str, at: ast.AST) -> ast.expr | None:
        """The one expression that ``name`` was assigned in its scope, or ``None``."""
        scope = self._binding_scope(name, at)
        bound = scope.bound[name] if scope is not None else []
        return bound[0] if len(bound) == 1 and isinstance(bound[0], ast.expr) else None

    def is_of_module(self, name: str, at: ast.AST) -> bool:
        """Whether ``name``, where it is used, is bound at the top of the module."""
        return self._binding_scope(name, at) is self.top

    # How names are found

    def _dotted(self, node: ast.expr, depth: int) -> str | None:
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Name):
            return self._of_name(node.id, node, depth)
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                return self._of_attribute(node, depth)
            base = self.dotted(node.value, depth + 1)
            return None if base is None else self._in_module(base, node.attr, depth + 1)
        if isinstance(node, ast.Call):
            return self._of_call(node, depth)
        return None

    def _of_call(self, node: ast.Call, depth: int) -> str | None:
        """``getattr(os, "open")`` is ``os.open``, ``import_module("os")`` is ``os``, ``staticmethod(open)`` is ``open``."""
        called = self.dotted(node.func, depth + 1)
        words = [one.value if isinstance(one, ast.Constant) else None for one in node.args]
        if called == "builtins.getattr" and len(words) >= 2 and isinstance(words[1], str):
            base = self.dotted(node.args[0], depth + 1)
            return None if base is None else self._in_module(base, words[1], depth + 1)
        if called in ("importlib.import_module", "builtins.__import__") and words and isinstance(words[0], str):
            return words[0]
        if called in ("builtins.staticmethod", "typing.cast") and node.args:
            return self.dotted(node.args[-1], depth + 1)
        return None

    def _of_name(self, name: str, at: ast.AST, depth: int) -> str | None:
        scope = self._binding_scope(name, at)
        if scope is None:
            for module in self._all_stars(at):
                if name in _public(module):
                    return f"{module}.{name}"
            return f"builtins.{name}" if hasattr(builtins, name) else None
        return self._bound(scope, name, depth)

    def _bound(self, scope: Scope, name: str, depth: int) -> str | None:
        if (scope, name) in self._looking_for:
            return None  # made of itself
        self._looking_for.add((scope, name))
        try:
            found: list[str] = []
            for value in scope.bound[name]:
                one = value if isinstance(value, str) else None if value is None else self.dotted(value, depth + 1)
                if one is None:
                    return None
                found.append(self._followed(one, depth))
            return found[0] if found else None
        finally:
            self._looking_for.discard((scope, name))

    def _followed(self, dotted: str, depth: int) -> str:
        """A name of another module of the driver is what it is there."""
        module, _, name = dotted.rpartition(".")
        return self._in_module(module, name, depth + 1) if module in self._modules else dotted

    def _in_module(self, module: str, name: str, depth: int) -> str:
        dotted = f"{module}.{name}"
        other = self._modules.get(module)
        if other is None or dotted in self._modules or depth > _DEPTH or name not in other.top.bound:
            return dotted
        return other._bound(other.top, name, depth + 1) or dotted

    def _of_attribute(self, node: ast.Attribute, depth: int) -> str | None:
        inside = self.source.class_of(node)
        values = self._attributes.get(inside, {}).get(node.attr, []) if inside is not None else []
        if len(values) != 1:
            return None
        value = values[0]
        # Of plain names and attributes only: what a call gave, nobody knows.
        return self.dotted(value, depth + 1) if isinstance(value, (ast.Name, ast.Attribute, ast.Call)) else None

    def _attributes_of(self, node: ast.ClassDef) -> dict[str, list[ast.expr]]:
        """What ``self.name`` and ``name`` in the class body are set to."""
        found: dict[str, list[ast.expr]] = {}
        for one in ast.walk(node):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target] if isinstance(one, ast.AnnAssign) else []
            value = one.value if isinstance(one, (ast.Assign, ast.AnnAssign)) else None
            for target in targets:
                of_self = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
                of_class = isinstance(target, ast.Name) and self.source.parents.get(one) is node
                if value is not None and (of_self or of_class):
                    name = str(getattr(target, "attr", getattr(target, "id", "")))
                    found.setdefault(name, []).append(value)
            if isinstance(one, FunctionNode) and self.source.parents.get(one) is node:
                found.setdefault(one.name, []).append(ast.Constant(None))
        return found

    def attribute_values(self, node: ast.ClassDef, name: str) -> list[ast.expr]:
        """Everything that ``self.name`` is set to in a class."""
        return self._attributes.get(node, {}).get(name, [])

    def _scope_at(self, at: ast.AST) -> Iterator[Scope]:
        first = True
        for node in (at, *self.source.above(at)):
            scope = self._scopes.get(node)
            if scope is None:
                continue
            # The names of a class body are not seen in its methods.
            if first or not isinstance(node, ast.ClassDef):
                yield scope
            first = False

    def _binding_scope(self, name: str, at: ast.AST) -> Scope | None:
        for scope in self._scope_at(at):
            if name in scope.elsewhere:
                continue
            if name in scope.bound:
                return scope
        return None

    def _all_stars(self, at: ast.AST) -> Iterator[str]:
        for scope in self._scope_at(at):
            yield from scope.stars

    # How bindings are collected

    def _collect(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            self._bindings_of(child, scope)
            inner = scope
            if isinstance(child, (FunctionNode, ast.Lambda, ast.ClassDef)):
                inner = self._scopes[child] = Scope(child, scope)
                if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                    for name in _parameters(child):
                        inner.bind(name, None)
            self._collect(child, inner)

    def _bindings_of(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                scope.bind(alias.asname or first, alias.name if alias.asname else first)
        elif isinstance(node, ast.ImportFrom):
            self._import_from(node, scope)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assigned(target, node.value, scope)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            self._assigned(node.target, node.value, scope)
        elif isinstance(node, (ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension)):
            self._assigned(node.target, None, scope)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._assigned(node.optional_vars, None, scope)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)):
            scope.bind(node.name or "", None)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            scope.elsewhere.update(node.names)

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = node.module or ""
        if node.level:
            pieces = self.source.package().split(".") if self.source.package() else []
            pieces = pieces[: len(pieces) - (node.level - 1)] if node.level > 1 else pieces
            module = ".".join([*pieces, module] if module else pieces)
        for alias in node.names:
            if alias.name == "*":
                scope.stars.append(_canonical(module))
            else:
                scope.bind(alias.asname or alias.name, f"{module}.{alias.name}" if module else alias.name)

    def _assigned(self, target: ast.expr, value: ast.expr | None, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            if isinstance(value, ast.Constant) and value.value is None:
                return  # a placeholder: what counts is what else it becomes
            where = self.top if target.id in scope.elsewhere else scope
            where.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            values: Iterable[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                values = value.elts
            for one, its in zip(target.elts, values, strict=True):
                self._assigned(one, its, scope)
        elif isinstance(target, ast.Starred):
            self._assigned(target.value, None, scope)


def _parameters(node: FunctionNode | ast.Lambda) -> list[str]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [one.arg for one in [*every, *(x for x in (arguments.vararg, arguments.kwarg) if x is not None)]]


def _canonical(dotted: str) -> str:
    for old, new in _MODULES.items():
        if dotted == old or dotted.startswith(old + "."):
            dotted = new + dotted[len(old) :]
            break
    return _SAME.get(dotted, dotted)


def _public(module: str) -> frozenset[str]:
    """What ``from module import *`` brings, of the modules rules speak of."""
    if module not in _STARS:
        return frozenset()
    import importlib

    loaded = importlib.import_module(module)
    return frozenset(getattr(loaded, "__all__", [name for name in vars(loaded) if not name.startswith("_")]))
