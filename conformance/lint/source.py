"""One source file as the checks see it: its text, its tree, who stands in whom, and where things stand.

Nothing is imported or run. What a name stands for is :mod:`.names`.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Place:
    """Lines and columns count from 1, columns in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(slots=True, eq=False)
class Source:
    """A file that could be parsed. ``shown``: its name for people, with ``/``. ``module``: its dotted name."""

    path: Path
    shown: str
    module: str
    is_package: bool
    text: str
    tree: ast.Module
    lines: list[str] = field(default_factory=list)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node

    def package(self) -> str:
        """The package that relative imports start from."""
        return self.module if self.is_package else self.module.rpartition(".")[0]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Its parent, the parent's parent, and so on."""
        found = self.parents.get(node)
        while found is not None:
            yield found
            found = self.parents.get(found)

    def function_of(self, node: ast.AST) -> FunctionNode | None:
        """The innermost function around ``node``, itself excluded."""
        return next((one for one in self.above(node) if isinstance(one, FunctionNode)), None)

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class whose method ``node`` stands in."""
        return next((one for one in self.above(node) if isinstance(one, ast.ClassDef)), None)

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement ``node`` is part of, or itself."""
        while not isinstance(node, ast.stmt):
            above = self.parents.get(node)
            if above is None:
                return None
            node = above
        return node

    def place(self, node: ast.AST) -> Place:
        """Where ``node`` stands. Inside an f-string, whose parts have no place before Python 3.12, the f-string's place."""
        for one in self.above(node):
            if isinstance(one, ast.JoinedStr):
                node = one
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end_line, end_column = getattr(node, "end_lineno", line), getattr(node, "end_col_offset", column)
        return Place(line, self._characters(line, column), end_line, self._characters(end_line, end_column))

    def line(self, number: int) -> str:
        """The text of a line, without the spaces around it."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    def _characters(self, line: int, byte_column: int) -> int:
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return len(text.encode("utf-8", "surrogatepass")[:byte_column].decode("utf-8", "replace")) + 1


def read_text(path: Path) -> str:
    """The text of a Python file, decoded as Python would. Raises ``SyntaxError`` for a wrong encoding, ``OSError``."""
    data = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SyntaxError(f"not {encoding}: {error.reason} at byte {error.start}") from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse(path: Path, shown: str, module: str) -> Source:
    """Read and parse a file. Raises ``SyntaxError`` with its line, and ``OSError``."""
    return parse_text(read_text(path), path, shown, module)


def parse_text(text: str, path: Path, shown: str, module: str) -> Source:
    """Parse a text. Raises ``SyntaxError`` with its line."""
    try:
        tree = ast.parse(text, filename=shown)
    except ValueError as error:  # a NUL character
        raise SyntaxError(str(error)) from None
    except RecursionError:
        raise SyntaxError("nested too deeply") from None
    return Source(path, shown, module, path.name == "__init__.py", text, tree)
