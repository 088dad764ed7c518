"""What the catalogue does costs the same however much is in it: no statement of a story looks through a whole table."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from storcert.harness.contract import Capabilities, Policy
from storcert.harness.logical.records import DeviceRecord, GrantRecord, JobState, Purpose
from storcert.harness.logical.repository import Repository
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import Event
from tests.scenarios.regions import one_zone, snapshot, template, volume

SECOND_NS = 10**9
#: A device is compared with all its records, but only in turn; the rest is as much as there are devices, servers or grants.
LARGE = re.compile(r"SCAN (objects|placements|p|pins|jobs)\b(?! USING INDEX (placements_unsettled|jobs_running))")


@pytest.mark.parametrize("kind", ["rbd", "nfs"])
def test_no_statement_looks_through_a_whole_table(kind: str) -> None:
    with one_zone(kind) as region:
        statements: set[str] = set()
        connection = region.catalogue.repository._connection
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        connection.set_trace_callback(statements.add)
        for act in (
            lambda c: c.create_volume(volume("b"), 4096, zone="z1"),
            lambda c: c.create_from(template(), volume("a"), zone="z1"),
            lambda c: c.create_from(volume("n"), template(), device="beside"),
            lambda c: c.create_from(volume("m"), volume("a"), device="volumes"),
            lambda c: c.take_snapshot(volume("a"), snapshot("away"), "images"),
            lambda c: c.migrate(volume("n"), "volumes"),
            lambda c: c.attach(volume("m"), "z1-h1", {}),
            lambda c: c.reconcile(paced=True),
            lambda c: c.detach(volume("m"), "z1-h1"),
            lambda c: c.delete(volume("a"), dependants=True),
            lambda c: c.reconcile(),
        ):
            region.call(act)
        connection.set_trace_callback(None)
        looked_at = [one for one in sorted(statements) if one.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT")]
        assert len(looked_at) > 100
        for statement in looked_at:
            plan = "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
            forgets = "created_ns >=" in statement  # stops at the first that is young enough
            assert forgets or not LARGE.search(plan), f"{statement}: {plan}"


def test_a_scan_would_be_seen() -> None:
    repository = Repository()
    (row,) = repository._connection.execute("EXPLAIN QUERY PLAN SELECT * FROM objects WHERE origin = 'x'")
    assert LARGE.search(row[3])


def devices(repository: Repository, *names: str) -> None:
    def add(session: Session) -> None:
        for name in names:
            session.add_device(DeviceRecord(name, "{}", Policy(), Capabilities(), 1 << 40, "direct"))

    repository.transact(add)


def turn(repository: Repository, now_ns: int, burst: int = 1000) -> list[str]:
    """Whose turn it is at 10 objects a second."""

    def body(session: Session) -> list[str]:
        return [device.name for device in session.begin_censuses(now_ns, 10, burst)]

    return repository.transact(body)


class TestCensus:
    """Devices are compared with their records in turn."""

    @pytest.fixture
    def catalogue(self, monkeypatch: pytest.MonkeyPatch) -> Repository:
        monkeypatch.setattr("storcert.harness.logical.session._parsed", lambda travel, able: (Policy(), Capabilities(), None))
        repository = Repository()
        devices(repository, "a", "b", "c")
        return repository

    def test_what_was_never_compared_comes_at_once_and_nobody_else_does_it(self, catalogue: Repository) -> None:
        assert turn(catalogue, 10**18) == ["a", "b", "c"]
        catalogue.transact(lambda session: session.end_census("b", 10**18, 100))
        assert turn(catalogue, 10**18 + SECOND_NS) == []

    def test_each_comes_again_after_a_time_that_grows_with_what_is_on_all(self, catalogue: Repository) -> None:
        for name, objects in (("a", 100), ("b", 150), ("c", 50)):
            catalogue.transact(lambda session, name=name, objects=objects: session.end_census(name, 10**18, objects))
        assert turn(catalogue, 10**18 + 30 * SECOND_NS - 1) == []
        assert turn(catalogue, 10**18 + 30 * SECOND_NS) == ["a", "b", "c"]

    def test_the_longest_waiting_goes_first_and_one_round_does_not_do_all(self, catalogue: Repository) -> None:
        for name, when in (("a", 3), ("b", 1), ("c", 2)):
            catalogue.transact(lambda session, name=name, when=when: session.end_census(name, when, 100))
        now_ns = 10**18
        assert [turn(catalogue, now_ns, 100), turn(catalogue, now_ns, 1), turn(catalogue, now_ns, 100)] == [["b"], ["c"], ["a"]]

    def test_one_that_could_not_be_listed_comes_again_at_once(self, catalogue: Repository) -> None:
        for name in "abc":
            catalogue.transact(lambda session, name=name: session.end_census(name, 10**18, 10**6))
        catalogue.transact(lambda session: session.miss_census("c"))
        assert turn(catalogue, 10**18 + SECOND_NS) == ["c"]


    def test_and_never_before_a_while(self, catalogue: Repository) -> None:
        def due(now_ns: int) -> list[str]:
            found = catalogue.transact(lambda session: session.begin_censuses(now_ns, 10, 1000, 60 * SECOND_NS))
            return [device.name for device in found]

        assert due(10**18) == ["a", "b", "c"]
        assert due(10**18 + 60 * SECOND_NS - 1) == []
        assert due(10**18 + 60 * SECOND_NS) == ["a", "b", "c"]


OUT: dict[str, Callable[[Session], object]] = {
    "an unfinished job": lambda session: session.add_job("create", "key", {}, "server", 0),
    "a placement that is not ready": lambda session: session.allocate("/volume/1/a", "a", Purpose.KEPT, 1, 0, 0),
    "a grant": lambda session: session.grant(GrantRecord("/volume/1/a", "h", "h/0", 0)),
    "a fence": lambda session: session.fence("h", "h/0"),
}


@pytest.mark.parametrize("make", OUT.values(), ids=OUT)
def test_a_round_of_reconciliation_is_one_look_where_nothing_is_out(make: Callable[[Session], object]) -> None:
    repository = Repository()
    devices(repository, "a")
    assert repository.transact(lambda session: session.at_rest(0))
    repository.transact(make)
    assert not repository.transact(lambda session: session.at_rest(0))


def test_a_copy_that_is_staged_is_out_once_it_was_unused_for_long() -> None:
    repository = Repository()
    devices(repository, "a")

    def stage(session: Session) -> None:
        session.allocate("/template/1/a", "a", Purpose.STAGED, 1, 0, 10, create=True)
        found = session.find_placement("/template/1/a", "a")
        assert found is not None
        session.move(found, Event.SUCCEED, None)

    repository.transact(stage)
    assert repository.transact(lambda session: session.at_rest(9))
    assert not repository.transact(lambda session: session.at_rest(10))


def test_a_quiet_region_asks_once_a_round() -> None:
    with one_zone("rbd") as region:
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        region.call(lambda c: c.reconcile(paced=True))
        before = len(region.catalogue.wire.requests)
        region.call(lambda c: c.reconcile(paced=True))
        assert [one.operation for one in region.catalogue.wire.requests[before:]] == ["devices"]


def test_ended_jobs_are_forgotten_by_age_and_by_number_but_unfinished_ones_never() -> None:
    repository = Repository()

    def begin(session: Session) -> None:
        for number in range(10):
            job = session.add_job("create", f"key {number}", {}, "server", number)
            if number != 2:
                session.finish_job(job, JobState.SUCCEEDED, {})

    repository.transact(begin)
    repository.transact(lambda session: session.forget_jobs(0, 100))
    assert len(repository.transact(lambda session: session.jobs())) == 10
    repository.transact(lambda session: session.forget_jobs(5, 100))
    assert [job.created_ns for job in repository.transact(lambda session: session.jobs())] == [2, 5, 6, 7, 8, 9]
    repository.transact(lambda session: session.forget_jobs(0, 2))
    assert [job.created_ns for job in repository.transact(lambda session: session.jobs())] == [2, 8, 9]
