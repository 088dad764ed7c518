"""Operations that no order explains, as lines and as a drawing."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from storcert.harness.record.broken_history import BrokenHistory, HistoryLine
from storcert.harness.record.history import Status
from storcert.reports import history_text, terminal
from storcert.reports.history_svg import svg
from tests.reports import records

P, Q = "task 0 at host-1", "task 1 at ssvm-1"
WROTE = HistoryLine(P, "write /volume/1/a 5 bytes, as t0s0", "ok", 10, 40, Status.OK, True, 1)
BESIDE = HistoryLine(Q, "describe /volume/1/a", "5 bytes", 20, 30, Status.OK)
GONE = HistoryLine(Q, "delete /volume/1/a", "ok", 50, 60, Status.OK, True, 2)
STALE = HistoryLine(P, "read /volume/1/a", "bytes of t0s0 (5)", 70, 80, Status.OK, True, 0, True)
STALE_READ = BrokenHistory((WROTE, BESIDE, GONE, STALE), left_out=3)


def test_the_lines_of_those_that_conflict_on_a_common_axis() -> None:
    assert history_text.text(STALE_READ) == "\n".join([
        history_text.headline(STALE_READ),
        "1  task 0 at host-1  ||      write /volume/1/a 5 bytes, as t0s0  ok",
        "2  task 1 at ssvm-1    ||    delete /volume/1/a                  ok",
        "x  task 0 at host-1      ||  read /volume/1/a                    bytes of t0s0 (5)",
        "After 1, 2 the answer of x fits in nowhere.",
    ])  # fmt: skip
    said = "No order explains what these 3 operations answered; 4 others on the same objects cannot explain it, whether they"
    assert history_text.headline(STALE_READ) == f"{said} happened or not."


def test_one_operation_may_be_enough_and_fewer_may_do() -> None:
    alone = BrokenHistory((replace(STALE, begin_ns=0, end_ns=0),), minimal=False)
    text = history_text.text(alone)
    assert text.startswith("No order explains what this operation answered. Fewer might do.\n")
    assert text.endswith("\nThe answer of x fits in nowhere.")
    assert history_text.text(BrokenHistory(())) == ""


class TestTheAxis:
    def test_what_is_under_way_together_overlaps(self) -> None:
        lines = (WROTE, BESIDE, GONE)
        assert history_text.axis(lines) == [(0, 3), (1, 2), (4, 5)]

    def test_who_meets_at_an_instant_overlaps_and_one_process_follows_itself(self) -> None:
        met = replace(GONE, begin_ns=40, end_ns=45)
        assert history_text.axis((WROTE, met)) == [(0, 2), (1, 3)]
        assert history_text.axis((WROTE, replace(met, process=P))) == [(0, 1), (2, 3)]
        at_once = replace(WROTE, begin_ns=5, end_ns=5)
        assert history_text.axis((at_once, replace(at_once, asked="again"))) == [(0, 1), (2, 3)]

    def test_what_was_never_answered_reaches_to_the_end(self) -> None:
        assert history_text.axis((replace(WROTE, end_ns=None), GONE)) == [(0, 3), (1, 2)]

    def test_it_is_never_wider_than_a_line_has_room_for(self) -> None:
        many = tuple(replace(WROTE, begin_ns=10 * number, end_ns=10 * number + 5) for number in range(200))
        columns = history_text.axis(many)
        assert max(end for _, end in columns) < history_text.COLUMNS_MAX
        assert columns == sorted(columns)


class TestTheDrawing:
    def test_a_lane_for_each_process_and_a_bar_for_each_operation(self) -> None:
        root = ElementTree.fromstring(svg(STALE_READ))
        space = "{http://www.w3.org/2000/svg}"
        assert root.tag == f"{space}svg"
        assert [bar.get("class") for bar in root.iter(f"{space}rect")] == ["conflict", "stuck", "beside", "conflict"]
        titles = [title.text or "" for title in root.iter(f"{space}title")]
        assert titles[1] == "task 0 at host-1: read /volume/1/a: bytes of t0s0 (5); 0.000000 s to 0.000000 s"
        shown = [text.text for text in root.iter(f"{space}text")]
        assert P in shown and Q in shown and shown[-1] == "After 1, 2 the answer of x fits in nowhere."

    def test_it_says_what_has_no_answer(self) -> None:
        lost = replace(WROTE, end_ns=None, status=Status.UNKNOWN, answer="no answer")
        drawn = svg(BrokenHistory((lost, STALE)))
        assert 'class="conflict unknown"' in drawn and "never answered" in drawn

    def test_words_stay_inside(self) -> None:
        far = [replace(STALE, begin_ns=100 * number, end_ns=100 * number + 50, place=number) for number in range(1, 30)]
        for text in ElementTree.fromstring(svg(BrokenHistory(tuple(far)))).iter("{http://www.w3.org/2000/svg}text"):
            assert 0 <= float(text.get("x", "-1")) <= 960 - 6 * len(text.text or "")

    @pytest.mark.parametrize("odd", ["<script>", "a\"b'&", "\x1b[31mred", "\ud800"])
    def test_nothing_in_it_is_taken_for_markup(self, odd: str) -> None:
        drawn = svg(BrokenHistory((replace(STALE, asked=odd, process=odd, answer=odd),)))
        ElementTree.fromstring(drawn.encode("utf-8"))
        assert "<script" not in drawn and "\x1b" not in drawn

    def test_colours_are_variables_and_text_takes_that_around(self) -> None:
        drawn = svg(STALE_READ)
        assert "currentColor" in drawn and "var(--history-stuck," in drawn

    def test_nothing_is_drawn_of_nothing(self) -> None:
        assert svg(BrokenHistory(())) == ""


def test_the_terminal_shows_it_with_its_failure() -> None:
    broken = records.broken()
    rule = next(rule for rule in broken.rules if rule.failures)
    failure = replace(rule.failures[0], history=STALE_READ)
    rules = tuple(replace(one, failures=(failure,)) if one is rule else one for one in broken.rules)
    shown = terminal.render(replace(broken, rules=rules), width=80)
    for line in history_text.text(STALE_READ).splitlines():
        assert f"    {line}" in shown
