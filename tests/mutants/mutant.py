"""One planted bug as data, and the driver that has it: edits of the bundled S3 driver's own source, made in a folder.

The rows are in ``rows/<rule>.toml``, one file for each rule that must catch them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "harness" / "drivers"
ROWS = Path(__file__).parent / "rows"
STEMS = ("s3", "s3_bucket", "s3_cleanup", "s3_errors", "s3_publish", "s3_streams")

Edit = tuple[str, str, str]


class Drifted(Exception):
    """The driver has changed under a mutant: a text it replaces is not there exactly once."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """``rule`` must catch it, ``check`` is where it should (a check, or one case of it), and ``says`` stands in the message
    there. ``bug``: entry of the catalogue of real defects that it is made after, or empty. ``sentence``: what a vendor got
    wrong. ``edits``: file stem, text that occurs exactly once, text put in its place. ``configuration`` and ``simulator``:
    what a person would give in the configuration file. ``quick``: also in the everyday run."""

    id: str
    rule: str
    check: str
    says: str
    sentence: str
    edits: tuple[Edit, ...]
    bug: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    simulator: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False


def load() -> tuple[Mutant, ...]:
    """All rows, by rule."""
    found = []
    for file in sorted(ROWS.glob("*.toml")):
        for row in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]:
            edits = tuple((edit["file"], edit["old"], edit["new"]) for edit in row.pop("edit"))
            found.append(Mutant(rule=file.stem, edits=edits, **row))
    return tuple(found)


def sources(mutant: Mutant | None) -> dict[str, str]:
    """The text of each file of the driver, edited. Raises :class:`Drifted`."""
    texts = {stem: (DRIVERS / f"{stem}.py").read_text(encoding="utf-8") for stem in STEMS}
    for stem, old, new in mutant.edits if mutant is not None else ():
        found = texts[stem].count(old)
        if found != 1:
            raise Drifted(f"{stem}.py has {found} times: {old!r}")
        texts[stem] = texts[stem].replace(old, new)
    return texts


def materialise(mutant: Mutant | None, folder: Path) -> str:
    """Write the driver into ``folder``, its modules under names of their own, and give its reference for ``certify``."""
    mark = "unchanged" if mutant is None else mutant.id.replace("-", "_")
    for stem, text in sources(mutant).items():
        for other in STEMS:
            text = text.replace(f"storcert.harness.drivers.{other} import", f"{mark}__{other} import")
        (folder / f"{mark}__{stem}.py").write_text(text, encoding="utf-8")
    return f"{folder / f'{mark}__s3.py'}:S3Driver"
