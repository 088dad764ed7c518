"""Plain functions for whoever has a test runner already: certify a driver, and assert that it is conformant.

They are exported by :mod:`storcert.conformance`, which imports this module when one of them is first used.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storcert.conformance.certify import run_certification
from storcert.conformance.configuration import ConfigFile
from storcert.conformance.driver_digest import driver_digest
from storcert.conformance.driver_source import DriverSource, find_driver, missing_methods
from storcert.conformance.options import certify_options
from storcert.conformance.progress import SilentProgress
from storcert.conformance.rules import RULES
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict
from storcert.reports.failure_text import failure_lines
from storcert.reports.summary import headline, reason, shown_failures, subject

SHOWN_PER_RULE = 2


class NotConformant(AssertionError):
    """What :func:`assert_conformant` raises; ``record`` is the run. Its text has the failures with their minimal steps."""

    def __init__(self, record: RunRecord, text: str) -> None:
        super().__init__(text)
        self.record = record


@dataclass(frozen=True, slots=True)
class GivenDriver(DriverSource):
    """A driver that is here already. ``made``: its class, or a function of the configuration that makes one."""

    made: Any = None

    def load(self) -> type[Any]:
        """What was given."""
        found: type[Any] = self.made
        return found


def check_driver(
    driver: str | os.PathLike[str] | type[Any] | Callable[[Mapping[str, Any]], Any],
    *,
    device: str | None = None,
    configuration: Mapping[str, Any] | None = None,
    simulator: Mapping[str, Any] | None = None,
    profile: str = "standard",
    rules: Collection[str] = (),
    seed: int = 0,
    budget_s: float | None = None,
    out: str | os.PathLike[str] | None = None,
    allow_remote: bool = False,
) -> RunRecord:
    """Certify a driver in this process, as ``storcert certify`` does, and give the run record.

    ``driver``: its class; a function that takes the configuration and gives a driver; or what the command line takes, an
    installed name, ``package.module:Class`` or ``path/to/file.py:Class``. ``configuration`` is added to what the device hands
    out; ``simulator``: options of the simulated device. ``rules`` empty: all of them. ``budget_s``: real seconds, after which
    generated checks are left out. ``out``: folder for replay files. ``allow_remote``: a live device may be on
    another machine. The same ``seed`` is the same run.

    Raises ``InvalidUsage`` for what cannot be run: no such driver, rule or option, a device out of reach. Anything else is in
    the record, whose verdict is never better than what was decided.
    """
    if isinstance(driver, (str, os.PathLike)):
        source = find_driver(os.fspath(driver), device or "", allow_remote=allow_remote)
    else:
        source = given(driver)
    options = certify_options(
        source,
        device=device,
        config=ConfigFile("check_driver", dict(configuration or {}), dict(simulator or {})),
        profile=profile,
        rules=rules,
        seed=seed,
        budget_s=budget_s,
        workers=1,
        out=Path(out) if out is not None else None,
        known_rules=RULES,
        allow_remote=allow_remote,
    )
    return run_certification(options, SilentProgress())


def assert_conformant(record: RunRecord, *, certificate: bool = False) -> None:
    """Raise :class:`NotConformant` unless the verdict is ``conformant``: undecided is not enough, nor is a broken kit.

    ``certificate``: nor is a run of some rules only, or of profile ``core``.
    """
    if record.verdict is RunVerdict.CONFORMANT and (record.certificate or not certificate):
        return
    lines = [f"{headline(record)}  {subject(record)}: {reason(record)}"]
    if record.verdict is RunVerdict.CONFORMANT:
        lines.append(f"no certificate: {record.partial or f'profile {record.profile} is a quick look'}")
    for rule, failure, hidden in shown_failures(record, SHOWN_PER_RULE):
        lines += ["", failure.check, *failure_lines(failure, rule.id)]
        if hidden:
            lines.append(f"and {hidden:,} more of {rule.id}")
    raise NotConformant(record, "\n".join(lines))


def given(driver: Any) -> GivenDriver:
    """The source of a class or function that is here already. Raises :class:`InvalidUsage` where it can be no driver.

    Replay tokens name it by module and name; one that only exists here (in a function, in ``__main__``) has none.
    """
    if not isinstance(driver, type) and not inspect.isfunction(driver):
        raise InvalidUsage(f"a driver is a class, or a function that makes one, not {type(driver).__name__}")
    missing = missing_methods(driver) if isinstance(driver, type) else ()
    name, module = driver.__qualname__, driver.__module__
    if missing:
        raise InvalidUsage(f"class {name} is no driver: it has no {', '.join(missing)}")
    held = sys.modules.get(module)
    found: Any = held
    for piece in name.split("."):
        found = getattr(found, piece, None)
    importable = found is driver and module != "__main__"
    return GivenDriver(
        reference=f"{module}:{name}" if importable else name,
        import_path=f"{module}:{name}" if importable else "",
        name=name,
        version=str(getattr(held, "__version__", "")),
        digest=driver_digest(driver),
        file=str(getattr(held, "__file__", None) or ""),
        made=driver,
    )
