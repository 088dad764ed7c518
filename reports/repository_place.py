"""Where in the driver's repository a failure is shown: services that annotate files refuse what stands nowhere.

The line of driver code where it is known; else the driver's file; else the project's manifest, which is where an installed
driver is named. Files of a record are relative to the driver's folder; ``source_root`` is where in the repository it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from storcert.harness.record.run_record import CheckFailure, DriverIdentity
from storcert.reports.text import one_line

MANIFEST = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class RepositoryPlace:
    """``file``: relative to the root of the repository, with ``/``. ``line`` counts from 1. ``exact``: driver code was running
    there; otherwise it is the nearest file that is known."""

    file: str
    line: int
    exact: bool


def repository_place(failure: CheckFailure | None, driver: DriverIdentity, source_root: str = "") -> RepositoryPlace:
    """The place to show. ``failure`` ``None``: of something that failed without a failure of its own."""
    if failure is not None and failure.source is not None and failure.source.file:
        return RepositoryPlace(_under(source_root, failure.source.file), max(failure.source.line, 1), True)
    file = one_line(driver.reference).partition(":")[0]
    if file.endswith(".py"):
        return RepositoryPlace(_under(source_root, file), 1, False)
    return RepositoryPlace(MANIFEST, 1, False)


def _under(source_root: str, file: str) -> str:
    name = one_line(file)
    return name if not source_root or name.startswith("/") else (PurePosixPath(source_root) / name).as_posix()
