"""Draws come from the given stream and from nothing else; failures are shrunk to a few operations."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from storcert.conformance import generated
from storcert.conformance.draws import drawing_from, search
from storcert.conformance.generated import FOCUSES, focus_without_faults
from storcert.conformance.program import Program
from storcert.conformance.strategies import Focus, large, programs
from storcert.harness.contract import DataObjectUri
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.verdict import Verdict
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import facts_of, run_id


def drawn(seed: object, rule: str = "C-RETRY", count: int = 20) -> list[Program]:
    found: list[Program] = []
    search(programs(facts_of(), FOCUSES[rule]), found.append, random.Random(f"{seed}"), count)
    return found


def test_the_same_stream_gives_the_same_programs_and_another_gives_others() -> None:
    one = drawn(1)
    assert len(one) >= 15
    assert one == drawn(1) != drawn(2)


def test_the_global_generator_is_neither_read_nor_changed() -> None:
    random.seed(5)
    expected = random.random()
    random.seed(5)
    one = drawn(1)
    assert random.random() == expected
    assert drawn(1) == one


_SCRIPT = """
import hashlib, json
from tests.conformance.test_draws import drawn
said = json.dumps([one.to_json() for one in drawn(1)], sort_keys=True)
print(hashlib.sha256(said.encode()).hexdigest())
"""


def test_neither_hash_seed_nor_folder_nor_process_matter(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    digests = set()
    for hash_seed, folder in (("1", root), ("2", tmp_path)):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_a_failing_draw_is_shrunk() -> None:
    seen: list[list[int]] = []

    def run(numbers: list[int]) -> None:
        if sum(numbers) > 100:
            seen.append(numbers)
            raise ValueError(str(numbers))

    with pytest.raises(ValueError, match=r"^\[101\]$"):
        search(st.lists(st.integers(0, 1000)), run, random.Random(1), 50)
    assert seen[-1] == [101]


@pytest.mark.parametrize(
    "strategy",
    [st.booleans(), st.integers(), st.integers(0), st.integers(max_value=5), st.floats(), st.floats(0, 1), st.text(),
     st.binary(), st.text("ab", min_size=3), st.sampled_from("abc"), st.lists(st.integers(0, 9), unique=True),
     st.none() | st.integers(0, 3)],
)  # fmt: skip
def test_every_kind_of_draw_works_and_varies(strategy: Any) -> None:
    found: list[Any] = []
    search(strategy, found.append, random.Random(3), 30)
    assert len({repr(one) for one in found}) > 1


def test_the_ends_of_a_range_come_often() -> None:
    found: list[int] = []
    search(st.integers(0, 10**6), found.append, random.Random(3), 200)
    assert {0, 1, 10**6 - 1, 10**6} <= set(found)


class TestFocus:
    def test_large_programs_reach_over_the_parts_with_fewer_steps(self) -> None:
        wide = large(FOCUSES["C-WRITE"])
        assert (wide.parts, wide.steps) == (True, 4)
        found: list[Program] = []
        search(programs(facts_of(), wide), found.append, random.Random(1), 20)
        sizes = [step.size for one in found for _, steps in one.tasks for step in steps]
        assert max(sizes) > facts_of().part_bytes

    def test_where_faults_cannot_be_shown_there_are_none(self) -> None:
        plain = focus_without_faults(FOCUSES["C-RETRY"])
        assert (plain.faults, plain.tasks, plain.verbs) == (0, 1, FOCUSES["C-RETRY"].verbs)

    def test_undeclared_abilities_are_not_drawn(self) -> None:
        from dataclasses import replace

        from storcert.harness.contract import Capabilities

        bare = replace(facts_of(), capabilities=Capabilities())
        found: list[Program] = []
        search(programs(bare, Focus({"copy": 5, "list": 5, "read": 1})), found.append, random.Random(1), 20)
        steps = [step for one in found for _, steps in one.tasks for step in steps]
        assert {step.verb for step in steps} == {"read"}
        assert {(step.offset, step.length) for step in steps} == {(0, None)}


class KeepsEmptyOnes(S3Driver):
    """``delete`` does nothing for an object without bytes."""

    def delete(self, uri: DataObjectUri) -> None:
        try:
            if self.describe(uri).size_bytes == 0:
                return
        except Exception:  # noqa: BLE001  (a planted bug need not be tidy)
            pass
        super().delete(uri)


class TestShrinking:
    CASE = "C-DELETE/programs-hold[small-standard]"

    def test_a_planted_bug_comes_down_to_a_few_operations(self) -> None:
        outcome = run_id(self.CASE, KeepsEmptyOnes)
        assert outcome.result.verdict is Verdict.FAIL
        assert outcome.program is not None
        smallest = Program.from_json(outcome.program)
        assert smallest.operations() <= 3, smallest
        assert smallest.faults == ()
        again = run_id(self.CASE, KeepsEmptyOnes, program=smallest)
        assert (again.message, again.example_digest) == (outcome.message, outcome.example_digest)
        assert again.result.steps == outcome.result.steps
        assert run_id(self.CASE, S3Driver, program=smallest).result.verdict is Verdict.PASS

    @pytest.mark.slow
    def test_the_number_of_runs_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(generated, "SHRINK_RUNS_MAX", 10)
        outcome = run_id(self.CASE, KeepsEmptyOnes)
        assert outcome.result.verdict is Verdict.FAIL
        assert outcome.result.examples <= 40 + 10 + 5
        assert outcome.program is not None
        again = run_id(self.CASE, KeepsEmptyOnes, program=Program.from_json(outcome.program))
        assert again.example_digest == outcome.example_digest

    def test_in_this_process_too(self) -> None:
        class Forgets(MemoryDriver):
            def delete(self, uri: DataObjectUri) -> None:
                pass

        outcome = run_id("C-DELETE/programs-hold[small-core]", Forgets)
        assert outcome.result.verdict is Verdict.FAIL
        assert outcome.program is not None and Program.from_json(outcome.program).operations() <= 3


def test_shrinking_draws_no_constants_of_source_files() -> None:
    from hypothesis.internal.conjecture import engine

    before = vars(engine)["HypothesisProvider"]
    with drawing_from(random.Random(1)):
        provider = vars(engine)["HypothesisProvider"](None)
        assert provider._maybe_draw_constant("integer", {}, p=1.0) is None
    assert vars(engine)["HypothesisProvider"] is before
