"""Which values name objects: the URIs a driver is given, their text, and what is made of them.

Three grades. A *uri* is the value itself. A *text* is its text or one of its parts, possibly changed by methods of text; what a
function made of it (an encoding, a digest) is not. *Derived* is whatever is computed from it, by anything.
"""

from __future__ import annotations

import ast

from storcert.conformance.lint.names import Names
from storcert.conformance.lint.source import FunctionNode, Source

#: Methods of the contract and how many of their first arguments are URIs.
CONTRACT_URIS = {
    "create": 1, "delete": 1, "copy": 2, "open_input": 1, "open_output": 1, "describe": 1, "open_volume": 1,
    "take_snapshot": 2, "revert": 2, "clone": 2,
}  # fmt: skip
CONTRACT_METHODS = frozenset({*CONTRACT_URIS, "capabilities", "list_objects"})
_URI_NAMES = frozenset({"uri", "object_uri", "data_object_uri"})
_TEXT_NAMES = frozenset({"object_id", "account_id"})
_PARTS = frozenset({"account", "object_id"})
_TEXT_METHODS = frozenset(
    {
        "lower", "upper", "casefold", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "replace", "removeprefix",
        "removesuffix", "translate", "zfill", "ljust", "rjust", "encode", "decode", "format",
    }
)


def is_driver(node: ast.ClassDef) -> bool:
    """Whether a class looks like a driver: it has at least three methods of the contract."""
    return sum(isinstance(one, FunctionNode) and one.name in CONTRACT_METHODS for one in node.body) >= 3


class Subjects:
    """Which names of one function name objects."""

    def __init__(self, source: Source, names: Names, function: FunctionNode) -> None:
        self._names = names
        self.uris: set[str] = set()
        self.texts: set[str] = set()
        self.derived_names: set[str] = set()
        self._parameters(source, function)
        assignments = [
            (node.targets[0].id, node.value)
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        ]
        for _ in range(3):  # what was made of what was made of a name
            for name, value in assignments:
                if self.is_uri(value):
                    self.uris.add(name)
                elif self.is_text(value):
                    self.texts.add(name)
                elif self.is_derived(value):
                    self.derived_names.add(name)

    def _parameters(self, source: Source, function: FunctionNode) -> None:
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        owner = source.parents.get(function)
        if isinstance(owner, ast.ClassDef) and is_driver(owner) and function.name in CONTRACT_URIS:
            first = [one for one in every if one.arg not in ("self", "cls")][: CONTRACT_URIS[function.name]]
            self.uris.update(one.arg for one in first if one.annotation is None or "Uri" in ast.unparse(one.annotation))
        for one in every:
            said = "" if one.annotation is None else ast.unparse(one.annotation)
            if "DataObjectUri" in said or (not said and one.arg in _URI_NAMES):
                self.uris.add(one.arg)
            elif (one.arg in _TEXT_NAMES and said in ("", "str")) or (one.arg in _URI_NAMES and said == "str"):
                self.texts.add(one.arg)

    def is_uri(self, node: ast.expr) -> bool:
        """The value of a URI."""
        if isinstance(node, ast.Name):
            return node.id in self.uris
        return isinstance(node, ast.Attribute) and node.attr == "uri" and isinstance(node.value, ast.Name)

    def is_text(self, node: ast.expr) -> bool:
        """Its text, or a part of it, changed by nothing but methods of text."""
        if isinstance(node, ast.Name):
            return node.id in self.texts
        if isinstance(node, ast.Attribute):
            return node.attr in _PARTS and self.is_uri(node.value)
        if isinstance(node, ast.JoinedStr):
            return any(self.names_an_object(one.value) for one in node.values if isinstance(one, ast.FormattedValue))
        if isinstance(node, ast.BinOp):
            return self.is_text(node.left) or self.is_text(node.right)
        if isinstance(node, ast.Subscript):
            return self.is_text(node.value)
        if isinstance(node, ast.Call):
            if self._names.dotted(node.func) == "builtins.str":
                return any(self.names_an_object(one) for one in node.args)
            return isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS and self.is_text(node.func.value)
        return False

    def names_an_object(self, node: ast.expr) -> bool:
        """A URI or its text."""
        return self.is_uri(node) or self.is_text(node)

    def is_derived(self, node: ast.expr) -> bool:
        """Anything computed from a name."""
        return any(
            (isinstance(one, ast.Name) and one.id in self.uris | self.texts | self.derived_names)
            for one in ast.walk(node)
        )
