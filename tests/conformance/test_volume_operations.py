"""The operations of the optional abilities as faults meet them, on the ideal block device: judged right and judged wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.conformance import volume_operations
from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.content import content
from storcert.conformance.operations import LARGE, MORE, SMALL, healthy_requests, judge, names, prepare, scenario
from storcert.conformance.registry import Level
from storcert.conformance.scenario import SNAPSHOT, SOURCE, TARGET, mixes, place
from storcert.conformance.violation import Violation
from storcert.conformance.volume_operations import NEEDS
from storcert.harness.contract import DeviceUnavailable, ObjectInUse, StorageError
from tests.conformance import kit
from tests.conformance.block_driver import BlockDriver, CachingDriver, StrictDriver
from tests.conformance.block_kit import bench_of, facts_of, failures, run_checks

OLD, NEW = content("scenario", 4097), content("written over", 4097)
UNKNOWN, NOT_DONE = DeviceUnavailable("lost"), DeviceUnavailable("lost", None, "not_done")
EVERY = (*SMALL, *MORE, *volume_operations.MORE, *LARGE)
OF_VOLUMES = [name for name in EVERY if name.partition("-")[0] in NEEDS or name == "copy-snapshot"]


@pytest.mark.parametrize("driver", [BlockDriver, StrictDriver, CachingDriver])
@pytest.mark.parametrize("name", OF_VOLUMES)
def test_each_is_as_it_says_on_a_healthy_device(name: str, driver: type) -> None:
    with bench_of(driver) as b:
        one = scenario(b.facts, name)
        assert healthy_requests(b, one)
        b.fresh()
        prepare(b, one)
        before = b.census()
        attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
        assert attempt.error_name in (one.refusal, *one.may_refuse)
        judge(b, one, attempt, before)


def test_what_is_not_declared_is_left_out() -> None:
    assert set(OF_VOLUMES) <= set(names(facts_of(), EVERY))
    assert not set(OF_VOLUMES) & set(names(kit.facts_of(), EVERY))


def nothing(b: Bench) -> None:
    """Nothing happens on the device."""


def written(name: str, data: bytes) -> Callable[[Bench], None]:
    return lambda b: b.client(SSVM).overwrite(place(b, name), (0, data))


def half(b: Bench) -> None:
    b.client(SSVM).overwrite(place(b, SOURCE), (0, OLD[:2000]))


def gone(name: str) -> Callable[[Bench], None]:
    return lambda b: b.client(SSVM).delete(place(b, name))


def wrong_snapshot(b: Bench) -> None:
    b.client(SSVM).overwrite(place(b, SOURCE), (5, b"!"))
    b.client(SSVM).take_snapshot(place(b, SOURCE), place(b, SNAPSHOT))
    b.client(SSVM).overwrite(place(b, SOURCE), (5, OLD[5:6]))


def judged(name: str, happens: Callable[[Bench], None], says: StorageError | None) -> None:
    def answer() -> None:
        if says is not None:
            raise says

    with bench_of() as b:
        one = scenario(b.facts, name)
        prepare(b, one)
        before = b.census()
        happens(b)
        judge(b, one, b.attempt(lambda: b.client(HOST).later.do("the call", answer)), before)


@pytest.mark.parametrize(
    ("name", "happens", "says"),
    [
        ("revert-small", half, UNKNOWN), ("revert-small", written(SOURCE, OLD), None), ("revert-small", nothing, NOT_DONE),
        ("revert-past", nothing, ObjectInUse("later")), ("orphan-small", nothing, ObjectInUse("snapshots")),
        ("pwrite-small", written(TARGET, NEW[:100]), NOT_DONE), ("uproot-small", gone(SNAPSHOT), UNKNOWN),
    ],
)  # fmt: skip
def test_true_answers(name: str, happens: Callable[[Bench], None], says: Any) -> None:
    judged(name, happens, says)


@pytest.mark.parametrize(
    ("name", "happens", "says", "rule", "words"),
    [
        ("revert-small", half, None, "C-REVERT", "said ok"),
        ("revert-small", half, NOT_DONE, "C-ERRORS", "and it is done"),
        ("revert-small", written(SOURCE, b"x" * 4097), UNKNOWN, "C-REVERT", "instead of"),
        ("revert-small", gone(SNAPSHOT), UNKNOWN, "C-REVERT", "/snapshot/1/snapshot is gone"),
        ("snapshot-small", wrong_snapshot, UNKNOWN, "C-SNAP", "byte 5 is"),
        ("orphan-small", gone(SNAPSHOT), None, "C-DEPEND", "/snapshot/1/snapshot is gone"),
        ("orphan-small", gone(SOURCE), ObjectInUse("snapshots"), "C-DEPEND", "and something changed"),
        ("pwrite-small", nothing, None, "C-VOLUME", "reported success and it is not done"),
        ("pwrite-small", written(TARGET, b"zz"), UNKNOWN, "C-VOLUME", "instead of"),
        ("clone-small", nothing, None, "C-CLONE", "reported success and it is not done"),
    ],
)
def test_untrue_ones(name: str, happens: Callable[[Bench], None], says: Any, rule: str, words: str) -> None:
    with pytest.raises(Violation) as raised:
        judged(name, happens, says)
    assert words in raised.value.message
    assert raised.value.rule == rule


def test_a_mixture_is_of_bytes_of_both_and_of_one_length() -> None:
    assert mixes(b"axc", b"abc", b"xxx") and mixes(b"abc", b"abc", b"xxx")
    assert not mixes(b"ayc", b"abc", b"xxx") and not mixes(b"ab", b"abc", b"xxx") and not mixes(None, b"", b"")


@pytest.mark.slow
@pytest.mark.parametrize("driver", [BlockDriver, StrictDriver, CachingDriver])
@pytest.mark.parametrize("volatile", [False, True])
def test_correct_drivers_hold_under_every_single_fault_and_crash(driver: type, volatile: bool) -> None:
    rules = ("C-RETRY/", "C-BUDGET/", "C-DURABLE/", "C-ERRORS/")
    assert failures(run_checks(driver, *rules, level=Level.STANDARD, simulator={"volatile": volatile})) == []
