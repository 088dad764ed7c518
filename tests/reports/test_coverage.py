"""The space of faults in words: sentences, a table cut to the width, and a line for each cell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storcert.harness.record.codec import decode, encode
from storcert.harness.record.coverage import CellOutcome, Coverage, CoverageCell, OperationCoverage, PairCoverage
from storcert.reports import coverage
from storcert.reports.terminal import render
from tests.reports import records


def _cell(operation: str, fault: str, outcome: CellOutcome, step: int = 1) -> CoverageCell:
    return CoverageCell(operation, step, "PutObject", fault, "before", 2, 2, 2, 2, 0, outcome)


TOLD = Coverage(
    (
        OperationCoverage("write-small", ("HeadObject", "PutObject"), 4, 4, 0, True),
        OperationCoverage("write-parts", ("HeadObject",), 2, 1, 2, False),
        OperationCoverage("read", ("GetObject",), 0, 0, 0, False),
    ),
    (
        _cell("write-small", "crash", CellOutcome.SURVIVED), _cell("write-parts", "crash", CellOutcome.FAILED, 2),
        _cell("write-small", "answer_lost", CellOutcome.NOT_REACHED), _cell("read", "answer_lost", CellOutcome.NOT_TRIED),
    ),
    (PairCoverage("write-small", "answer_lost", "crash", 5, 4, 3, 1, True),),
)  # fmt: skip


def test_sentences() -> None:
    assert list(coverage.lines(TOLD)) == [
        "2 operations with 3 requests: 5 of 6 crash points reached; that there are no more is shown for 1 of 2",
        "write-parts went on: 2 crash points beyond those of a healthy run",
        "4 cells of operation, step, fault and phase: 1 survived, 1 failed, 1 never struck, 1 not tried",
        "5 pairs of faults, 5 of them drawn by the seed: in 4 both struck, 1 failed",
    ]


def test_variants_of_an_operation_share_a_row_and_the_crash_comes_first() -> None:
    assert coverage.faults(TOLD.cells) == ["crash", "answer_lost"]
    assert coverage.rows(TOLD.cells) == [("read", "", "1-"), ("write", "1 1x", "1o")]


@pytest.mark.parametrize("width", [20, 30, 100])
def test_pieces_fit_and_nothing_is_left_out(width: int) -> None:
    head = ("operation", "crash", "answer_lost", "expired_credentials")
    rows = [("write", "1,000", "3", "4"), ("read", "1", "2", "")]
    pieces = list(coverage.blocks(head, rows, width))
    assert [name for names, _ in pieces for name in names[1:]] == ["crash", "answer\nlost", "expired\ncredentials"]
    assert all(names[0] == "operation" and len(row) == len(names) for names, table in pieces for row in table)
    assert len(pieces) == {20: 3, 30: 2, 100: 1}[width]


def test_every_cell_has_its_line() -> None:
    text = coverage.text(TOLD)
    assert len(text.splitlines()) == 1 + len(TOLD.cells) + 1 + 1 + len(TOLD.pairs)
    assert "write-parts  2     PutObject  crash        before" in text and "not_tried" in text
    assert "write-small  answer_lost  crash   5       4        3         1" in text


def test_the_report_has_it_and_the_record_keeps_it() -> None:
    record = replace(records.conformant(), coverage=TOLD)
    assert decode(encode(record)) == record
    text = render(record, unicode=False)
    assert "Faults and crashes\n2 operations with 3 requests" in text and "write       1 1x" in text
    assert "Faults and crashes" not in render(records.conformant())
