"""What the tests of the pytest plugin share: runs of pytest inside this one, with the plugin loaded once."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest

PLUGIN = "storcert.conformance.pytest_plugin"
SUITE = "storcert.conformance.suite"


class Runs:
    """Call it with the arguments of a pytest run; in this process, without xdist unless ``n`` is given."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        installed = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
        self.plugin = () if installed else ("-p", PLUGIN, "-W", "ignore::pytest.PytestAssertRewriteWarning")

    def __call__(self, *arguments: str, **more: Any) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess(*self.plugin, "-p", "no:xdist", *arguments, **more)

    def apart(self, *arguments: str) -> pytest.RunResult:
        """In a process of its own."""
        return self.pytester.runpytest_subprocess(*self.plugin, *arguments)

    def suite(self, driver: str, *arguments: str) -> pytest.RunResult:
        """The suite, profile core, of one driver."""
        return self("--pyargs", "storcert.conformance", f"--storcert-driver={driver}", "--storcert-profile=core", *arguments)


@pytest.fixture
def runs(pytester: pytest.Pytester) -> Runs:
    return Runs(pytester)
