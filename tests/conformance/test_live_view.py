"""``--watch``: what is there so far is served on loopback, to whoever asks there, and to nobody else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from storcert.conformance.live_view import GrowingRecord, LiveView
from storcert.harness.record.codec import decode
from storcert.harness.record.verdict import RunVerdict
from tests.reports import records


@pytest.fixture
def view(capsys: pytest.CaptureFixture[str]) -> Iterator[LiveView]:
    with LiveView() as found:
        assert found.address in capsys.readouterr().err
        yield found


def get(view: LiveView, path: str = "", **headers: str) -> httpx.Response:
    return httpx.get(view.address + path, headers=headers, timeout=10, trust_env=False)


def test_nothing_is_served_unless_it_is_wanted() -> None:
    with LiveView(False) as view:
        assert view.address == "" and not view.due()


def test_it_waits_for_the_first_check(view: LiveView) -> None:
    assert "Nothing is decided yet" in get(view).text
    assert get(view, "run.json").json() is None


def test_checks_come_one_by_one(view: LiveView) -> None:
    whole = records.broken()
    growing = GrowingRecord(view, records.undecided(), ())
    seen = []
    for check in whole.checks:
        growing.case_ended(check, [failure for failure in whole.failures if failure.check == check.id])
        found = decode(get(view, "run.json").text)
        seen.append(len(found.checks))
        assert found.counts.total == len(found.checks) and found.verdict is RunVerdict.UNDECIDED
    assert seen == list(range(1, len(whole.checks) + 1))
    page = get(view)
    assert "commit published 1 byte where 2 were announced" in page.text and "connect-src 'self'" in page.text
    assert page.headers["cache-control"] == "no-store"


def test_the_number_changes_with_what_is_shown(view: LiveView) -> None:
    before = get(view, "state").json()
    view.shows(records.conformant)
    after = get(view, "state").json()
    assert after["told"] > before["told"] and not after["over"]


def test_only_loopback_is_answered(view: LiveView) -> None:
    assert view.address.startswith("http://127.0.0.1:")
    assert get(view, Host="evil.example").status_code == 403
    assert get(view, "other").status_code == 404


def test_a_run_that_is_watched_has_the_same_record(tmp_path: object) -> None:
    command = [sys.executable, "-m", "storcert.conformance.cli", "certify", "s3", "--rule", "C-DESCRIBE", "--workers", "1"]
    watched = subprocess.run([*command, "--watch", "--json", "/dev/stdout"], capture_output=True, text=True)
    assert watched.returncode == 0, watched.stderr
    assert re.search(r"grows: http://127\.0\.0\.1:\d+/", watched.stderr)
    plain = subprocess.run([*command, "--json", "/dev/stdout"], capture_output=True, text=True)
    digests = [re.search(r'"digest": "(sha256:[0-9a-f]+)",\n  "capabilities"', one.stdout) for one in (watched, plain)]
    assert digests[0] and digests[1] and digests[0][1] == digests[1][1]

