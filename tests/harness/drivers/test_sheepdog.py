"""The Sheepdog driver on the simulated cluster: what it leaves there, whom it leaves alone, and what it makes of trouble."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.sheepdog import SheepdogDriver
from storcert.harness.drivers.sheepdog_command import Effort
from storcert.harness.drivers.sheepdog_names import doom_of, marker_of
from storcert.harness.drivers.sheepdog_publish import Draft
from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.sheepdog import SheepdogCluster

NS = 10**9
MIB = 1 << 20
CHUNK = 4 * MIB
A = DataObjectUri(ObjectKind.VOLUME, "1", "a")
B = DataObjectUri(ObjectKind.VOLUME, "1", "b")
SNAP = DataObjectUri(ObjectKind.SNAPSHOT, "1", "a")


@pytest.fixture(autouse=True, scope="module")
def interposed() -> Iterator[None]:
    with installed():
        yield


class World:
    """One cluster, several locations, a fresh driver for each call."""

    def __init__(self, seed: int = 7, **options: Any) -> None:
        self.kernel = Kernel(seed)
        self.cluster = SheepdogCluster(self.kernel, options)
        self.configuration = self.cluster.configuration()

    def spawn(self, function: Callable[[SheepdogDriver], Any], where: str = "host") -> Any:
        location = self.kernel.location(where)
        self.cluster.attach(location)
        return self.kernel.spawn(lambda: function(SheepdogDriver(self.configuration)), location=location)

    def call(self, function: Callable[[SheepdogDriver], Any]) -> Any:
        task = self.spawn(function)
        assert self.kernel.run_until_done(task, limit_ns=3600 * NS)
        if task.error is not None:
            raise task.error
        return task.result

    def arm(self, *faults: Fault) -> None:
        self.cluster.arm(faults)

    def heal(self) -> None:
        self.cluster.heal()
        self.kernel.run_for(300 * NS)

    def names(self) -> list[str]:
        return [f"{one.kind} {one.name.split('~')[0]}" for one in self.cluster.census()]


@pytest.fixture
def make() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def world(seed: int = 7, **options: Any) -> World:
        made.append(World(seed, **options))
        return made[-1]

    yield world
    for one in made:
        one.kernel.close()


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()


def write(uri: DataObjectUri, data: bytes, size: int | None = None) -> Callable[[SheepdogDriver], bytes]:
    def run(driver: SheepdogDriver) -> bytes:
        with driver.open_output(uri, size) as stream:
            view = memoryview(data)
            while view:
                view = view[stream.write(view) :]
        return data

    return run


def read(uri: DataObjectUri) -> Callable[[SheepdogDriver], bytes]:
    def run(driver: SheepdogDriver) -> bytes:
        with driver.open_input(uri) as stream:
            return b"".join(iter(lambda: stream.read(3 * MIB), b""))

    return run


def listed(driver: SheepdogDriver) -> list[DataObjectUri]:
    return list(driver.list_objects())


@pytest.mark.parametrize(
    "configuration",
    [{"adress": "x"}, {"address": 5}, {"address": ""}, {"port": "7000"}, {"port": 0}, {"port": True}, {"prefix": "a b"},
     {"prefix": "a+"}, {"prefix": "-a"}, {"prefix": "x" * 200}, {"prefix": "é"}, []],
)
def test_a_wrong_configuration_is_refused(configuration: Any) -> None:
    with pytest.raises(InvalidRequest):
        SheepdogDriver(configuration)


def test_an_object_is_a_marker_and_a_sealed_version(world: World) -> None:
    world.call(write(A, b"bytes"))
    assert world.names() == ["snapshot ", "vdi volume+1+a", "vdi "]
    world.call(lambda driver: driver.delete(A))
    assert (world.names(), world.cluster.lost_objects(), len(world.cluster.sheep.objects)) == ([], [], 0)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_sizes(world: World, size: int, announced: bool) -> None:
    data = bytes(range(1, 252)) * (size // 251 + 1)
    world.call(write(A, data[:size], size if announced else None))
    assert world.call(read(A)) == data[:size]
    assert world.call(lambda driver: driver.describe(A)).size_bytes == size


def test_what_others_keep_on_the_cluster_is_left_alone(world: World) -> None:
    sheep = world.cluster.sheep
    for name in (b"disk", b"a name\\with \n odd things", b"volume+1", b"volume+1+a+x", b"~x~1"):
        sheep.new_vdi(name, 5, 0, snapshot=False)
    before = world.cluster.census()
    world.call(write(A, b"bytes"))
    assert world.call(listed) == [A]
    world.call(lambda driver: driver.delete(A))
    assert world.cluster.census() == before


def test_two_prefixes_do_not_see_each_other(world: World) -> None:
    world.call(write(A, b"ours"))
    world.configuration = {**world.configuration, "prefix": "site-"}
    assert world.call(listed) == []
    world.call(write(A, b"theirs"))
    world.call(lambda driver: driver.delete(A))
    world.configuration = {"address": "127.0.0.1"}
    assert world.call(read(A)) == b"ours"


def test_snapshots_and_clones_are_independent(world: World) -> None:
    world.call(write(A, b"x" * (CHUNK + 1)))
    sent = sum(one.sent_bytes for one in world.cluster.requests)
    world.call(lambda driver: driver.take_snapshot(A, SNAP))
    world.call(lambda driver: driver.clone(SNAP, B))
    assert sum(one.sent_bytes for one in world.cluster.requests) == sent
    assert len(world.cluster.sheep.objects) == 2
    for uri in (A, SNAP):
        world.call(lambda driver, uri=uri: driver.delete(uri))
    assert world.call(read(B)) == b"x" * (CHUNK + 1)
    world.call(lambda driver: driver.delete(B))
    assert (world.names(), len(world.cluster.sheep.objects)) == ([], 0)


@pytest.mark.parametrize("seed", range(6))
def test_copies_of_one_source_at_once_do_not_harm_it(make: Callable[..., World], seed: int) -> None:
    world = make(seed)
    world.call(write(A, b"source" * 1000))
    targets = [DataObjectUri(ObjectKind.VOLUME, "2", str(number)) for number in range(4)]
    tasks = [world.spawn(lambda driver, uri=uri: driver.copy(A, uri), f"h{at}") for at, uri in enumerate(targets)]
    assert world.kernel.run_until_done(*tasks)
    assert [task.error for task in tasks] == [None] * 4
    for uri in (A, *targets):
        assert world.call(read(uri)) == b"source" * 1000


@pytest.mark.parametrize("seed", range(12))
def test_of_several_writers_one_wins_and_nothing_of_the_others_stays(make: Callable[..., World], seed: int) -> None:
    world = make(seed)
    datas = [bytes([65 + number]) * (10, 5000, CHUNK + 9)[number] for number in range(3)]
    tasks = [world.spawn(write(A, data), f"h{number}") for number, data in enumerate(datas)]
    assert world.kernel.run_until_done(*tasks)
    won = [task.result for task in tasks if task.error is None]
    assert [type(task.error) for task in tasks if task.error is not None] == [ObjectExists] * 2
    assert won == [world.call(read(A))]
    world.call(lambda driver: driver.delete(A))
    assert world.names() == []


@pytest.mark.parametrize("seed", range(12))
def test_delete_beside_a_writer(make: Callable[..., World], seed: int) -> None:
    world = make(seed)
    writer = world.spawn(write(A, b"x" * 5000), "h0")
    world.kernel.run_for(seed * 20_000_000)
    deleter = world.spawn(lambda driver: driver.delete(A), "h1")
    assert world.kernel.run_until_done(writer, deleter)
    assert deleter.error is None
    if writer.error is not None:
        assert isinstance(writer.error, DeviceUnavailable) and writer.error.outcome is Outcome.NOT_DONE
        assert world.call(listed) == []
    world.call(lambda driver: driver.delete(A))
    assert world.names() == []


@pytest.mark.parametrize("wait_ms", range(0, 240, 6))
@pytest.mark.parametrize("seed", range(3))
def test_what_is_published_while_a_delete_looks_around_stays(make: Callable[..., World], seed: int, wait_ms: int) -> None:
    world = make(seed)

    def commit_later(driver: SheepdogDriver) -> None:
        with driver.open_output(A) as stream:
            stream.write(b"theirs")
            time.sleep(10 + wait_ms / 1000)

    started_ns = world.kernel.now_ns
    writer = world.spawn(commit_later, "h0")
    world.kernel.run_for(5 * NS)
    world.call(lambda driver: driver.create(A, 3))
    # What is left of the time passes, so that the commit begins while the deletion goes on.
    world.kernel.run_for(started_ns + 10 * NS - world.kernel.now_ns)
    deleter = world.spawn(lambda driver: driver.delete(A), "h1")
    assert world.kernel.run_until_done(writer, deleter)
    assert deleter.error is None
    if writer.error is None:
        assert world.call(read(A)) == b"theirs"
    else:
        assert isinstance(writer.error, (ObjectExists, DeviceUnavailable)) and writer.error.outcome is Outcome.NOT_DONE
        assert world.call(listed) == []
    world.call(lambda driver: driver.delete(A))
    assert world.names() == []


def test_a_sweep_that_was_held_up_spares_what_was_published_since(world: World) -> None:
    def run(driver: SheepdogDriver) -> None:
        place, effort = driver._place(A), Effort()
        draft = Draft(place)
        draft.make(effort, 5)
        draft.write(effort, 0, b"bytes")
        place.vdis.seal(effort, draft.name)
        seen = place.vdis.listing(effort)
        draft.publish(effort)
        place.sweep_after_publishing(seen, 1)

    world.call(run)
    assert world.call(read(A)) == b"bytes"
    assert world.names() == ["snapshot ", "vdi volume+1+a", "vdi "]


@pytest.mark.parametrize("published", [True, False])
def test_a_doom_of_a_dead_process_is_no_harm_and_does_not_stay(world: World, published: bool) -> None:
    world.call(write(A, b"bytes"))
    version = next(one.name for one in world.cluster.census() if one.name.startswith("~"))
    world.cluster.sheep.new_vdi(doom_of(version).encode(), 1, 0, snapshot=False)
    assert world.call(read(A)) == b"bytes"
    if not published:
        world.cluster.sheep.delete(marker_of("", A).encode(), 0, b"")
        world.call(write(A, b"new"))
        assert world.call(read(A)) == b"new"
        assert doom_of(version) not in [one.name for one in world.cluster.census()]
    world.call(lambda driver: driver.delete(A))
    assert world.names() == []


def test_who_publishes_what_is_doomed_says_so(world: World) -> None:
    def commit(driver: SheepdogDriver) -> None:
        with driver.open_output(A) as stream:
            stream.write(b"x" * CHUNK)
            stream.write(b"y")
            version = next(one.name for one in world.cluster.census() if one.name.startswith("~"))
            world.cluster.sheep.new_vdi(doom_of(version).encode(), 1, 0, snapshot=False)

    with pytest.raises(DeviceUnavailable) as caught:
        world.call(commit)
    assert caught.value.outcome is Outcome.NOT_DONE
    assert world.call(listed) == []
    world.call(lambda driver: driver.delete(A))
    assert world.names() == []


def test_a_marker_without_a_version_is_passed_over(world: World) -> None:
    marker = marker_of("", A).encode()
    world.cluster.sheep.new_vdi(marker, 12345, 0, snapshot=False)
    assert world.call(listed) == []
    with pytest.raises(ObjectNotFound):
        world.call(read(A))
    world.call(write(A, b"bytes"))
    assert world.call(read(A)) == b"bytes"
    assert "vdi volume+1+a+1" in world.names()
    with pytest.raises(ObjectExists):
        world.call(write(A, b"others"))
    world.call(lambda driver: driver.create(A, 5))
    world.call(lambda driver: driver.delete(A))
    assert world.names() == []


def test_zeros_of_a_version_that_is_being_deleted_are_not_believed(world: World) -> None:
    world.call(write(A, b"x" * (CHUNK + 5)))

    def run(driver: SheepdogDriver) -> None:
        stream = driver.open_input(A)
        assert stream.read(10) == b"x" * 10
        sheep = world.cluster.sheep
        for vid in sheep.vdis.numbers():
            inode = sheep.vdis.inodes[vid]
            sheep.write_owners(vid, [(index, 0) for index in list(inode.owners)])
        working = next(one.name for one in world.cluster.census() if one.kind == "vdi" and one.name.startswith("~"))
        sheep.delete(working.encode(), 0, b"")
        while stream.read(CHUNK):
            pass

    with pytest.raises(ObjectNotFound):
        world.call(run)


@pytest.mark.parametrize(
    ("kind", "error"), [("full", CapacityExceeded), ("halted", DeviceUnavailable), ("frozen", DeviceUnavailable)])
@pytest.mark.parametrize("operation", ["NEW_VDI", "WRITE_OBJ"])
def test_lasting_trouble(world: World, kind: str, error: type[StorageError], operation: str) -> None:
    world.arm(Fault(kind, operation))
    with pytest.raises(error):
        world.call(write(A, b"x" * 5000))
    world.heal()
    assert world.call(listed) == []
    world.call(lambda driver: driver.delete(A))
    assert world.names() == []


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_node_that_dies_between_two_inodes(world: World, place: int) -> None:
    world.call(write(A, b"x" * 5000))
    world.arm(Fault("torn_inodes", "NEW_VDI", place))
    try:
        world.call(lambda driver: driver.copy(A, B))
        copied = True
    except DeviceUnavailable:
        copied = False
    world.heal()
    assert world.call(read(A)) == b"x" * 5000
    assert world.call(listed) == ([A, B] if copied else [A])
    for uri in (A, B):
        world.call(lambda driver, uri=uri: driver.delete(uri))
    assert world.names() == []


@pytest.mark.parametrize("operation", ["NEW_VDI", "WRITE_INODE", "DEL_VDI", "READ_INODE", "WRITE_OBJ"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
def test_a_crash_anywhere_leaves_what_the_next_delete_takes_away(
    world: World, operation: str, nth: int, phase: Phase
) -> None:
    world.call(write(B, b"x" * 5000))
    world.arm(Fault("crash", operation, nth, phase, location="doomed"))

    def all_of_it(driver: SheepdogDriver) -> None:
        write(A, b"y" * 5000)(driver)
        driver.delete(A)
        driver.copy(B, A)
        driver.delete(A)

    world.kernel.run_until_done(world.spawn(all_of_it, "doomed"), limit_ns=3600 * NS)
    world.heal()
    assert world.call(read(B)) == b"x" * 5000
    found = world.call(listed)
    if A in found:
        assert world.call(read(A)) in (b"x" * 5000, b"y" * 5000)
    for uri in (A, B):
        world.call(lambda driver, uri=uri: driver.delete(uri))
    assert world.names() == []


def test_no_cluster_there(world: World) -> None:
    world.configuration = {"address": "10.0.0.1"}
    for call in (listed, read(A), write(A, b"x"), lambda driver: driver.create(A, 1), lambda driver: driver.describe(A)):
        with pytest.raises(DeviceUnavailable) as caught:
            world.call(call)
        assert caught.value.outcome is Outcome.NOT_DONE


def test_without_dog_the_device_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DeviceUnavailable, match="dog cannot be run"):
        SheepdogDriver({}).describe(A)
