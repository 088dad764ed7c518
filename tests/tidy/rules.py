"""The tidy rules, each a function from one source file to its complaints, so that each can be shown to complain."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

MAX_LINES = 400
BANNED_NAMES = ("util", "utils", "helper", "helpers", "manager", "managers", "misc", "common")

#: Paths that exist on one machine only. Fixed places of every Linux machine (/etc, /proc, /tmp, /usr) are not meant.
_MACHINE_PATH = re.compile(r"(?<![\w./-])(/home/\w+|/root/\w|/Users/\w+|/mnt/c/|[A-Z]:\\\\Users)")


def size(path: PurePosixPath, text: str) -> Iterator[str]:
    """One file is one idea, and fits in a head."""
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield f"{path}: {lines} lines, over {MAX_LINES}"


def docstring(path: PurePosixPath, text: str) -> Iterator[str]:
    """Every module says what lives there."""
    said = ast.get_docstring(ast.parse(text))
    if not said or not said.strip():
        yield f"{path}: no module docstring"


def machine_path(path: PurePosixPath, text: str) -> Iterator[str]:
    """Nothing in the project knows where it was written."""
    for number, line in enumerate(text.splitlines(), 1):
        found = _MACHINE_PATH.search(line)
        if found:
            yield f"{path}:{number}: path of one machine: {found[0]}"


def name(path: PurePosixPath, text: str) -> Iterator[str]:
    """A name that fits everything says nothing."""
    for part in path.parts:
        words = part.removesuffix(".py").lower().split("_")
        if any(word in BANNED_NAMES for word in words):
            yield f"{path}: name says nothing: {part}"
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Helper", "Utils", "Helpers")):
                yield f"{path}:{node.lineno}: name says nothing: {node.name}"


def relative_import(path: PurePosixPath, text: str) -> Iterator[str]:
    """A module has one name, and is imported by it; the folders at the top are no packages of their own."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.level:
                yield f"{path}:{node.lineno}: relative import"
        else:
            continue
        for module in names:
            if module.partition(".")[0] in ("harness", "simulators", "conformance", "scenarios", "reports", "src"):
                yield f"{path}:{node.lineno}: import of {module}, which is storcert.{module}"


def swallowed(path: PurePosixPath, text: str) -> Iterator[str]:
    """An error nobody hears of is worse than a crash."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else ""
        broad = caught in ("", "Exception", "BaseException")
        silent = all(isinstance(line, ast.Pass) or _is_ellipsis(line) for line in node.body)
        if broad and silent:
            yield f"{path}:{node.lineno}: except {caught or 'everything'} and nothing done"


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...
