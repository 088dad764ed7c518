"""The lint of a certified driver, for its run record: told, and not scored.

What a source looks like decides nothing about a driver that was run; it is a hint for whoever reads the record.
"""

from __future__ import annotations

from pathlib import Path

from storcert.conformance.devices import is_live
from storcert.conformance.lint.lint import lint, note_of
from storcert.conformance.lint.targets import targets_of_driver
from storcert.conformance.options import CertifyOptions
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.lint_report import LintNote


def lint_note(options: CertifyOptions) -> LintNote | None:
    """``None`` where the driver has no source that can be read."""
    driver = options.driver
    if not driver.file or not Path(driver.file).is_file():
        return None
    device = driver.device if is_live(options.device) else options.device
    package = "" if driver.folder else driver.import_path.partition(":")[0].rpartition(".")[0]
    try:
        return note_of(lint(targets_of_driver(Path(driver.file).resolve(), package, device), (driver.reference,)))
    except InvalidUsage:
        return None
