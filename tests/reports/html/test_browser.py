"""The page in a real browser: Debian's chromium, headless."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.trace import ShownTrace
from storcert.reports.html.page import render
from tests.reports import records
from tests.reports.html.traces import long_trace

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Opened:
    """A page with what it complained of."""

    def __init__(self, browser: Any, file: Path, fragment: str = "", **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.goto(f"file://{file}{fragment}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("file://", "data:")):
            self.complaints.append(f"asked for {url}")

    def chosen(self) -> str:
        return str(self.page.locator("#event").inner_text())


def with_timelines(requests: int = 200) -> RunRecord:
    record = records.broken()
    return replace(record, traces=(
        ShownTrace("first", long_trace(20)), ShownTrace(record.failures[0].check, long_trace(requests))))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(render(with_timelines()), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", records.ALL)
def test_every_record_renders_without_a_complaint(browser: Any, tmp_path: Path, name: str) -> None:
    record = records.ALL[name]()
    path = tmp_path / "report.html"
    path.write_text(render(record), encoding="utf-8")
    opened = Opened(browser, path)
    assert opened.page.locator("#verdict").inner_text()
    assert opened.page.locator("#rules-table tbody tr:visible").count() == len(record.rules)
    assert not opened.page.locator("#timelines").is_visible()
    assert opened.complaints == []


def test_filters_hide_and_show(browser: Any, file: Path) -> None:
    page = Opened(browser, file).page
    rows = page.locator("#rules-table tbody tr:visible")
    before = rows.count()
    failing = page.locator('#rules button[data-verdict="fail"]')
    failing.click()
    assert rows.count() == before - 2 and failing.get_attribute("aria-pressed") == "false"
    failing.click()
    assert rows.count() == before
    page.locator("#rules input").fill("once")
    assert rows.count() == 1


def test_a_link_leads_to_a_moment(browser: Any, file: Path) -> None:
    opened = Opened(browser, file, "#t=1:8")
    assert "struck by throttle before #3" in opened.chosen()
    assert opened.page.locator("#which").input_value() == "1"
    assert "PutObject bucket/key-5" in opened.chosen()
    opened.page.locator("#event a").click()
    assert opened.page.url.endswith("#t=1:8")
    assert opened.complaints == []


def test_the_timeline_of_a_failure_is_one_click_away(browser: Any, file: Path) -> None:
    page = Opened(browser, file).page
    page.locator(".to-timeline").first.click()
    assert page.locator("#which").input_value() == "1"


def test_the_keyboard_goes_through_events(browser: Any, file: Path) -> None:
    opened = Opened(browser, file)
    opened.page.locator("#canvas").focus()
    opened.page.keyboard.press(".")
    first = opened.chosen()
    opened.page.keyboard.press(".")
    assert opened.chosen() != first
    opened.page.keyboard.press(",")
    assert opened.chosen() == first
    for key in ("+", "+", "ArrowRight", "-", "ArrowLeft", "Home"):
        opened.page.keyboard.press(key)
    assert opened.complaints == []


def test_find_counts_and_steps(browser: Any, file: Path) -> None:
    page = Opened(browser, file, "#t=1").page
    page.locator("#find").fill("slowdown")
    assert page.locator("#found").inner_text() == "2 found"
    page.locator("#find").press("Enter")
    assert page.locator("#found").inner_text() == "1 of 2"
    page.locator("#as-table summary").click()
    page.locator("#events tbody tr").first.wait_for()
    assert page.locator("#events tbody tr").count() == 2


def test_a_click_on_a_bar_tells_of_it(browser: Any, file: Path) -> None:
    opened = Opened(browser, file, viewport={"width": 1200, "height": 900})
    canvas = opened.page.locator("#canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    opened.page.mouse.click(box["x"] + 156, box["y"] + 32)
    assert "write /volume/1/v0" in opened.chosen()


def test_light_and_dark(browser: Any, file: Path) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    dark = Opened(browser, file, color_scheme="dark").page
    light = Opened(browser, file, color_scheme="light").page
    assert dark.evaluate(back) != light.evaluate(back)
    before = light.evaluate(back)
    light.locator("#theme").click()
    assert light.evaluate(back) != before


def test_a_command_is_copied(browser: Any, file: Path) -> None:
    page = Opened(browser, file).page
    page.locator(".copy").first.click()
    page.locator(".copy", has_text="Copied").first.wait_for()
    assert page.locator(".copy").first.inner_text() == "Copied"


def test_it_can_be_printed(browser: Any, file: Path, tmp_path: Path) -> None:
    page = Opened(browser, file).page
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


def test_ten_thousand_events_are_ready_soon(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.html"
    path.write_text(render(with_timelines(8_000)), encoding="utf-8")
    opened = Opened(browser, path, "#t=1")
    assert opened.page.locator("html").get_attribute("data-ready") == "yes"
    assert opened.complaints == []
