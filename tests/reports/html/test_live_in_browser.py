"""The page of ``--watch`` in a real browser: it follows the run, and says when that is over."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.conformance.live_view import GrowingRecord, LiveView
from tests.reports import records
from tests.reports.html.test_browser import browser  # noqa: F401  (a fixture)

pytestmark = pytest.mark.browser


def test_the_page_follows_the_run(browser: Any) -> None:  # noqa: F811
    whole = records.broken()
    complaints: list[str] = []
    with LiveView() as view:
        growing = GrowingRecord(view, records.undecided(), ())
        growing.case_ended(whole.checks[0])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(view.address)
        assert page.locator("#checks-table tbody tr").count() == 1
        page.locator(".live", has_text="goes on").wait_for()
        failing = next(check for check in whole.checks if str(check.verdict) == "fail")
        growing.case_ended(failing, [one for one in whole.failures if one.check == failing.id])
        page.locator(".failure").first.wait_for()
        assert page.locator("#checks-table tbody tr").count() == 2
        assert complaints == []
        view.shows(lambda: whole)
    page.locator(".live", has_text="over").wait_for()
    assert page.locator("#checks-table tbody tr").count() == len(whole.checks)
