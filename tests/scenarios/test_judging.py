"""A region is judged while it runs and need not keep what it did: the same findings, the same digest, and no growth."""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from functools import lru_cache
from typing import Any, Literal

import pytest

from storcert.harness.checkers.control_plane import Finding, judge
from storcert.harness.contract import StorageError
from storcert.harness.kernel import Kernel
from storcert.harness.logical.control_plane import ControlPlane
from storcert.harness.record.fault import Fault, Phase
from storcert.scenarios.crash_points import crash_points
from storcert.scenarios.judging import CheckerFailed, Judging
from storcert.scenarios.region import Region
from tests.scenarios.regions import one_zone, template, volume

SECOND_NS = 10**9


def _eventful(region: Region) -> None:
    """Servers and agents die, a device is full and slow, several ask for the same; everything comes to rest."""
    region.call(lambda c: c.create_volume(volume("a"), 300_000, device="volumes"))
    region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))
    tasks = [
        region.start(lambda c: c.create_from(volume("n"), template(), device="beside"), at=f"ms-{1 + n % 2}") for n in range(3)
    ]
    region.advance(8_000_000)
    region.crash("ms-1")
    region.finish(*tasks)
    region.arm("beside", Fault("slow", "*", 2, Phase.BEFORE, 40 * SECOND_NS), Fault("full", "*", 4, Phase.BEFORE))
    task = region.start(lambda c: c.migrate(volume("a"), "beside"), at="ms-2")
    region.advance(9_000_000)
    region.crash("z1-ssvm1")
    region.finish(task)
    for name in ("b", "c"):
        try:
            region.call(lambda c, name=name: c.create_volume(volume(name), 10, device="beside"))
            region.call(lambda c, name=name: c.delete(volume(name)))
        except StorageError:
            continue
    region.settle()


def _told(seed: int, keep: int | Literal["all"]) -> tuple[list[Finding], str, Region]:
    with one_zone(seed=seed, keep=keep) as region:
        _eventful(region)
        return region.findings(), region.kernel.digest(), region


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_judged_while_it_runs_or_from_its_journal_it_is_the_same(seed: int) -> None:
    findings, digest, region = _told(seed, "all")
    assert findings == judge(region.kernel.journal.events)
    assert [finding.broken for finding in findings if finding.broken] == []
    decided = {finding.rule for finding in findings if finding.looked_at}
    assert decided >= {"L-ONCE", "L-RECORD", "L-LIVE", "L-SINGLE", "L-SOURCE", "L-DEPEND"}
    again, digest_again, unkept = _told(seed, 10)
    assert (again, digest_again) == (findings, digest)
    assert unkept.kernel.journal.events == region.kernel.journal.events[-10:]
    assert len(unkept.kernel.journal) == len(region.kernel.journal)


def test_a_defect_is_seen_by_a_region_that_keeps_nothing() -> None:
    with one_zone(keep=0) as region:
        region.call(lambda c: c.create_volume(volume("a"), 10, device="volumes"))
        region.settle()
        region.by_hand("volumes", lambda driver: driver.delete(volume("a")))
        region.by_hand("volumes", lambda driver: driver.create(volume("a"), 11))
        region.settle()
        [broken] = [one for finding in region.findings() for one in finding.broken]
    assert broken.text == "/volume/1/a on volumes has 11 bytes, on record are 10"


def test_who_carried_bytes_is_known_where_requests_are_not_kept() -> None:
    def carriers(keep: int | Literal["all"]) -> dict[str, int]:
        with one_zone(keep=keep) as region:
            for name in ("a", "b"):
                region.call(lambda c, name=name: c.create_volume(volume(name), 2_000, device="volumes"))
            for _ in range(40):
                region.call(lambda c: c.migrate(volume("a"), "beside"))
                region.call(lambda c: c.migrate(volume("a"), "volumes"))
            ledger = region.network.ledger()
            assert ledger.bytes_seen("ms-1") == 0
            if keep != "all":
                assert all(len(wire.requests) < 300 for wire in region.network.wires)
                with pytest.raises(ValueError, match="does not keep its requests"):
                    ledger.carriers("volume/1/a")
            return ledger.carriers()

    assert carriers("all") == carriers(0) and sum(carriers(0).values()) > 0


def test_crash_points_are_not_counted_from_a_log_that_is_not_whole() -> None:
    with pytest.raises(ValueError, match='keep="all"'):
        crash_points(lambda: one_zone(keep=5), lambda c: None)


def test_a_rule_that_fails_does_not_reach_into_the_run_and_is_no_pass() -> None:
    with Kernel(1) as kernel:
        judging = Judging(kernel.journal)
        kernel.journal.record("job", "", '{"no":"job"}', {"no": "job"})
        kernel.journal.record("end", "", "{}", {})
        with pytest.raises(CheckerFailed, match=r"KeyError at the fact job \{'no': 'job'\}"):
            judging.findings()


def test_facts_without_a_value_in_hand_are_read_from_their_text() -> None:
    with Kernel(1) as kernel:
        judging = Judging(kernel.journal)
        kernel.journal.record("job", "", '{"id":1,"event":"failed"}')
        assert [one.text for finding in judging.findings() for one in finding.broken] == ["job 1 ended and never began"]


def test_a_region_that_is_not_judged_says_so() -> None:
    with one_zone(judged=False) as region, pytest.raises(RuntimeError, match="not judged"):
        region.findings()


# -- memory

PAIRS = 60
GROWTH_MAX_BYTES = 100
"""Per operation. Of one event of a journal that is half, and an operation has twenty."""
LIMITS = {
    "storcert.harness.agent.agent.REMEMBERED_MAX": 10,
    "storcert.harness.checkers.known.ENDED_MAX": 10,
    "storcert.harness.kernel.journal._BLOCK": 5,
    "storcert.simulators.network.messages._SLACK": 5,
    "storcert.simulators.network.request_log._SLACK": 5,
    "storcert.simulators.nfs.client_lookup.ABSENT_MAX": 10,
    "storcert.simulators.nfs.client_lookup.RESTING_MAX": 10,
    "storcert.simulators.nfs.duplicate_requests.ANSWERS_MAX": 10,
    "storcert.simulators.object_store.server._BUSY_KEYS_MAX": 10,
}
"""What is kept is kept in small numbers, so that the test need not run until everything is full."""


def _caches() -> list[Any]:
    """Those of storcert that forget, among the objects that are not frozen."""
    every = [one for one in gc.get_objects() if isinstance(one, type(lru_cache(abs)))]
    return [one for one in every if one.__module__.startswith("storcert.") and one.cache_parameters()["maxsize"] is not None]


def _held_bytes(region: Region, first: int, caches: list[Any]) -> int:
    """Bytes held after so many more volumes came and went, and everything had its time to be forgotten."""

    def body(control: ControlPlane) -> None:
        for number in range(first, first + PAIRS):
            control.create_volume(volume(f"v{number:06}"), 4096, zone="z1")
            control.delete(volume(f"v{number:06}"))

    region.call(body)
    region.advance(60 * SECOND_NS)
    for cache in (*caches, *_caches()):
        cache.cache_clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _growth_bytes(kind: str, keep: int | Literal["all"]) -> float:
    """Bytes per operation."""
    with Region(1, reconcile_ns=10 * SECOND_NS, keep=keep) as region:
        region.zone("z1")
        region.device("volumes", kind, scope_id="z1")
        _ = region.topology
        # Walking all that the process has takes seconds: once.
        gc.unfreeze()
        caches = _caches()
        gc.freeze()
        tracemalloc.start()
        try:
            held = [_held_bytes(region, turn * PAIRS, caches) for turn in range(9)][1:]
        finally:
            tracemalloc.stop()
    # What is in its buffers when one looks varies: the middle of each half counts.
    return (statistics.median(held[4:]) - statistics.median(held[:4])) / (4 * 2 * PAIRS)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in LIMITS.items():
        monkeypatch.setattr(name, limit)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["nfs", "object-store", "rbd", "sheepdog"])
def test_nothing_grows_with_what_is_over(kind: str) -> None:
    assert _growth_bytes(kind, 10) < GROWTH_MAX_BYTES


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_what_is_kept_grows() -> None:
    assert _growth_bytes("rbd", "all") > 50 * GROWTH_MAX_BYTES
