"""The search beyond the profile: what a swarm is, that it finds failures like any other, and that it changes no digest."""

from __future__ import annotations

import itertools
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storcert.conformance import certify as certify_module
from storcert.conformance import cli, generated
from storcert.conformance.certify import record_of, run_certification
from storcert.conformance.deep_search import ROUND, search_on
from storcert.conformance.driver_source import find_driver
from storcert.conformance.generated import stream_of
from storcert.conformance.isolation import require_available
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.conformance.real_time import seconds_of
from storcert.conformance.replay import replay
from storcert.conformance.schedule import Job
from storcert.conformance.strategies import FOCUSES
from storcert.conformance.swarms import case_of, draw, files_of, found_by_search
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.depth import SearchDepth, deeper
from storcert.harness.record.run_record import Environment, RunRecord
from storcert.harness.record.token import decode_token
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports import terminal
from storcert.scenarios.explore.lines import can_watch
from tests.conformance.kit import driver_file, facts_of, subject

RULES = ["C-DESCRIBE", "C-LIST", "C-READ"]
WRONG = """
def describe(self, uri):
    return DataObjectDescription(uri, super().describe(uri).size_bytes + 1)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """How small a failure becomes is tested elsewhere."""
    monkeypatch.setattr(generated, "SHRINK_RUNS_MAX", 60)


def steps(count: int) -> Callable[[], float]:
    """A clock that lets a search of 1 s take so many swarms of a round, and one less for each further round."""
    ticks = itertools.count()
    return lambda: next(ticks) / (count + 2)


@pytest.fixture
def vendor(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    before, name = list(sys.path), f"searched_{zlib.crc32(request.node.name.encode())}"
    yield lambda body: driver_file(tmp_path, body, name)
    sys.path[:] = before
    sys.modules.pop(name, None)


def options(driver: str = "s3", rules: tuple[str, ...] = ("C-DESCRIBE",), **more: object) -> CertifyOptions:
    return CertifyOptions(find_driver(driver), profile=Profile.CORE, rules=rules, **more)  # type: ignore[arg-type]


class TestSwarms:
    def test_the_stream_decides(self) -> None:
        one, same, other = (draw(stream_of(name), RULES, facts_of(), []) for name in ("a", "a", "b"))
        assert one == same != other

    def test_each_leaves_something_else_out_but_writes(self) -> None:
        swarms = [draw(stream_of(str(number)), RULES, facts_of(), []) for number in range(60)]
        verbs = {tuple(swarm.focus.verbs) for swarm in swarms}
        assert len(verbs) > 20
        assert all("write" in one for one in verbs)
        assert any("delete" not in one for one in verbs) and any("delete" in one for one in verbs)
        assert {swarm.focus.faults for swarm in swarms} == {0, 1, 2, 3}
        assert {swarm.rule for swarm in swarms} == set(RULES)

    def test_one_that_reached_something_is_gone_on_with(self) -> None:
        parent = draw(stream_of("parent"), ["C-LIST"], facts_of(), [])
        rules = [rule for rule in FOCUSES if rule != "C-SNAP"]
        swarms = [draw(stream_of(str(number)), rules, facts_of(), [parent]) for number in range(60)]
        of_parent = [swarm for swarm in swarms if swarm.rule == "C-LIST"]
        assert 20 < len(of_parent) < 45
        assert all(set(swarm.focus.verbs) <= set(parent.focus.verbs) for swarm in of_parent[:1])


class TestSearching:
    def test_twice_the_same_and_nothing_found_in_a_correct_driver(self) -> None:
        job = Job.of(options())
        first, second = (search_on(job, facts_of(), 1.0, steps(3)) for _ in range(2))
        assert first == second
        assert first[0] == []
        assert (first[1].searched, first[1].swarms, first[1].guided) == (12, 3, can_watch())
        assert first[1].operations >= 12 and (first[1].lines > 0) is can_watch()

    def test_what_it_finds_is_small_and_replays(self, vendor: Callable[[str], str]) -> None:
        chosen = options(vendor(WRONG))
        found, depth = search_on(Job.of(chosen), facts_of(), 1.0, steps(3))
        record = record_of(chosen, facts_of(), found, Environment(), searched=depth, left_out="not run here")
        (failure,) = record.failures
        assert record.verdict is RunVerdict.NOT_CONFORMANT
        assert failure.check == "C-DESCRIBE/programs-hold[search]"
        assert len(failure.steps) <= 8
        again, text = replay(decode_token(failure.token))
        assert again and "bit for bit" in text
        assert found_by_search("C-DESCRIBE/exact-size[search]") is not None
        assert found_by_search("C-DESCRIBE/programs-hold[small-core]") is None

    @pytest.mark.slow
    @pytest.mark.parametrize("isolate", [False, True])
    def test_any_number_of_workers_makes_the_same_search(self, isolate: bool) -> None:
        if isolate:
            try:
                require_available()
            except InvalidUsage as missing:
                pytest.skip(str(missing))
        alone, together = (
            search_on(Job.of(options(rules=tuple(RULES), **more)), facts_of(), 1.0, steps(ROUND + 4))
            for more in ({}, {"workers": 2, "isolate": isolate})
        )
        assert alone == together
        assert alone[1].swarms > ROUND

    @pytest.mark.slow
    def test_what_workers_find_is_what_one_finds(
        self, vendor: Callable[[str], str], monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.undo()  # workers shrink as far as ever
        driver = vendor(WRONG)
        alone, together = (
            search_on(Job.of(options(driver, workers=workers)), facts_of(), 1.0, steps(3)) for workers in (1, 2))
        assert alone[1] == together[1]
        (one,), (other,) = alone[0], together[0]
        assert (one.result, one.program, one.digest) == (other.result, other.program, other.digest)

    @pytest.mark.slow
    def test_no_digest_of_a_run_reads_it(self, vendor: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
        search = search_on
        monkeypatch.setattr(certify_module, "search_on", lambda job, facts, seconds: search(job, facts, seconds, steps(2)))
        records: list[RunRecord] = []
        for search_s in (None, 1.0):
            records.append(run_certification(options(vendor(WRONG), search_s=search_s), SilentProgress()))
        plain, searched = records
        assert plain.digest == searched.digest
        assert len(searched.failures) == len(plain.failures) + 1
        assert plain.depth is not None and searched.depth is not None
        assert plain.depth.searched == 0 < searched.depth.searched
        assert searched.depth.programs == plain.depth.programs + searched.depth.searched
        assert "of them by a search through" in terminal.render(searched)

    @pytest.mark.skipif(not can_watch(), reason="this Python tells nobody of lines")
    def test_lines_of_a_vendors_file_are_seen(self, vendor: Callable[[str], str]) -> None:
        chosen = options(vendor("def describe(self, uri):\n    return super().describe(uri)"))
        files = files_of(subject(chosen.driver.load()))
        assert Path(chosen.driver.file).name in files.values()
        found, depth = search_on(Job.of(chosen), facts_of(), 1.0, steps(3))
        assert (found, depth.lines > 1, depth.guided) == ([], True, True)

    def test_a_program_of_a_search_has_a_world_of_its_own(self) -> None:
        swarm = draw(stream_of("a"), ["C-LIST"], facts_of(), [])
        assert case_of(swarm, 1).id == case_of(swarm, 2).id == "C-LIST/programs-hold[search]"


class TestDepth:
    def test_together(self) -> None:
        parts = [SearchDepth(2, 9, 5), SearchDepth(), SearchDepth(4, 30, 20, 4, 1, 70, True)]
        assert deeper(parts) == SearchDepth(6, 39, 20, 4, 1, 70, True)
        assert deeper([SearchDepth(), SearchDepth(guided=True)]) is None


class TestWords:
    @pytest.mark.parametrize(("text", "seconds"), [("60", 60.0), ("1.5", 1.5), ("60s", 60.0), ("2min", 120.0), (None, None)])
    def test_real_time(self, text: str | None, seconds: float | None) -> None:
        assert seconds_of("--budget", text) == seconds

    @pytest.mark.parametrize("text", ["0", "0s", "soon", "-3", "nan", "inf", "1e3"])
    def test_what_is_no_time(self, text: str) -> None:
        with pytest.raises(InvalidUsage, match=f"--budget {text}"):
            seconds_of("--budget", text)

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--search", "soon"], "--search soon"),
            (["--device", "live", "--search", "3s"], "--search: a live device"),
            (["--budget", "-1"], "--budget -1"),
        ],
    )
    def test_the_command_says_what_is_wrong(self, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["certify", "s3", *arguments]) == 4
        assert says in capsys.readouterr().err

    def test_budget_takes_durations(self, capsys: pytest.CaptureFixture[str]) -> None:
        driver = "tests.conformance.drivers:MemoryDriver"
        said = ["certify", driver, "--profile", "core", "--rule", "C-DESCRIBE", "--workers", "1"]
        assert cli.run([*said, "--budget", "60s"]) == 0
        out = capsys.readouterr().out
        assert "generated: " in out and Verdict.PASS.value in out
