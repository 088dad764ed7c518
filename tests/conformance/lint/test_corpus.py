"""The corpus: pieces of driver code that must be found, each with rule and line, and look-alikes in which nothing may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.conformance.lint.lint import lint_text
from storcert.conformance.lint.rules import LINT_RULES

HERE = Path(__file__).parent


def pieces(file: str) -> dict[str, str]:
    """The code of each piece, by its name."""
    found = {}
    for piece in (HERE / file).read_text(encoding="utf-8").split("\n=== ")[1:]:
        name, _, code = piece.partition("\n")
        assert name not in found, f"two pieces are called {name}"
        found[name] = code.rstrip("\n") + "\n"
    return found


BAD, GOOD = pieces("must_be_found.txt"), pieces("must_not_be_found.txt")


@pytest.mark.parametrize("name", BAD)
def test_what_breaks_the_contract_is_found_at_its_line_and_nothing_else_is(name: str) -> None:
    expected = name.rpartition(": ")[2].split(", ")
    assert [f"{one.rule}@{one.line}" for one in lint_text(BAD[name]).findings] == expected


@pytest.mark.parametrize("name", GOOD)
def test_what_only_looks_like_it_is_not(name: str) -> None:
    assert [f"{one.rule}@{one.line}" for one in lint_text(GOOD[name]).findings] == []


def test_the_corpus_is_large_enough_and_reaches_every_rule() -> None:
    assert len(BAD) >= 40 and len(GOOD) >= 30
    reached = {found.partition("@")[0] for name in BAD for found in name.rpartition(": ")[2].split(", ")}
    assert set(LINT_RULES) - reached == {"LINT-unused", "LINT-reason"}, "these two are in test_justify.py"
