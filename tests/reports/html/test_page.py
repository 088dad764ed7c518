"""The page as text: all of the record is in it, nothing of it is code, and nothing outside it is asked for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from storcert.harness.record.broken_history import BrokenHistory, HistoryLine
from storcert.harness.record.coverage import CellOutcome, Coverage, CoverageCell, OperationCoverage
from storcert.harness.record.history import Status
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.trace import ShownTrace, Sort, last_of
from storcert.harness.record.verdict import Verdict
from storcert.reports.html.matrices import matrices
from storcert.reports.html.page import render
from storcert.reports.html.timeline_data import SPANS_MAX, timeline_data
from tests.reports import records
from tests.reports.html.traces import START_NS, long_trace


class Read(HTMLParser):
    """Elements, attributes and text as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.data = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._inside = dict(attrs).get("id") or tag

    def handle_data(self, data: str) -> None:
        if self._inside == "data":
            self.data += data
        elif data.strip():
            self.texts.append(data)


def shown(record: RunRecord) -> Read:
    return Read(render(record))


@pytest.mark.parametrize("name", records.ALL)
def test_every_check_and_count_is_there(name: str) -> None:
    record = records.ALL[name]()
    read = shown(record)
    rows = [value for tag, attribute, value in read.attributes if (tag, attribute) == ("tr", "data-verdict")]
    wanted = [*(str(rule.verdict) for rule in record.rules), *(str(check.verdict) for check in record.checks)]
    assert rows == wanted
    counts = next(text for text in read.texts if re.match(r"[\d,]+ pass", text))
    for verdict in Verdict:
        number = sum(check.verdict is verdict for check in record.checks)
        assert (f"{number} {verdict}" in counts) == (number > 0 or verdict is Verdict.PASS)


def test_a_failure_has_its_steps_its_place_and_its_replay() -> None:
    page = render(records.broken())
    for part in ("commit published 1 byte where 2 were announced", "open_output /volume/1/a size=2", "acme/driver.py:88",
                 "storcert replay sc1.abc.01234567", "storcert explain C-COMMIT"):
        assert part in page


def test_nothing_outside_is_asked_for() -> None:
    record = replace(records.broken(), traces=(ShownTrace("C-COMMIT/size-mismatch[1]", long_trace(20)),))
    read = shown(record)
    loads = [value for _, name, value in read.attributes if name in ("src", "href", "action", "srcset", "poster")]
    assert loads and all(value.startswith("#") or value == "data:," for value in loads)
    policy = next(value for _, name, value in read.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'")


def test_text_of_a_driver_is_never_markup() -> None:
    plain, hostile = shown(records.conformant()), shown(records.hostile())
    assert set(hostile.tags) <= {*plain.tags, "article", "ol", "li", "h3", "h4", "code", "p"}
    assert "\x1b" not in render(records.hostile()) and "\u202e" not in render(records.hostile())
    trace = long_trace(3)
    named = replace(trace, spans=(replace(trace.spans[0], subject="</script><script>alert(1)</script>"),))
    page = render(replace(records.broken(), traces=(ShownTrace("x", named),)))
    assert "alert(1)" in page and "<script>alert" not in page
    assert json.loads(Read(page).data)["timelines"][0]["words"][1].startswith("</script>")


def test_a_failure_leads_to_its_timeline() -> None:
    record = records.broken()
    first = record.failures[0].check
    page = render(replace(record, traces=(ShownTrace("other", long_trace(2)), ShownTrace(first, long_trace(3)))))
    assert page.count('class="to-timeline" href="#t=1"') == 1


def drawn(data: dict[str, Any]) -> list[list[Any]]:
    spans: list[list[Any]] = data["spans"]
    return spans


def test_a_short_trace_is_drawn_whole() -> None:
    trace = long_trace(30)
    data = timeline_data(ShownTrace("it", trace, 7))
    assert len(drawn(data)) == len(trace.spans) and len(data["marks"]) == 2
    assert data["told"] == ["7 earlier spans and marks are not in the record"]
    assert drawn(data)[-1][1] == -1  # it never ended
    for span, row in zip(trace.spans, drawn(data), strict=True):
        assert (data["words"][row[7]], data["lanes"][row[2]][0]) == (span.name, span.place)
        assert row[0] == span.start_ns - START_NS
        assert row[6] == -1 or trace.spans[row[6]].key == span.parent


def test_a_long_trace_is_sampled_and_says_so() -> None:
    trace = long_trace(60_000)
    data = timeline_data(ShownTrace("it", trace))
    assert len(drawn(data)) == SPANS_MAX
    assert data["told"][0].startswith(f"sampled: {SPANS_MAX:,} of {len(trace.spans):,} spans")
    few = long_trace(12_000)
    data = timeline_data(ShownTrace("it", few))
    calls = sum(span.sort is Sort.CALL for span in few.spans)
    failed = sum(span.status != "ok" for span in few.spans)
    assert sum(data["sorts"][row[4]] == "call" for row in drawn(data)) == calls
    assert sum(row[5] != 0 for row in drawn(data)) == failed


def test_the_end_of_a_trace_is_what_a_record_keeps() -> None:
    trace = long_trace(500)
    kept = last_of("it", trace, 100)
    assert len(kept.trace.spans) == 100 and kept.left_out == len(trace.spans) - 100 + 2
    assert kept.trace.spans[-1] == trace.spans[-1] and kept.trace.start_ns == kept.trace.spans[0].start_ns
    assert last_of("it", trace, 10_000) == ShownTrace("it", trace)


def test_ten_thousand_events_are_no_large_page() -> None:
    page = render(replace(records.broken(), traces=(ShownTrace("it", long_trace(8_000)),)))
    assert len(page.encode()) < 3 << 20


def test_what_was_struck_stands_in_a_matrix() -> None:
    cells = (
        CoverageCell("write", 2, "PutObject", "throttle", "before", 1, 1, 1, 1, 0, CellOutcome.SURVIVED),
        CoverageCell("write", 10, "HeadObject", "throttle", "before", 1, 1, 0, 0, 0, CellOutcome.NOT_REACHED),
        CoverageCell("write", 2, "PutObject", "crash", "after", 1, 1, 1, 0, 1, CellOutcome.FAILED),
        CoverageCell("write", 11, "GetObject", "crash", "after", 1, 0, 0, 0, 0, CellOutcome.NOT_TRIED),
    )
    operations = (OperationCoverage("write", ("HeadObject", "PutObject"), 4, 3, 0, True),)
    record = replace(records.broken(), coverage=Coverage(operations, cells))
    whole, steps = matrices(record)
    assert whole.columns == steps.columns == ("crash after", "throttle before")
    assert [(name, [cell.kind for cell in row]) for name, row in whole.rows] == [("write", ["fail", "pass"])]
    assert [(name, [cell.kind for cell in row]) for name, row in steps.rows] == [
        ("2 PutObject", ["fail", "pass"]), ("10 HeadObject", ["none", "unreached"]), ("11 GetObject", ["untried", "none"])]
    assert "write: crashed at 3 of 4 points, and no other" in render(record)


def test_a_history_without_an_order_is_drawn() -> None:
    lines = (
        HistoryLine("task 1", "write <b> of 3 bytes", "ok", 0, 10, Status.OK, conflicting=True, place=1),
        HistoryLine("task 2", "read", "nothing", 20, 30, Status.OK, conflicting=True, fits_nowhere=True),
    )
    record = records.broken()
    rule = next(rule for rule in record.rules if rule.failures)
    failure = replace(rule.failures[0], history=BrokenHistory(lines))
    others = tuple(one for one in record.rules if one is not rule)
    record = replace(record, rules=(replace(rule, failures=(failure,)), *others))
    read = shown(record)
    assert "svg" in read.tags and "b" not in read.tags
    assert any("write <b> of 3 bytes" in text for text in read.texts)
