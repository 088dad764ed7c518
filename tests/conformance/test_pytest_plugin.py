"""The pytest plugin: what is an item, how each verdict ends, what is refused, and that it costs nothing unless used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from storcert.conformance import frozen, pytest_run, registry
from storcert.conformance.bench import Bench
from storcert.conformance.certify import run_certification
from storcert.conformance.driver_source import find_driver
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.conformance.registry import Check, Level
from storcert.conformance.violation import NotApplicable, Undecided, require
from storcert.harness.record.codec import read_file
from storcert.harness.record.verdict import RunVerdict
from tests.conformance.drivers import MemoryDriver
from tests.conformance.pytest_kit import SUITE, Runs, runs

pytest_plugins = ["pytester"]
__all__ = ["runs"]

MEMORY = "tests.conformance.drivers:MemoryDriver"


@pytest.fixture
def open_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks made by hand count, as they do before a version of the contract is frozen."""
    monkeypatch.setattr(frozen, "frozen_set", lambda *_: None)


def holds(b: Bench) -> None:
    """Holds."""
    b.client().create(b.uri(), 1)


def broken(b: Bench) -> None:
    """Does not hold."""
    b.client().create(b.uri(), 1)
    require(False, "it does not hold")


def open_question(b: Bench) -> None:
    """Cannot be decided."""
    raise Undecided("nobody knows")


def crash(b: Bench) -> None:
    """Breaks in the kit."""
    b.client().create(b.uri(), 1)
    raise KeyError("heap")


def elsewhere(b: Bench) -> None:
    """Does not apply."""
    raise NotApplicable("only on Sundays")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, open_version: None) -> Iterator[None]:
    """A kit of five checks, one for each way to end."""
    checks = [holds, broken, open_question, crash, elsewhere]
    made = [Check("C-LIST", one.__name__.replace("_", "-"), one, Level.CORE, (), (), False) for one in checks]
    monkeypatch.setattr(registry, "CHECKS", {one.id: one for one in made})
    yield


@pytest.mark.usefixtures("planted")
class TestEndings:
    def test_each_verdict(self, runs: Runs) -> None:
        result = runs.suite(MEMORY, "--junit-xml=junit.xml", "--storcert-json=run.json", "-rA")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.assert_outcomes(passed=1, failed=1, errors=2, skipped=1)
        result.stdout.fnmatch_lines(
            [
                "*C-LIST/broken*",
                "it does not hold",
                "1. host-1: create /volume/*-1/a size=1 -> ok",
                "storcert replay sc1.*",
                "storcert explain C-LIST",
            ]
        )
        result.stdout.fnmatch_lines(["*NOT CONFORMANT  MemoryDriver on object-store (simulated): C-LIST is broken"])
        cases = {one.get("name"): one for one in ElementTree.parse(runs.pytester.path / "junit.xml").iter("testcase")}
        kinds = {name: [child.tag for child in case if child.tag != "properties"] for name, case in cases.items()}
        assert kinds == {
            "C-LIST/broken": ["failure"],
            "C-LIST/crash": ["error"],
            "C-LIST/elsewhere": ["skipped"],
            "C-LIST/holds": [],
            "C-LIST/open-question": ["error"],
        }
        record = read_file(runs.pytester.path / "run.json")
        assert (record.counts.passed, record.counts.failed, record.counts.unknown, record.counts.error) == (2, 1, 1, 1)
        assert not record.certificate

    def test_the_kits_own_traceback_is_shown_for_its_own_crash_only(self, runs: Runs) -> None:
        told = runs.suite(MEMORY, "-k", "crash").stdout.str()
        assert "the kit itself failed, the driver is not to blame: KeyError" in told
        assert 'raise KeyError("heap")' in told
        told = runs.suite(MEMORY, "-k", "broken or open").stdout.str()
        assert "it does not hold" in told and "not decided: nobody knows" in told and "Traceback" not in told

    def test_what_is_unknown_may_be_allowed(self, runs: Runs) -> None:
        result = runs.suite(MEMORY, "--storcert-allow-unknown", "-k", "open or holds", "-rs")
        assert result.ret == pytest.ExitCode.OK
        result.assert_outcomes(passed=1, skipped=1, deselected=3)
        result.stdout.fnmatch_lines(["SKIPPED*not decided: nobody knows"])

    @pytest.mark.parametrize("which", ["elsewhere", "open"])
    def test_nothing_decided_is_no_success(self, runs: Runs, which: str) -> None:
        result = runs.suite(MEMORY, "--storcert-allow-unknown", "-k", which)
        assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
        result.stdout.fnmatch_lines(["UNDECIDED*"])

    def test_selecting(self, runs: Runs) -> None:
        result = runs("--pyargs", f"{SUITE}::C-LIST/holds", f"--storcert-driver={MEMORY}")
        result.assert_outcomes(passed=1)
        result = runs.suite(MEMORY, "--co", "-q")
        assert result.ret == pytest.ExitCode.OK
        assert f"{SUITE}::C-LIST/holds" in result.outlines

    def test_last_failed_and_first_failure(self, runs: Runs) -> None:
        runs.suite(MEMORY).assert_outcomes(passed=1, failed=1, errors=2, skipped=1)
        runs.suite(MEMORY, "--lf").assert_outcomes(failed=1, errors=2)
        runs.suite(MEMORY, "-x").assert_outcomes(failed=1)


class Touching(MemoryDriver):
    """Looks for a file in every call."""

    def describe(self, uri: Any) -> Any:
        Path("/var/tmp/scratch").exists()
        return super().describe(uri)


def test_a_file_touched_meanwhile_is_a_failure(runs: Runs) -> None:
    result = runs.suite("tests.conformance.test_pytest_plugin:Touching", "-k", "C-DESCRIBE and exact-size")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "passed" not in result.parseoutcomes()
    said = "driver code touched a file system outside its device: *test_pytest_plugin.py:*"
    result.stdout.fnmatch_lines([said, "storcert explain C-NOFS"])


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ((), "say which driver: --storcert-driver=NAME"),
            (("--storcert-driver=acme",), "no driver 'acme' is installed"),
            ((f"--storcert-driver={MEMORY}", "--storcert-profile=high"), "--profile high: it is one of"),
            ((f"--storcert-driver={MEMORY}", "--storcert-seed=x"), "--seed x: a whole number"),
            ((f"--storcert-driver={MEMORY}", "--storcert-rule=C-LISTS"), "did you mean C-LIST?"),
            ((f"--storcert-driver={MEMORY}", "--storcert-config=none.toml"), "none.toml: cannot be read"),
        ],
    )
    def test_one_line_and_exit_code_4(self, runs: Runs, arguments: tuple[str, ...], says: str) -> None:
        result = runs("--pyargs", "storcert.conformance", *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        told = result.stdout.str() + result.stderr.str()
        assert f"ERROR: storcert: {says}" in told or says in told
        assert "Traceback" not in told and "INTERNALERROR" not in told

    def test_options_without_the_suite_are_no_silent_nothing(self, runs: Runs) -> None:
        runs.pytester.makepyfile("def test_mine(): pass")
        result = runs(f"--storcert-driver={MEMORY}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        said = "*--storcert-driver is given, but the suite is not among*add --pyargs storcert.conformance"
        result.stderr.fnmatch_lines([said])
        runs().assert_outcomes(passed=1)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("-k", "C-LIST"), ("-m", "slow"), ("-x",), ("--maxfail=3",), ("--lf",), ("--deselect", f"{SUITE}::C-LIST/x"),
            ("--storcert-rule=C-LIST",), ("--storcert-allow-unknown",), ("--storcert-profile=core",),
        ],
    )  # fmt: skip
    def test_a_certificate_is_of_everything(self, runs: Runs, arguments: tuple[str, ...]) -> None:
        result = runs("--pyargs", "storcert.conformance", f"--storcert-driver={MEMORY}", "--storcert-certify", *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "certificate" in result.stderr.str()

    @pytest.mark.usefixtures("open_version")
    def test_not_even_a_conftest_takes_something_out_unseen(self, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
        checks = {one.id: one for one in (Check("C-LIST", f"holds-{n}", holds, Level.CORE, (), (), False) for n in "ab")}
        monkeypatch.setattr(registry, "CHECKS", checks)
        whole = ("--pyargs", "storcert.conformance", f"--storcert-driver={MEMORY}", "--storcert-certify")
        runs(*whole).assert_outcomes(passed=2)
        runs.pytester.makepyfile(less="def pytest_collection_modifyitems(items): del items[0]")
        runs.pytester.syspathinsert()
        result = runs(*whole, "-p", "less")
        result.assert_outcomes(passed=1)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["UNDECIDED*", "no certificate: 1 of 3 checks were left out: not among the items that ran"])


@pytest.mark.slow
def test_the_record_is_that_of_certify(runs: Runs) -> None:
    runs.suite("s3", "--storcert-json=run.json", "--storcert-rule=C-DESCRIBE", "--storcert-seed=5")
    mine = read_file(runs.pytester.path / "run.json")
    options = CertifyOptions(find_driver("s3"), profile=Profile.CORE, rules=("C-DESCRIBE",), seed=5)
    theirs = run_certification(options, SilentProgress())
    assert (mine.digest, mine.verdict, mine.counts) == (theirs.digest, RunVerdict.CONFORMANT, theirs.counts)
    assert mine.partial == theirs.partial != ""


@pytest.mark.slow
def test_workers_of_xdist_give_the_same_record(runs: Runs) -> None:
    digests = set()
    for workers in ("0", "2"):
        result = runs.apart(
            "--pyargs", "storcert.conformance", "--storcert-driver=s3", "--storcert-profile=core", "--storcert-rule=C-DESCRIBE",
            "--storcert-rule=C-LIST", "--storcert-json=run.json", "-n", workers,
        )  # fmt: skip
        assert result.ret == pytest.ExitCode.OK
        digests.add(read_file(runs.pytester.path / "run.json").digest)
    assert len(digests) == 1
    wrong = runs.apart("--pyargs", "storcert.conformance", "--storcert-driver=acme", "-n", "2")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR


def test_nobody_pays_who_does_not_use_it() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import storcert.conformance.pytest_plugin; "
        "print(sorted(m for m in set(sys.modules) - before if m.startswith('storcert')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(["storcert", "storcert.conformance", "storcert.conformance.pytest_plugin"])


def test_the_plugin_is_an_entry_point_of_pytest() -> None:
    import tomllib

    text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["project"]["entry-points"]["pytest11"] == {"storcert": "storcert.conformance.pytest_plugin"}
    assert pytest_run.SUITE_FILE.is_file()
