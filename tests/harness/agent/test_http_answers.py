"""What an answer means to a download, where the server's clock and ours show different times."""

from __future__ import annotations

import pytest

from storcert.harness.agent.http_answers import TryAgain, refusal

NOW_S = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
LATER = "Tue, 14 Nov 2023 22:14:20 GMT"


def waits_s(now_s: float, **headers: str) -> float | None:
    found = refusal(503, {name.replace("_", "-"): value for name, value in headers.items()}, "download", None, now_s)
    assert isinstance(found, TryAgain)
    return found.pause_s


@pytest.mark.parametrize("wrong_s", [0, 86_400, -86_400])
def test_a_moment_is_reckoned_from_what_the_server_takes_for_the_time(wrong_s: int) -> None:
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    assert waits_s(NOW_S + wrong_s, retry_after=LATER, date=date) == 60.0


def test_without_a_date_our_own_clock_must_do() -> None:
    assert waits_s(NOW_S, retry_after=LATER) == 60.0
    assert waits_s(NOW_S, retry_after=LATER, date="some day") == 60.0
    assert waits_s(NOW_S + 86_400, retry_after=LATER) == 0.0
    assert waits_s(NOW_S, retry_after="7", date=LATER) == 7.0 and waits_s(NOW_S) is None
