"""What a record tells of operations that no order explains: the few that conflict, in the words of their steps."""

from __future__ import annotations

import pytest

from storcert.conformance.broken_history import broken_history
from storcert.conformance.generated import run_program
from storcert.conformance.program import Program, Step
from storcert.conformance.violation import NoOrder
from storcert.harness.record.broken_history import BrokenHistory
from storcert.harness.record.codec import to_json
from tests.conformance.kit import bench_of
from tests.conformance.test_interpreter import A, B, LastOneWins, StaleHead, alone, together, write


def broken(driver: type, program: Program) -> BrokenHistory:
    with bench_of(driver) as bench, pytest.raises(NoOrder) as raised:
        run_program(bench, program)
    return broken_history(raised.value)


def test_of_two_winners_and_many_others_the_two_are_told() -> None:
    program = together(
        (write(A, 5), Step("read", A), write(B, 7), Step("delete", A)),
        (write(A, 6), Step("describe", A), Step("list"), write(A, 9)),
    )
    found = broken(LastOneWins, program)
    told = [(line.process, line.asked, line.answer) for line in found.conflicting]
    assert sorted(told) == [
        ("task 0 at host-1", "write /volume/1/a 5 bytes, as t0s0", "ok"),
        ("task 1 at ssvm-1", "write /volume/1/a 6 bytes, as t1s0", "ok"),
    ]
    assert sorted((line.place, line.fits_nowhere) for line in found.conflicting) == [(0, True), (1, False)]
    assert found.minimal and found.left_out and not any("volume/1/b" in line.asked for line in found.lines)
    assert [line.begin_ns for line in found.lines] == sorted(line.begin_ns for line in found.lines)


def test_the_write_is_kept_that_could_explain_it_were_its_time_not_known() -> None:
    found = broken(StaleHead, alone(write(A, 5), Step("describe", A), Step("list"), Step("delete", A), Step("describe", A)))
    verbs = [line.asked.partition(" ")[0] for line in found.conflicting]
    assert verbs == ["write", "delete", "describe"]
    assert found.conflicting[-1].fits_nowhere and found.conflicting[-1].answer == "5 bytes"


def test_it_is_the_same_each_time() -> None:
    program = together((write(A, 5), Step("read", A)), (write(A, 6), Step("describe", A)))
    assert to_json(broken(LastOneWins, program)) == to_json(broken(LastOneWins, program))
