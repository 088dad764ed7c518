"""The table of known differences: it explains what it says, and nothing else."""

from __future__ import annotations

from storcert.simulators.rbd.known_differences import RBD_DIFFERENCES
from tests.simulators.rbd.comparing import compare

REFUSED, MISSING = ["rbd.InvalidArgument", 22], ["rbd.ImageNotFound", 2]


def test_every_row_has_a_reason_and_says_where_it_applies() -> None:
    for row in RBD_DIFFERENCES:
        assert row.reason
        assert row.simulated is not None or row.real is not None


def test_a_difference_is_named_and_what_follows_is_not_compared() -> None:
    program = [("list", ()), ("read", (0, 0, 1)), ("list", ())]
    assert compare(program, [[], "x", []], [[], "x", []]) == (3, None, None)
    calls, complaint, row = compare(program, [[], "x", []], [[], "y", ["a"]])
    assert (calls, row) == (2, None)
    assert complaint is not None
    assert "simulated x, real y" in complaint


def test_a_row_explains_its_own_operation_only() -> None:
    write, read = [("write", (0, 0, 1, 1))], [("read", (0, 0, 1))]
    _, complaint, row = compare(write, [REFUSED], [MISSING])
    assert complaint is None
    assert row is not None and row.name == "write-to-removed-snapshot"
    assert compare(read, [REFUSED], [MISSING])[1] is not None
