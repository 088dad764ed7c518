"""docs/use-in-tests.md is true: its examples run, its commands end well, and it knows every option of the plugin."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

import storcert.conformance.pytest_run  # noqa: F401  (loaded once, so that runs inside this one share its registry)
from storcert.conformance import pytest_plugin
from tests.conformance.pytest_kit import Runs, runs

pytest_plugins = ["pytester"]
__all__ = ["runs"]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "use-in-tests.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^pytest (--pyargs .*)$", PAGE, re.MULTILINE)
ACME = "from storcert.harness.drivers.s3 import S3Driver\n\n\nclass AcmeDriver(S3Driver):\n    pass\n"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme.py").write_text(ACME)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme", raising=False)


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("text", PYTHON, ids=["unittest", "function"])
def test_each_example_runs(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(text, "use-in-tests.md", "exec"), names)
    if "AcmeIsConformant" in names:
        import unittest

        case: type[unittest.TestCase] = names["AcmeIsConformant"]  # type: ignore[assignment]
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
        assert (result.testsRun, result.errors, result.failures) == (1, [], [])
    else:
        assert capsys.readouterr().out.startswith("conformant ")


def test_the_commands_end_well(runs: Runs) -> None:
    assert len(COMMANDS) == 3
    runs.pytester.makepyfile(acme=ACME)
    one = runs(*shlex.split(COMMANDS[2]))
    assert one.ret == 0
    one.assert_outcomes(passed=1)
    few = runs(*shlex.split(COMMANDS[0]), "-k", "C-DESCRIBE")
    assert few.ret == 0
    assert few.parseoutcomes()["passed"] > 10


def test_ini_values(runs: Runs) -> None:
    runs.pytester.makepyfile(acme=ACME)
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    runs.pytester.makepyprojecttoml(text)
    result = runs("--pyargs", "storcert.conformance", "--co", "-q")
    assert result.ret == 0
    assert any(line.startswith("storcert.conformance.suite::C-DESCRIBE/exact-size[") for line in result.outlines)


def test_every_option_is_told(pytestconfig: pytest.Config) -> None:
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    (group,) = [group for group in parser._groups if group.name == "storcert"]
    names = [name for option in group.options for name in option.names()]
    assert len(names) == 11
    assert [name for name in names if f"`{name}`" not in PAGE] == []
