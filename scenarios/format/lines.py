"""Which line of a TOML text says what. The text is known to be valid TOML; nothing here judges it."""

from __future__ import annotations

import json
from collections.abc import Mapping

Path = tuple[str | int, ...]


def lines_of(text: str) -> Mapping[Path, int]:
    """The 1-based line of each key and list item, by its path: ``("step", 2, "object")``."""
    return _Places(text).found


class _Places:
    """One walk over the text. ``at``: the next character."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.line = 1
        self.found: dict[Path, int] = {(): 1}
        self._lengths: dict[Path, int] = {}
        table: Path = ()
        while self._skip():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def _go(self, size: int = 1) -> None:
        self.line += self.text.count("\n", self.at, self.at + size)
        self.at += size

    def _skip(self, also: str = "") -> bool:
        """Over white space, comments and the characters of ``also``; whether anything is left."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                while self.at < len(self.text) and self.text[self.at] != "\n":
                    self._go()
            elif char in " \t\n" or char in also:
                self._go()
            else:
                return True
        return False

    def _header(self) -> Path:
        line, many = self.line, self._peek(2) == "[["
        self._go(2 if many else 1)
        keys = self._keys("]")
        self._go(2 if many else 1)
        path = self._descend((), keys[:-1])
        path = (*path, keys[-1])
        if many:
            number = self._lengths.get(path, 0)
            self._lengths[path] = number + 1
            self.found.setdefault(path, line)
            path = (*path, number)
        self.found.setdefault(path, line)
        return path

    def _descend(self, path: Path, keys: list[str]) -> Path:
        """The path of dotted keys; of an array of tables, its last table is meant."""
        for key in keys:
            path = (*path, key)
            self.found.setdefault(path, self.line)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _keys(self, end: str) -> list[str]:
        """A dotted key up to ``end``, which is left there."""
        keys: list[str] = []
        while True:
            self._skip()
            if self._peek() in ('"', "'"):
                keys.append(self._string())
            else:
                start = self.at
                while self._peek() not in ("", ".", " ", "\t", end):
                    self._go()
                keys.append(self.text[start : self.at])
            self._skip()
            if self._peek() != ".":
                return keys
            self._go()

    def _pair(self, table: Path) -> None:
        line = self.line
        keys = self._keys("=")
        path = (*self._descend(table, keys[:-1]), keys[-1])
        self.found.setdefault(path, line)
        self._go()
        self._skip()
        self._value(path)

    def _value(self, path: Path) -> None:
        char = self._peek()
        if char in ('"', "'"):
            self._string()
        elif char == "[":
            self._go()
            number = 0
            while self._skip(",") and self._peek() != "]":
                self.found[(*path, number)] = self.line
                self._value((*path, number))
                number += 1
            self._go()
        elif char == "{":
            self._go()
            while self._skip(",") and self._peek() != "}":
                self._pair(path)
            self._go()
        else:
            while self._peek() not in ("", ",", "]", "}", "\n", "#", " ", "\t"):
                self._go()

    def _string(self) -> str:
        quote = self._peek()
        end = quote * 3 if self._peek(3) == quote * 3 else quote
        start = self.at
        self._go(len(end))
        while self.at < len(self.text) and self._peek(len(end)) != end:
            self._go(2 if quote == '"' and self._peek() == "\\" else 1)
        self._go(len(end))
        while len(end) == 3 and self._peek() == quote:  # a quote or two may stand before the closing three
            self._go()
        text = self.text[start : self.at]
        if quote == '"' and len(end) == 1:
            try:
                return str(json.loads(text))
            except ValueError:
                return text[1:-1]
        return text[len(end) : -len(end)]
