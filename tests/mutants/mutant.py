"""One planted bug as data, and the driver that has it: edits of a bundled driver's own source, made in a folder.

The rows are in ``rows/<driver>/<rule>.toml``, one file for each driver and each rule that must catch them; those that scenarios
run on too stand in the package (``scenarios/defects/<driver>.toml``), each with its rule.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storcert.scenarios.defects.defect import driver_rows

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "harness" / "drivers"
ROWS = Path(__file__).parent / "rows"
#: The bundled drivers that have mutants: class, and the device each is certified on.
SUBJECTS = {
    "s3": ("S3Driver", "object-store"),
    "nfs": ("NfsDriver", "nfs"),
    "rbd": ("RbdDriver", "rbd"),
    "sheepdog": ("SheepdogDriver", "sheepdog"),
}
#: At least so many planted bugs of each.
LEAST = {"s3": 60, "nfs": 30, "rbd": 40, "sheepdog": 15}
SHARED = "arguments"

Edit = tuple[str, str, str]


class Drifted(Exception):
    """The driver has changed under a mutant: a text it replaces is not there exactly once."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """``driver``: whose source is edited.

    ``rule`` must catch it, ``check`` is where it should (a check, or one case of it), and ``says`` stands in the message
    there. ``bug``: entry of the catalogue of real defects that it is made after, or empty. ``sentence``: what a vendor got
    wrong. ``edits``: file stem, text that occurs exactly once, text put in its place. ``configuration`` and ``simulator``:
    what a person would give in the configuration file. ``quick``: also in the everyday run. ``audit``: the capability that
    it declares wrongly, and the audit's word for that."""

    id: str
    driver: str
    rule: str
    check: str
    says: str
    sentence: str
    edits: tuple[Edit, ...]
    bug: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    simulator: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False
    audit: str = ""


def load() -> tuple[Mutant, ...]:
    """All rows, by driver and rule."""
    found = []
    for driver in SUBJECTS:
        rows = [dict(row) for row in driver_rows(driver)]
        for file in sorted((ROWS / driver).glob("*.toml")):
            rows += [{"rule": file.stem, **row} for row in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]]
        for row in sorted(rows, key=lambda row: str(row["rule"])):
            edits = tuple((edit["file"], edit["old"], edit["new"]) for edit in row.pop("edit"))
            found.append(Mutant(driver=driver, edits=edits, **row))
    return tuple(found)


def stems(driver: str) -> tuple[str, ...]:
    """The driver's own modules: ``s3``, ``s3_streams`` and so on, and the one that all bundled drivers share."""
    own = (file.stem for file in DRIVERS.glob("*.py") if file.stem == driver or file.stem.startswith(f"{driver}_"))
    return (*sorted(own), SHARED)


def sources(mutant: Mutant | None, driver: str = "") -> dict[str, str]:
    """The text of each file of the driver, edited; ``driver`` says which one where there is no mutant.

    Raises :class:`Drifted`.
    """
    names = stems(driver if mutant is None else mutant.driver)
    texts = {stem: (DRIVERS / f"{stem}.py").read_text(encoding="utf-8") for stem in names}
    for stem, old, new in mutant.edits if mutant is not None else ():
        found = texts[stem].count(old)
        if found != 1:
            raise Drifted(f"{stem}.py has {found} times: {old!r}")
        texts[stem] = texts[stem].replace(old, new)
    return texts


def materialise(mutant: Mutant | None, folder: Path, driver: str = "") -> str:
    """Write the driver into ``folder``, its modules under names of their own, and give its reference for ``certify``."""
    driver = driver if mutant is None else mutant.driver
    mark = f"unchanged_{driver}" if mutant is None else mutant.id.replace("-", "_")
    texts = sources(mutant, driver)
    for stem, text in texts.items():
        for other in texts:
            text = text.replace(f"storcert.harness.drivers.{other} import", f"{mark}__{other} import")
        (folder / f"{mark}__{stem}.py").write_text(text, encoding="utf-8")
    return f"{folder / f'{mark}__{driver}.py'}:{SUBJECTS[driver][0]}"
