"""What a check is given: one source, its names, and what is known of the driver's device. And what it gives back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from storcert.conformance.lint.names import Names
from storcert.conformance.lint.source import FunctionNode, Source
from storcert.conformance.lint.subjects import Subjects


@dataclass(frozen=True, slots=True)
class Found:
    """``rule`` is broken at ``node``; ``message``: what stands there, as the beginning of a sentence."""

    rule: str
    node: ast.AST
    message: str


@dataclass(slots=True, eq=False)
class View:
    """``mount``: the driver's device is a mounted path. ``mount_uses``: where it uses a path that only the run knows."""

    source: Source
    names: Names
    mount: bool = False
    mount_uses: list[tuple[ast.AST, str]] = field(default_factory=list)
    _subjects: dict[ast.AST, Subjects] = field(default_factory=dict)
    _calls: list[tuple[ast.Call, str | None]] = field(default_factory=list)

    def nodes(self) -> Iterator[ast.AST]:
        """Every node that runs where the driver runs: not what stands under ``if __name__ == "__main__":``."""
        waiting: list[ast.AST] = [self.source.tree]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(child for child in reversed(list(ast.iter_child_nodes(node))) if not _is_script(child))

    def calls(self) -> list[tuple[ast.Call, str | None]]:
        """Every call, with the dotted name of what is called."""
        if not self._calls:
            self._calls = [(node, self.names.dotted(node.func)) for node in self.nodes() if isinstance(node, ast.Call)]
        return self._calls

    def classes(self) -> Iterator[ast.ClassDef]:
        """Every class."""
        return (node for node in self.nodes() if isinstance(node, ast.ClassDef))

    def functions(self) -> Iterator[FunctionNode]:
        """Every function and method."""
        return (node for node in self.nodes() if isinstance(node, FunctionNode))

    def subjects(self, function: FunctionNode) -> Subjects:
        """Which names of a function name objects."""
        if function not in self._subjects:
            self._subjects[function] = Subjects(self.source, self.names, function)
        return self._subjects[function]

    def subjects_at(self, node: ast.AST) -> Subjects | None:
        """The same for the function around ``node``."""
        function = self.source.function_of(node)
        return None if function is None else self.subjects(function)

    def text_of(self, node: ast.expr, depth: int = 0) -> str | None:
        """The constant text ``node`` is, or begins with: of f-strings, sums and names assigned once. ``None``: not known."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else _decoded(node.value)
        if isinstance(node, ast.JoinedStr):
            return self.text_of(node.values[0], depth) if node.values else ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
            return self.text_of(node.left, depth)
        if isinstance(node, ast.Name) and depth < 5:
            value = self.names.value(node.id, node)
            return None if value is None else self.text_of(value, depth + 1)
        if isinstance(node, ast.Call) and node.args and depth < 5:
            called = self.names.dotted(node.func)
            if called in ("os.path.join", "pathlib.Path", "pathlib.PosixPath", "os.fspath", "builtins.str", "os.fsencode"):
                return self.text_of(node.args[0], depth + 1)
        return None

    def mentions(self, node: ast.expr, name: str, depth: int = 0) -> bool:
        """Whether ``name`` occurs in ``node``, or in what the names in it were assigned."""
        for one in ast.walk(node):
            if isinstance(one, ast.Name):
                if one.id == name:
                    return True
                value = self.names.value(one.id, one) if depth < 5 else None
                if value is not None and value is not node and self.mentions(value, name, depth + 1):
                    return True
        return False


Check = Callable[[View], Iterator[Found]]


def shown(node: ast.expr, limit: int = 60) -> str:
    """The source of a node, on one line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def argument(call: ast.Call, position: int, *names: str) -> ast.expr | None:
    """An argument by position or by one of its names; ``None`` where it is not given, or hidden behind a star."""
    for keyword in call.keywords:
        if keyword.arg in names:
            return keyword.value
    given = call.args[: position + 1]
    if len(given) > position and not any(isinstance(one, ast.Starred) for one in given):
        return call.args[position]
    return None


def has_keyword(call: ast.Call, *names: str) -> bool:
    """Whether a keyword is given, or may be, behind ``**``."""
    return any(keyword.arg is None or keyword.arg in names for keyword in call.keywords)


def _decoded(value: object) -> str | None:
    return value.decode("latin-1") if isinstance(value, bytes) else None


def _is_script(node: ast.AST) -> bool:
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    return isinstance(node.test.left, ast.Name) and node.test.left.id == "__name__"
