"""The pytest plugin: its options, and whether anybody wants it. Loaded by every pytest run where storcert is installed, so
nothing of storcert is imported here before ``pytest --pyargs storcert.conformance`` asks for it.

What the run then does is :mod:`storcert.conformance.pytest_run`; one check with one value is one item.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SUITE = "storcert.conformance"
RUN = "storcert-run"
PREFIX = "storcert_"
WANTED = f"--pyargs {SUITE}"
#: Options that pyproject.toml or pytest.ini may give as well, ``storcert_driver = "acme"``.
_IN_FILES = ("driver", "device", "config", "profile", "seed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options in one group; those that say what is tested also as ini values."""
    group = parser.getgroup("storcert", f"storcert: certify a storage driver ({WANTED})")

    def add(name: str, help: str, **more: Any) -> None:
        group.addoption(f"--storcert-{name}", dest=f"{PREFIX}{name.replace('-', '_')}", help=help, **more)

    add("driver", "Installed name, package.module:Class or path/to/file.py:Class.", metavar="DRIVER")
    add("device", "One of `storcert list devices`; default: what the driver names.", metavar="DEVICE")
    add("config", "TOML with tables [configuration] and [simulator].", metavar="FILE")
    add("profile", "core, standard (the default) or deep.", metavar="PROFILE")
    add("seed", "Same seed, same run. Default: 0.", metavar="N")
    add("rule", "Only this rule; may be repeated.", metavar="ID", action="append")
    add("certify", "The whole profile or nothing: refuses -k, -x, --lf, skips and other filters.", action="store_true")
    add("allow-unknown", "A check that could not be decided is skipped, not an error.", action="store_true")
    add("allow-remote", "A live device may be on another machine; this writes and deletes there.", action="store_true")
    add("json", "Write the run record here.", metavar="FILE")
    add("out", "Folder for run record, report and replay files.", metavar="DIR")
    for name in _IN_FILES:
        parser.addini(f"{PREFIX}{name}", f"As --storcert-{name}.")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the run where the suite is asked for. Raises ``UsageError`` for anything a person can get wrong."""
    sent = getattr(config, "workerinput", {}).get(RUN)
    if sent is None and not _wanted(config):
        _complain_of_options_without_suite(config)
        return
    from storcert.conformance.pytest_run import SuiteRun
    from storcert.conformance.usage import InvalidUsage

    try:
        run = SuiteRun.of(config, sent if sent is not None else asked(config))
    except InvalidUsage as error:
        raise pytest.UsageError(f"storcert: {error}") from None
    config.pluginmanager.register(run, RUN)


def asked(config: pytest.Config) -> dict[str, Any]:
    """What the command line says, and ini files where it says nothing; plain values, so that it goes to workers."""
    said = {name.removeprefix(PREFIX): value for name, value in vars(config.option).items() if name.startswith(PREFIX)}
    for name in _IN_FILES:
        if said[name] is None:
            said[name] = config.getini(f"{PREFIX}{name}") or None
            if name == "config" and said[name] and config.inipath is not None:
                said[name] = str(config.inipath.parent / said[name])
    return said


def _wanted(config: pytest.Config) -> bool:
    """Whether an argument names the suite: ``storcert.conformance``, a part of it, or its folder."""
    here = Path(__file__).parent
    for argument in config.args:
        path = argument.partition("::")[0]
        if config.option.pyargs and (path == SUITE or path.startswith(f"{SUITE}.")):
            return True
        if path.endswith("conformance") or "conformance/" in path.replace("\\", "/"):
            found = config.invocation_params.dir / path
            if found.exists() and (found.resolve() == here.resolve() or here.resolve() in found.resolve().parents):
                return True
    return False


def _complain_of_options_without_suite(config: pytest.Config) -> None:
    """Options that nothing reads would be a run that tests nothing and looks well."""
    given = [name for name, value in vars(config.option).items() if name.startswith(PREFIX) and value]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise pytest.UsageError(f"{option} is given, but the suite is not among what is collected: add {WANTED}")
