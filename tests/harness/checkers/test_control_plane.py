"""The rules of the control plane, told facts by hand: what they remember, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.harness.checkers import outcome_rules
from storcert.harness.checkers.control_plane import RULES, Fact, Finding, Judge
from storcert.harness.checkers.known import ENDED_MAX, Numbers
from storcert.harness.checkers.rule import BROKEN_MAX
from storcert.harness.checkers.single_maker import CALL_NS

SECOND_NS = 10**9
A = "/volume/1/a"


class Told:
    """Facts told to the rules, each a second after the one before."""

    def __init__(self, *rules: str) -> None:
        self.judge = Judge(rules)
        self.now_ns = 0
        self._commands = 0

    def fact(self, sort: str, value: dict[str, Any], at: str = "") -> None:
        self.now_ns += SECOND_NS
        self.judge.see(Fact(self.now_ns, at, sort, value))

    def begun(self, job: int, kind: str = "create", uri: str = A, device: str = "d") -> None:
        self.fact("job", {"id": job, "event": "begun", "kind": kind, "arguments": {"uri": uri, "device": device}})

    def ended(self, job: int, event: str = "succeeded") -> None:
        self.fact("job", {"id": job, "event": event, "result": {}})

    def placed(self, state: str, uri: str = A, job: int | None = None, *, purpose: str = "kept") -> None:
        self.fact("placement", {
            "uri": uri, "device": "d", "state": state, "job": job, "reserved_bytes": 1, "purpose": purpose, "event": "move"})

    def known(self, uri: str = A, event: str = "known") -> None:
        self.fact("object", {"uri": uri, "event": event, "size_bytes": 1, "origin": ""})

    def sent(self, job: int, verb: str = "create", at: str = "host", **shown: str) -> str:
        self._commands += 1
        number = f"{job}.{self._commands}"
        self.fact("command", {
            "id": number, "event": "sent", "job": job, "at": at, "verb": verb, "device": "d",
            "allowed_ns": 30 * SECOND_NS, **(shown or {"uri": A})}, "ms-1")
        return number

    def surveyed(self, uri: str = A, digest: str = "x") -> None:
        self.fact("survey", {"device": "d", "uri": uri, "size_bytes": 1, "digest": digest})

    def end(self) -> None:
        self.fact("end", {})

    def finding(self, rule: str) -> Finding:
        return next(one for one in self.judge.findings() if one.rule == rule)

    def texts(self, rule: str) -> list[str]:
        return [one.text for one in self.finding(rule).broken]


def test_numbers_are_a_set() -> None:
    numbers = Numbers()
    for number in (0, 1, 1023, 1024, 10**12, 1):
        numbers.add(number)
    assert [number in numbers for number in (0, 1, 2, 1023, 1024, 10**12)] == [True, True, False, True, True, True]
    assert len(numbers) == 5
    numbers.discard(1)
    numbers.discard(2)
    assert 1 not in numbers and len(numbers) == 4


def test_a_rule_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule 'L-NONE'; there are L-BALANCE, "):
        Judge(("L-NONE",))


def test_only_the_rules_that_are_named_look() -> None:
    assert [one.rule for one in Judge(("L-ONCE", "L-LIVE")).findings()] == ["L-LIVE", "L-ONCE"]
    assert [one.rule for one in Judge().findings()] == sorted(RULES)


def test_a_job_that_ended_long_ago_still_ends_only_once() -> None:
    told = Told()
    for job in range(1, ENDED_MAX + 10):
        told.begun(job, "list")
        told.ended(job, "failed" if job == 1 else "succeeded")
    told.ended(1)
    told.ended(1)
    assert told.texts("L-ONCE") == ["job 1 ended failed and then succeeded", "job 1 ended succeeded and then succeeded"]


def test_a_job_that_ended_and_never_began_breaks_the_rule() -> None:
    told = Told()
    told.ended(7)
    assert told.texts("L-ONCE") == ["job 7 ended and never began"]


def test_what_the_last_end_came_to_counts() -> None:
    told = Told()
    told.begun(1)
    told.known()
    told.placed("creating", job=1)
    told.end()
    assert told.texts("L-LIVE") == [f"{A} on d stays creating"] and told.texts("L-ONCE") == ["job 1 (create) never ended"]
    told.placed("ready")
    told.ended(1)
    told.surveyed()
    told.end()
    assert [finding.broken for finding in told.judge.findings() if finding.broken] == []
    told.placed("destroying")
    told.placed("absent")
    told.known(event="forgotten")
    told.surveyed("/volume/1/stray")
    told.end()
    assert told.texts("L-RECORD") == ["/volume/1/stray is on d and no record speaks of it"]
    told.end()
    assert told.texts("L-RECORD") == [], "a survey that saw nothing is a survey"


def test_a_fault_later_on_excuses_bytes_that_were_swept_before() -> None:
    told = Told()
    told.fact("swept", {"uri": A, "device": "d"})
    assert told.texts("L-RECORD") == [f"{A} on d was bytes without a record"]
    told.fact("fault", {"device": "d", "kind": "slow"})
    told.fact("lost", {"uri": A, "device": "d"})
    assert told.finding("L-RECORD").looked_at == 0


def test_copies_are_compared_while_the_survey_goes_on() -> None:
    told = Told()
    told.known()
    told.fact("placement", {
        "uri": A, "device": "e", "state": "ready", "job": None, "reserved_bytes": 1, "purpose": "kept", "event": "move"})
    told.placed("ready")
    told.surveyed(digest="x")
    told.fact("survey", {"device": "e", "uri": A, "size_bytes": 1, "digest": "y"})
    told.end()
    assert told.texts("L-RECORD") == [f"the copies of {A} differ"]


def test_two_jobs_at_once_are_seen_until_the_first_has_ended() -> None:
    told = Told()
    told.begun(1)
    told.sent(1)
    told.sent(2)
    assert told.texts("L-SINGLE") == [f"jobs 1 and 2 make {A} on d at once"]
    told = Told()
    told.begun(1)
    first = told.sent(1)
    told.fact("command", {"id": first, "event": "ended", "job": 1, "at": "host", "ending": "done"})
    told.sent(2)
    assert told.texts("L-SINGLE") == []


@pytest.mark.parametrize("what", ["agent dies", "time", "taken over"])
def test_a_command_that_nobody_says_has_ended_is_not_under_way_for_ever(what: str) -> None:
    told = Told()
    told.begun(1)
    told.sent(1)
    if what == "agent dies":
        told.fact("crash", {}, "host")
    elif what == "time":
        told.now_ns += CALL_NS + 60 * SECOND_NS
    else:
        told.fact("crash", {}, "ms-1")
        told.fact("job", {"id": 1, "event": "taken-over", "owner": "ms-2/0"})
        told.ended(1)
    told.begun(2)
    told.sent(2)
    assert told.texts("L-SINGLE") == [] and told.finding("L-SINGLE").looked_at == 2


def test_a_command_whose_server_lives_is_under_way_although_its_job_has_ended() -> None:
    told = Told()
    told.begun(1)
    told.sent(1)
    told.ended(1, "failed")
    told.begun(2)
    told.sent(2)
    assert told.texts("L-SINGLE") == [f"jobs 1 and 2 make {A} on d at once"]


def test_a_reader_counts_until_its_job_has_ended() -> None:
    told = Told()
    told.begun(1, "copy", "/volume/1/b")
    told.sent(1, "device-copy", source=A, target="/volume/1/b")
    told.begun(2, "delete")
    told.sent(2, "delete", uri=A)
    assert told.texts("L-DEPEND") == [f"delete {A} on d while job 1 needs it"]
    told.fact("crash", {}, "ms-1")
    told.ended(1, "failed")
    told.sent(2, "delete", uri=A)
    told.fact("restart", {}, "ms-1")
    told.sent(2, "delete", uri=A)
    assert len(told.texts("L-DEPEND")) == 1


def test_places_where_making_failed_are_forgotten_once_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_rules, "FAILED_MAX", 8)
    told = Told("L-CLEAN")
    for job in range(1, 30):
        told.begun(job, uri=f"/volume/1/{job}")
        if job == 1:
            told.known(f"/volume/1/{job}")
            told.placed("destroying", f"/volume/1/{job}", job)
        told.ended(job, "failed")
    told.surveyed("/volume/1/29")
    told.surveyed("/volume/1/2")
    told.end()
    assert told.texts("L-CLEAN") == [
        "making /volume/1/1 on d failed, and a record of it is left: destroying",
        "making /volume/1/29 on d failed, and bytes of it are left",
    ]
    assert told.finding("L-CLEAN").looked_at == 29 + 1


def test_a_rule_that_is_broken_all_the_time_says_so_a_thousand_times_and_counts_the_rest() -> None:
    told = Told("L-CAPACITY")
    for _ in range(BROKEN_MAX + 5):
        told.fact("capacity", {"device": "d", "reserved_bytes": 1})
    found = told.finding("L-CAPACITY")
    assert (found.looked_at, len(found.broken), found.more) == (BROKEN_MAX + 5, BROKEN_MAX, 5)


def test_a_command_to_a_device_of_which_no_policy_is_known_breaks_the_rule() -> None:
    told = Told()
    told.sent(1)
    assert told.texts("L-POLICY") == [f"create {A} on d, of which no policy is known"]
    assert told.finding("L-REACH").looked_at == 0


@pytest.mark.parametrize("elsewhere", [True, False])
@pytest.mark.parametrize("granted", ["before", "after"])
def test_what_was_leaving_before_a_host_came_goes_on_its_way(granted: str, elsewhere: bool) -> None:
    told = Told("L-DEPEND")
    told.known()
    told.placed("ready")
    if elsewhere:
        told.fact("placement", {
            "uri": A, "device": "e", "state": "ready", "job": None, "reserved_bytes": 1, "purpose": "kept", "event": "succeed"})
    grant = {"volume": A, "host": "h"}
    if granted == "before":
        told.fact("grant", grant)
    told.placed("destroying", job=1)
    if granted == "after":
        told.fact("grant", grant)
    told.placed("destroying", job=2)  # taken over, and no later than before
    told.sent(2, "delete")
    broken = [one.text for one in told.finding("L-DEPEND").broken]
    assert bool(broken) == (granted == "before" or not elsewhere), broken
