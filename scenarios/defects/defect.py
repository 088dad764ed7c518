"""A planted defect as a value, all of them as they stand in the files beside this one, and the texts that each edits.

``load`` gives those of the control plane; each has a story in the tests that it breaks. ``of_drivers`` gives those of the
bundled drivers that scenarios run on: rows as those of ``tests/mutants``, which reads them from here, so that each stands in
one place and the kit that certifies drivers must catch it too.

Nothing is loaded or run here; that is :mod:`storcert.scenarios.defects.planting`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

FILES = ("control-plane.toml", "transfers.toml")
DRIVERS = ("s3", "nfs", "rbd", "sheepdog")


class Drifted(Exception):
    """The program has changed under a defect: a text it replaces is not there exactly once."""


class UnknownDefect(Exception):
    """There is no defect of that name."""


@dataclass(frozen=True, slots=True)
class Defect:
    """``rule`` must break in ``story`` (of the tests; a driver's has none: there a check of the kit must fail), in words that
    hold ``says``. ``sentence``: what went wrong. ``after``: the reported failure it is made after, or empty. ``edits``:
    module under ``harness``, text that occurs once, text put in its place. ``driver``: whose it is, or empty."""

    id: str
    rule: str
    says: str
    sentence: str
    edits: tuple[tuple[str, str, str], ...]
    after: str = ""
    story: str = ""
    driver: str = ""


@cache
def load() -> tuple[Defect, ...]:
    """Those of the control plane and the agents, in order."""
    found = []
    for name in FILES:
        text = (files("storcert.scenarios.defects") / name).read_text(encoding="utf-8")
        for row in tomllib.loads(text)["defect"]:
            edits = tuple((edit["module"], edit["old"], edit["new"]) for edit in row.pop("edit"))
            found.append(Defect(edits=edits, **row))
    return tuple(found)


@cache
def driver_rows(driver: str) -> tuple[Mapping[str, Any], ...]:
    """The rows of a bundled driver as they stand in its file."""
    text = (files("storcert.scenarios.defects") / f"{driver}.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["mutant"])


@cache
def of_drivers() -> tuple[Defect, ...]:
    """Those of the bundled drivers, in order."""
    return tuple(
        Defect(
            row["id"], row["rule"], row["says"], row["sentence"],
            tuple((f"drivers.{edit['file']}", edit["old"], edit["new"]) for edit in row["edit"]), row.get("bug", ""),
            driver=driver,
        )
        for driver in DRIVERS for row in driver_rows(driver)
    )


def named(identity: str) -> Defect:
    """The one of that id. Raises :class:`UnknownDefect`."""
    for one in (*load(), *of_drivers()):
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
