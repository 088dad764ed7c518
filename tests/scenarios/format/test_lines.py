"""Which line says what, in every shape TOML has."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from storcert.scenarios.format.lines import lines_of
from tests.scenarios.format.files import EVERYTHING

TEXT = '''\
a = 1 # b = 2
"c d" = [ # three
  1,
  { e = "]", f = [
    2, 3 ] },
]
g.h.i = """
j = 1
"""
k = """"quoted""""
l = \'\'\'x = 1
\'\'\'
m = "\\"n = 1"
[o]
p = { q = 1, r.s = 2 }
[[t]]
u = 1
[[t]]
u = 2
[t.v]
w = 1
[[t.x]]
y = 1
[[t.x]]
y = 2
'''

LINES = {
    ("a",): 1, ("c d",): 2, ("c d", 0): 3, ("c d", 1): 4, ("c d", 1, "e"): 4, ("c d", 1, "f", 0): 5, ("c d", 1, "f", 1): 5,
    ("g", "h", "i"): 7, ("k",): 10, ("l",): 11, ("m",): 13, ("o",): 14, ("o", "p", "q"): 15, ("o", "p", "r", "s"): 15,
    ("t", 0): 16, ("t", 0, "u"): 17, ("t", 1, "u"): 19, ("t", 1, "v", "w"): 21, ("t", 1, "x", 0, "y"): 23,
    ("t", 1, "x", 1, "y"): 25,
}  # fmt: skip


@pytest.mark.parametrize("path", LINES)
def test_lines(path: tuple[str | int, ...]) -> None:
    assert lines_of(TEXT)[path] == LINES[path]


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in _paths(item, (*path, key)))]


@pytest.mark.parametrize("text", [TEXT, EVERYTHING, TEXT.replace("\n", "\r\n")])
def test_every_place_of_a_text_has_a_line_in_order(text: str) -> None:
    found = lines_of(text)
    paths = _paths(tomllib.loads(text))
    assert set(paths) <= set(found)
    assert all(1 <= found[path] <= text.count("\n") for path in paths)
    assert all(found[path] >= found[path[:-1]] for path in paths if path)
