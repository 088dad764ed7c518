"""A badge: well-formed, its colour the verdict's, grey when it says nothing any more, whatever the driver is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from storcert.conformance import cli
from storcert.harness.record.codec import encode
from storcert.harness.record.run_record import Environment
from storcert.reports.badge import GREEN, GREY, RED, render
from tests.reports import records

COLORS = {
    "conformant": GREEN, "broken": RED, "undecided": GREY, "kit_error": GREY, "interrupted": GREY, "hostile": RED,
    "scenarios": RED, "exploration": RED, "blamed": RED,
}  # fmt: skip
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", records.EVERY)
def test_its_colour_is_the_verdict(name: str) -> None:
    text = render(records.EVERY[name]())
    svg = ElementTree.fromstring(text)
    assert svg.find("{http://www.w3.org/2000/svg}rect").get("fill") == COLORS[name]  # type: ignore[union-attr]
    width = float(svg.get("width", "0"))
    assert all(float(part.get("x", "0")) < width for part in svg.iter("{http://www.w3.org/2000/svg}text"))


@pytest.mark.parametrize(("days", "grey"), [(29, False), (31, True)])
def test_it_is_grey_when_it_is_too_old(days: int, grey: bool) -> None:
    text = render(records.conformant(), max_age=timedelta(days=30), now=STARTED + timedelta(days=days))
    assert ("expired: conformant" in text, GREY in text) == (grey, grey)


@pytest.mark.parametrize("started", ["", "soon", "2026-01-02T03:04:05"])
def test_without_a_date_it_cannot_be_young(started: str) -> None:
    record = replace(records.conformant(), environment=Environment(started=started))
    assert "expired" in render(record, max_age=timedelta(days=30), now=STARTED)
    assert "expired" not in render(record)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, svg = tmp_path / "run.json", tmp_path / "badge.svg"
    run.write_text(encode(records.conformant()))
    assert cli.run(["report", str(run), "--badge", str(svg), "--max-age", "1h"]) == 0
    assert "expired" in svg.read_text()
    assert cli.run(["report", str(run), "--badge", str(svg)]) == 0
    assert "expired" not in svg.read_text()
    assert cli.run(["report", str(run), "--max-age", "1h"]) == 4
    assert "--max-age goes with --badge FILE" in capsys.readouterr().err
