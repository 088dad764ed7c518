"""A planted defect as a value, all of them as they stand in the files beside this one, and the texts that each edits.

Nothing is loaded or run here; that is :mod:`storcert.scenarios.defects.planting`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FILES = ("control-plane.toml", "transfers.toml", "drivers.toml")


class Drifted(Exception):
    """The program has changed under a defect: a text it replaces is not there exactly once."""


class UnknownDefect(Exception):
    """There is no defect of that name."""


@dataclass(frozen=True, slots=True)
class Defect:
    """``rule`` must break, in words that hold ``says``: in ``story`` (of the tests), or where there is none, in a scenario of
    the catalogue. ``sentence``: what went wrong. ``after``: the reported failure it is made after, or empty. ``edits``: module
    under ``harness``, text that occurs once, text put in its place."""

    id: str
    rule: str
    says: str
    sentence: str
    edits: tuple[tuple[str, str, str], ...]
    after: str = ""
    story: str = ""


@cache
def load() -> tuple[Defect, ...]:
    """All of them, in order."""
    found = []
    for name in FILES:
        text = (files("storcert.scenarios.defects") / name).read_text(encoding="utf-8")
        for row in tomllib.loads(text)["defect"]:
            edits = tuple((edit["module"], edit["old"], edit["new"]) for edit in row.pop("edit"))
            found.append(Defect(edits=edits, **row))
    return tuple(found)


def named(identity: str) -> Defect:
    """The one of that id. Raises :class:`UnknownDefect`."""
    for one in load():
        if one.id == identity:
            return one
    raise UnknownDefect(identity)


def sources(defect: Defect | None) -> dict[str, str]:
    """The edited modules by import name. Raises :class:`Drifted`."""
    texts: dict[str, str] = {}
    for module, old, new in defect.edits if defect is not None else ():
        name = f"storcert.harness.{module}"
        text = texts.get(name)
        if text is None:
            text = _text_of(module)
        if text.count(old) != 1:
            raise Drifted(f"{module} has {text.count(old)} times: {old!r}")
        texts[name] = text.replace(old, new)
    return texts


def _text_of(module: str) -> str:
    folder, _, stem = module.rpartition(".")
    return (files(f"storcert.harness.{folder}") / f"{stem}.py").read_text(encoding="utf-8")
