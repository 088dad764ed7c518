"""Claims: exactly one winner on a device that looks at conditions of PutObject only, whatever the order and the fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    ObjectExists,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.drivers.s3_bucket import Settings
from storcert.harness.drivers.s3_claims import PATIENCE_S
from storcert.harness.drivers.s3_claims_bucket import CLAIM_TEXT_BYTES, new_claim
from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.object_store.store import ObjectStore
from tests.harness.drivers.test_s3_races import commit, copy, delete, race

NS = 10**9
PART = 1000
A = DataObjectUri(ObjectKind.VOLUME, "1", "a")
B = DataObjectUri(ObjectKind.VOLUME, "1", "b")
LARGE = b"l" * 2500


@pytest.fixture(autouse=True)
def interposed() -> Iterator[None]:
    with installed():
        yield


class World:
    """One store that behaves as radosgw does; ``call`` runs code at a location in virtual time."""

    def __init__(self, **options: Any) -> None:
        self.kernel = Kernel(3)
        self.store = ObjectStore(self.kernel, {"part_size_min_bytes": PART, "dialect": "radosgw", **options})
        self.configuration = {**self.store.configuration(), "part_size_bytes": PART, "conditional_complete": False}

    def begin(self, function: Callable[[S3Driver], Any], where: str = "host") -> Any:
        location = self.kernel.location(where)
        self.store.attach(location)
        return self.kernel.spawn(lambda: function(S3Driver(self.configuration)), location=location)

    def call(self, function: Callable[[S3Driver], Any], where: str = "host") -> Any:
        task = self.begin(function, where)
        assert self.kernel.run_until_done(task, limit_ns=3600 * NS)
        if task.error is not None:
            raise task.error
        return task.result

    def crash_while(self, function: Callable[[S3Driver], Any], operation: str, nth: int = 1) -> None:
        """Run ``function`` at a location that dies right before its n-th request of this kind."""
        self.store.arm([Fault("crash", operation, nth, Phase.BEFORE, location="victim")])
        self.kernel.run_until_done(self.begin(function, "victim"), limit_ns=3600 * NS)
        self.store.heal()

    def held(self) -> list[str]:
        return [f"{entry.kind} {entry.name}" for entry in self.store.census()]


def write(data: bytes) -> Callable[[S3Driver], None]:
    def run(driver: S3Driver) -> None:
        with driver.open_output(A) as stream:
            left = memoryview(data)
            while left:
                left = left[stream.write(left) :]

    return run


def read(driver: S3Driver) -> bytes:
    with driver.open_input(A) as stream:
        return b"".join(iter(stream.read, b""))


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.kernel.close()


def test_of_several_commits_and_copies_one_wins() -> None:
    writers = [commit(b"small"), commit(b"l" * 3500), commit(b"m" * 2500, announced=False), copy, commit(b"")]
    winners = set()
    for seed in range(25):
        results, final, kinds = race(seed, writers[seed % 5 :] + writers[: seed % 5], dialect="radosgw")
        won = [result for result in results if isinstance(result, bytes)]
        assert len(won) == 1, (seed, results)
        assert final == won[0]
        lost = [result for result in results if not isinstance(result, bytes)]
        assert all(isinstance(error, ObjectExists) and error.outcome is Outcome.NOT_DONE for error in lost), results
        assert set(kinds) == {"object"} and len(kinds) in (3, 4), (seed, kinds)
        winners.add(won[0][:1])
    assert len(winners) > 1, "the seeds do not race"


def test_commits_racing_deletes_publish_whole_or_not_at_all() -> None:
    writers = [commit(b"l" * 3500), delete, commit(b"small"), delete, commit(b"m" * 2500), delete]
    for seed in range(40):
        results, final, kinds = race(seed, writers, dialect="radosgw")
        for result in results:
            if isinstance(result, BaseException):
                assert isinstance(result, (ObjectExists, DeviceUnavailable, ObjectInUse)), (seed, result)
                assert result.outcome is Outcome.NOT_DONE, (seed, result)
        assert final is None or final in [r for r in results if isinstance(r, bytes)], seed
        own = 0 if final is None else 1 if len(final) <= PART else 2
        assert kinds == ["object"] * (2 + own), (seed, kinds)


class TestDeadWriter:
    """A process that died between its claim and its publication."""

    def test_is_seen_by_nobody(self, world: World) -> None:
        world.crash_while(write(LARGE), "CompleteMultipartUpload")
        assert [key for key in world.held() if key == "object storcert/volume/1/a"], "the claim is there"
        assert world.call(lambda driver: list(driver.list_objects())) == []
        for look in (lambda driver: driver.describe(A), read, lambda driver: driver.copy(A, A)):
            with pytest.raises(ObjectNotFound):
                world.call(look)

    @pytest.mark.parametrize("data", [b"small", LARGE, b""], ids=["small", "large", "empty"])
    def test_is_overcome_by_the_next_commit(self, world: World, data: bytes) -> None:
        world.crash_while(write(LARGE), "CompleteMultipartUpload")
        since_ns = world.kernel.now_ns
        world.call(write(data))
        assert world.kernel.now_ns - since_ns > PATIENCE_S * NS, "a claim is waited for first"
        assert world.call(read) == data
        assert len(world.held()) == (2 if len(data) > PART else 1), world.held()

    def test_goes_with_the_delete_at_once(self, world: World) -> None:
        world.crash_while(write(LARGE), "CompleteMultipartUpload")
        since_ns = world.kernel.now_ns
        world.call(lambda driver: driver.delete(A))
        assert world.held() == []
        assert world.kernel.now_ns - since_ns < NS
        world.call(write(b"x"))

    def test_of_a_delete_left_data_that_the_next_one_finds(self, world: World) -> None:
        world.call(write(LARGE))
        world.crash_while(lambda driver: driver.delete(A), "DeleteObject", nth=2)
        assert [key.partition("!")[0] for key in world.held()] == ["object storcert/volume/1/a"], "the data is left"
        assert world.call(lambda driver: list(driver.list_objects())) == []
        world.call(lambda driver: driver.delete(A))
        assert world.held() == []


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
def test_a_slow_writer_that_was_taken_for_dead_cannot_publish(world: World, dies: bool) -> None:
    """Its claim is replaced after a while; its Complete comes later and must not do any harm.

    Where the other one ``dies`` right after it replaced the claim, nothing but the fence stands between the two.
    """
    crash = [Fault("crash", "PutObject", 2, Phase.AFTER, location="quick")] if dies else []
    claimed = Fault("slow", "PutObject", phase=Phase.AFTER, value=29 * NS, location="slow")
    completing = Fault("slow", "CompleteMultipartUpload", value=29 * NS, location="slow")
    world.store.arm([claimed, completing, *crash])
    slow = world.begin(write(LARGE), "slow")
    world.kernel.run_until_done(slow, limit_ns=5 * NS)
    assert not slow.done, "the fault did not strike"
    quick = world.begin(write(b"second"), "quick")
    world.kernel.run_until_done(quick, slow, limit_ns=3600 * NS)
    assert quick.crashed if dies else quick.error is None
    assert isinstance(slow.error, StorageError), "two have won"
    assert world.call(read) == b"second"
    assert dies or world.held() == ["object storcert/volume/1/a"]


def test_a_name_taken_in_the_last_moment(world: World) -> None:
    first, second = world.begin(write(LARGE), "one"), world.begin(write(b"x" * 2500), "two")
    assert world.kernel.run_until_done(first, second, limit_ns=900 * NS)
    errors = [task.error for task in (first, second) if task.error is not None]
    assert [type(error) for error in errors] == [ObjectExists]


class TestListing:
    def test_data_is_no_name_and_small_objects_of_a_claims_length_are(self, world: World) -> None:
        other = DataObjectUri(ObjectKind.VOLUME, "1", "a-b")
        world.call(write(LARGE))
        world.call(lambda driver: driver.create(other, CLAIM_TEXT_BYTES))
        assert sorted(world.call(lambda driver: list(driver.list_objects()))) == [A, other]

    def test_a_page_may_end_between_claim_and_data(self) -> None:
        world = World(page_size=1)
        names = [DataObjectUri(ObjectKind.VOLUME, "1", name) for name in ("a", "a-b", "a.b", "ab")]
        for name in names:
            world.call(lambda driver, name=name: driver.create(name, 2500))
        assert sorted(world.call(lambda driver: list(driver.list_objects()))) == names
        world.kernel.close()

    def test_it_costs_no_request_for_each_large_object(self, world: World) -> None:
        for number in range(20):
            name = DataObjectUri(ObjectKind.VOLUME, "1", str(number))
            world.call(lambda driver, name=name: driver.create(name, 2500))
        before = len(world.store.requests)
        assert len(world.call(lambda driver: list(driver.list_objects()))) == 20
        assert len(world.store.requests) - before == 1


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_versioned_bucket_is_refused(world: World, status: Any) -> None:
    """radosgw ignores If-None-Match there, so that two could win; and what is deleted there stays, as a version."""

    def version(driver: S3Driver) -> None:
        import boto3

        client = boto3.client("s3", endpoint_url="http://s3.sim", region_name="us-east-1")
        client.put_bucket_versioning(Bucket="storcert", VersioningConfiguration={"Status": status})

    world.call(lambda driver: driver.create(B, 2500))
    held = world.held()
    world.call(version)
    for call in (lambda driver: driver.create(A, 1), lambda driver: driver.create(A, 2500), lambda driver: driver.delete(B)):
        with pytest.raises(DeviceUnavailable, match="versioning") as caught:
            world.call(call)
        assert (caught.value.outcome, caught.value.retryable) == (Outcome.NOT_DONE, False)
    assert world.held() == held


def test_a_claim_has_the_length_and_the_etag_that_a_listing_shows() -> None:
    import hashlib

    text, claim = new_claim()
    assert len(text) == CLAIM_TEXT_BYTES
    assert hashlib.md5(text).hexdigest() == claim


def test_two_longest_names_and_a_claim_fit_into_a_key() -> None:
    settings = Settings.parse({"bucket": "b", "region_name": "us-east-1", "conditional_complete": False})
    key_bytes = len("template/") + 2 * 3 * settings.name_bytes_max + len("/") + len("!") + 32
    assert key_bytes <= 1024 < key_bytes + 6
