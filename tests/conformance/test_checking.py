"""The functions for other test runners: what they take, what they give, what they refuse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from storcert.conformance import InvalidUsage, NotConformant, assert_conformant, check_driver, generated
from storcert.conformance.certify import run_certification
from storcert.conformance.driver_source import find_driver
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.conformance.replay import replay
from storcert.harness.contract import DataObjectDescription, DataObjectUri
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.token import decode_token
from storcert.harness.record.verdict import RunVerdict
from tests.conformance.drivers import MemoryDriver


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """How small a failure becomes is tested elsewhere."""
    monkeypatch.setattr(generated, "SHRINK_RUNS_MAX", 10)


class Forgets(MemoryDriver):
    """Says that everything is one byte longer."""

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        return DataObjectDescription(uri, len(self.held(uri)) + 1)


def make(configuration: Mapping[str, Any]) -> Forgets:
    """A function that makes drivers."""
    return Forgets(configuration)


def described(driver: Any, **more: Any) -> RunRecord:
    return check_driver(driver, rules=["C-DESCRIBE"], profile="core", **more)


class TestWhatItTakes:
    @pytest.mark.parametrize("driver", [Forgets, f"{__name__}:make"])
    def test_classes_functions_and_references(self, driver: Any) -> None:
        record = described(driver)
        assert record.verdict is RunVerdict.NOT_CONFORMANT
        assert record.driver.name in ("Forgets", "make")
        assert record.driver.digest.startswith("sha256:")
        assert all(failure.token for failure in record.failures)

    @pytest.mark.slow
    def test_it_is_the_run_that_the_command_makes(self) -> None:
        options = CertifyOptions(find_driver("s3"), profile=Profile.CORE, rules=("C-DESCRIBE",), seed=3)
        theirs = run_certification(options, SilentProgress())
        assert described(S3Driver, seed=3).digest == theirs.digest

    @pytest.mark.slow
    def test_a_token_of_a_class_or_function_replays(self) -> None:
        for driver in (Forgets, make):
            failing = described(driver).failures[-1]
            again, text = replay(decode_token(failing.token))
            assert again, text

    def test_what_is_only_here_has_no_token_but_its_failures(self) -> None:
        class Here(Forgets):
            pass

        record = described(lambda configuration: Here(configuration))
        assert record.verdict is RunVerdict.NOT_CONFORMANT
        assert {failure.token for failure in record.failures} == {""}
        assert all(failure.steps for failure in record.failures)

    def test_configuration_and_simulator(self) -> None:
        more: dict[str, Any] = {"configuration": {"prefix": "mine/"}, "simulator": {"versioning": True}}
        record = check_driver(S3Driver, rules=["C-INDEP"], profile="core", **more)
        assert record.options["configuration"] == {"prefix": "mine/"}
        assert record.verdict is RunVerdict.CONFORMANT

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ({"driver": 3}, "a driver is a class, or a function that makes one, not int"),
            ({"driver": int}, "class int is no driver: it has no capabilities"),
            ({"driver": "acme"}, "no driver 'acme' is installed"),
            ({"driver": Forgets, "rules": ["C-LISTS"]}, "did you mean C-LIST"),
            ({"driver": Forgets, "profile": "high"}, "it is one of core, standard, deep"),
            ({"driver": Forgets, "simulator": {"sizes": 3}}, "has no key 'sizes'"),
            ({"driver": Forgets, "device": "tape"}, "it is one of"),
            ({"driver": lambda configuration: None}, "capabilities() failed"),
        ],
    )
    def test_what_cannot_be_run(self, arguments: dict[str, Any], says: str) -> None:
        with pytest.raises(InvalidUsage, match=says.replace("(", r"\(").replace(")", r"\)")):
            check_driver(**arguments)


class TestAssertion:
    def test_a_failure_is_told_with_its_steps(self) -> None:
        with pytest.raises(NotConformant, match="NOT CONFORMANT  Forgets on object-store") as caught:
            assert_conformant(described(Forgets))
        text = str(caught.value)
        assert "C-DESCRIBE/" in text and "storcert replay sc1." in text and "host-1: " in text
        assert caught.value.record.failures
        assert isinstance(caught.value, AssertionError)

    def test_a_part_is_enough_unless_a_certificate_is_asked_for(self) -> None:
        record = described(MemoryDriver)
        assert_conformant(record)
        with pytest.raises(NotConformant, match=r"no certificate: \d+ of \d+ checks were left out: not asked for"):
            assert_conformant(record, certificate=True)
        with pytest.raises(NotConformant, match="profile core is a quick look"):
            assert_conformant(replace(record, partial=""), certificate=True)
        assert_conformant(replace(record, partial="", profile="standard"), certificate=True)

    @pytest.mark.parametrize("verdict", [RunVerdict.UNDECIDED, RunVerdict.ERROR])
    def test_nothing_less_than_conformant_is_enough(self, verdict: RunVerdict) -> None:
        with pytest.raises(NotConformant):
            assert_conformant(replace(described(MemoryDriver), verdict=verdict))


def test_they_are_imported_when_they_are_used() -> None:
    code = (
        "import sys, storcert, storcert.conformance as c; assert 'storcert.conformance.checking' not in sys.modules; "
        "assert 'storcert.harness' not in sys.modules; c.check_driver; print(c.assert_conformant.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "storcert.conformance.checking"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        import storcert.conformance

        _ = storcert.conformance.nothing
