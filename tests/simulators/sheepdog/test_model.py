"""What a model of Sheepdog must keep: numbers, objects, snapshots, clones, deletion, reference counts, nodes, locks."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.sheepdog.results import Refused, Result
from storcert.simulators.sheepdog.sheep import ObjectWrite
from storcert.simulators.sheepdog.vdis import Inode, Vdis, hash_of

Make = Callable[..., Any]
OBJECT = 1 << 22


# 1. numbers


def test_numbers_are_the_hash_of_the_name_then_the_next_free_one(farm: Any) -> None:
    assert hash_of(b"a") == 0x1EC8C
    farm.ok("vdi create a 1M")
    farm.ok("vdi snapshot -s t a")
    farm.ok("vdi snapshot -s u a")
    assert [row[6] for row in farm.rows()] == ["1ec8c", "1ec8d", "1ec8e"]
    farm.ok("vdi delete a")
    farm.ok("vdi create a 1M")
    assert farm.rows()[-1][6] == "1ec8f"  # a number is never used again


def test_lookups_go_on_behind_tombstones_and_other_names() -> None:
    vdis = Vdis(numbers=8)
    names = [b"name-%d" % number for number in range(200)]
    same = [name for name in names if hash_of(name) % 8 == 6][:4]

    def make(name: bytes) -> int:
        vid, snap_id = vdis.place_for(name, again=False)
        vdis.enter(Inode(name, vid, 0, snap_id, 0, 0))
        return vid

    assert [make(name) for name in same] == [6, 7, 1, 2]  # round the end, and never 0
    vdis.bury(7)
    assert vdis.lookup(same[3]).vid == 2
    assert (vdis.tombstones, vdis.numbers()) == (1, [1, 2, 6])
    with pytest.raises(Refused) as missing:
        vdis.lookup(same[1])
    assert missing.value.result is Result.NO_VDI
    for name in [name for name in names if name not in same][:3]:
        make(name)
    with pytest.raises(Refused) as full:
        make(b"one more")
    assert full.value.result is Result.FULL_VDI


# 2. objects and inodes


def test_data_is_kept_in_objects_that_exist_only_where_something_was_written(farm: Any) -> None:
    farm.ok("vdi create a 4T")
    farm.ok("vdi write a", str(5 * OBJECT - 2), "4", data=b"abcd")
    assert farm.ok("vdi object map a").split()[2::2] == [b"00000004", b"00000005"]
    assert farm.rows()[0][3:6] == [str(1 << 42), str(2 * OBJECT), "0"]
    assert farm.ok("vdi read a", str(5 * OBJECT - 3), "6") == b"\0abcd\0"
    assert farm.cluster.sheep.objects.allocated_bytes == 4
    owner, index = farm.cluster.sheep.objects.ids()[0]
    assert (f"{owner:x}", index) == ("1ec8c", 4)


def test_another_object_size(make_farm: Make) -> None:
    farm = make_farm(block_size_shift=20)
    farm.ok("vdi create a 4M")
    farm.ok("vdi write a 0 2M", data=b"x" * (1 << 21))
    assert farm.data_objects == 2
    assert farm.refused("vdi create b 2T")[0] == 64


def test_resize_keeps_the_bytes_and_gives_zeros(farm: Any) -> None:
    farm.ok("vdi create a 3")
    farm.ok("vdi write a", data=b"abc")
    farm.ok("vdi resize a 6")
    assert farm.ok("vdi read a") == b"abc\0\0\0"


# 3. snapshots


def test_the_working_vdi_becomes_the_snapshot(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    number = farm.rows()[0][6]
    farm.ok("vdi snapshot -s t a")
    (old, new) = farm.rows()
    assert (old[0], old[2], old[6], old[7]) == ("s", "1", number, "t")
    assert (new[0], new[2], new[4], new[5], new[7]) == ("=", "0", "0", str(OBJECT), "")
    farm.ok("vdi write a", data=b"later")
    assert farm.ok("vdi read a 0 5") == b"later"
    assert farm.ok("vdi read -s t a 0 5") == farm.ok("vdi read -s 1 a 0 5") == b"first"
    farm.ok("vdi delete a")
    assert farm.ok("vdi read -s t a 0 5") == b"first"  # a snapshot outlives its working VDI
    assert farm.refused("vdi read a")[0] == 1


def test_a_writer_that_opened_the_vdi_before_the_snapshot_may_not_write_any_more(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    sheep = farm.cluster.sheep
    seen = sheep.look_up(b"a", 0, b"", range(1))
    farm.ok("vdi snapshot -s t a")
    with pytest.raises(Refused) as refused:
        sheep.write_objects([ObjectWrite(seen.vid, 0, 0, b"x", False, 0)])
    assert refused.value.result is Result.READONLY


# 4. clones


def test_a_clone_shares_until_it_writes(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    farm.ok("vdi snapshot -s t a")
    farm.ok("vdi clone -s t a c")
    clone = next(row for row in farm.rows() if row[1] == "c")
    assert (clone[0], clone[4], clone[5], farm.data_objects) == ("c", "0", str(OBJECT), 1)
    farm.ok("vdi write c 3", data=b"XY")
    assert farm.data_objects == 2
    assert (farm.ok("vdi read c 0 6"), farm.ok("vdi read a 0 6")) == (b"firXY\0", b"first\0")


@pytest.mark.parametrize("line", ["vdi clone -s t a c", "vdi snapshot -s u a"])
def test_a_node_that_dies_between_the_two_inodes(farm: Any, line: str) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    farm.ok("vdi snapshot -s t a")
    farm.arm(Fault("torn_inodes", "NEW_VDI"))
    status, complaints = farm.refused(line)
    assert (status, "failed to read a response" in complaints) == (2, True)
    farm.cluster.heal()
    assert [row[1] for row in farm.rows()] == ["a", "a"]  # nothing new
    if "snapshot" in line:
        assert [row[0] for row in farm.rows()] == ["s", "s"]  # the working VDI is gone, its bytes are in the snapshot
        assert farm.ok("vdi read -s u a 0 5") == b"first"
        farm.ok("vdi delete -s u a")
    else:
        farm.ok("vdi delete a")
    farm.ok("vdi delete -s t a")
    assert farm.rows() == [] and farm.data_objects == 1  # counted up for ever
    assert farm.cluster.lost_objects() == [(0x1EC8C, 0)]


# 5. deletion


def test_a_dog_killed_in_the_middle_of_a_deletion_leaves_zeros(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    farm.arm(Fault("slow", "DEL_VDI", 1, Phase.BEFORE, 1, 60 * 10**9))

    def act() -> None:
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["dog", "vdi", "delete", "a"], timeout=5)

    farm.run(act)
    assert farm.ok("vdi read a 0 5") == bytes(5)
    assert [row[:2] for row in farm.rows()] == [["=", "a"]]
    assert farm.data_objects == 0
    farm.kernel.run_for(60 * 10**9)  # what was sent arrives all the same
    assert farm.rows() == []


def test_each_step_of_dog_is_a_request(farm: Any) -> None:
    farm.ok("vdi create a 9M")
    farm.ok("vdi write a", data=b"x" * (9 << 20))
    farm.ok("vdi snapshot -s t a")
    farm.ok("vdi clone -s t a c")
    farm.ok("vdi delete c")
    assert farm.operations() == [
        "NEW_VDI", "READ_INODE", "WRITE_OBJ", "WRITE_INODE", "READ_INODE", "WRITE_INODE", "NEW_VDI", "READ_INODE",
        "NEW_VDI", "READ_INODE", "WRITE_INODE", "DEL_VDI",
    ]


def test_tombstones_stay_and_are_nobodys_leftovers(farm: Any) -> None:
    for _ in range(3):
        farm.ok("vdi create a 1M")
        farm.ok("vdi delete a")
    assert (farm.cluster.sheep.vdis.tombstones, farm.cluster.census()) == (3, ())


def test_an_object_that_dog_did_not_come_to_enter_belongs_to_nobody(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.arm(Fault("crash", "WRITE_OBJ", 1, Phase.AFTER))
    farm.spawn(lambda: subprocess.run(["dog", "vdi", "write", "a"], input=b"first", capture_output=True))
    farm.kernel.run_for(10**10)
    farm.here.restart()
    farm.cluster.heal()
    farm.cluster.attach(farm.here)
    assert farm.ok("vdi read a 0 5") == bytes(5)
    assert farm.cluster.lost_objects() == [(0x1EC8C, 0)]
    farm.ok("vdi delete a")
    assert (farm.cluster.census(), farm.data_objects) == ((), 1)


# 6. reference counts


def test_objects_go_with_their_last_user_whatever_the_order(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"x" * (OBJECT + 1))
    farm.ok("vdi snapshot -s t a")
    farm.ok("vdi write a 0 1", data=b"y")
    farm.ok("vdi clone -s t a c")
    farm.ok("vdi snapshot -s u c")
    farm.ok("vdi clone -s u c d")
    farm.ok("vdi write d 0 1", data=b"z")
    assert farm.data_objects == 4
    for line in ("a", "-s t a", "c", "-s u c"):
        farm.ok(f"vdi delete {line}")
        assert farm.ok("vdi read d 0 2") == b"zx"
    assert farm.data_objects == 2
    farm.ok("vdi delete d")
    assert (farm.data_objects, farm.cluster.lost_objects()) == (0, [])


def test_a_vdi_made_again_over_its_own_snapshots_keeps_the_line(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi snapshot -s t a")
    farm.ok("vdi delete a")
    farm.ok("vdi create a 8M")
    farm.ok("vdi snapshot -s u a")
    assert [(row[0], row[2]) for row in farm.rows()] == [("s", "1"), ("s", "2"), ("=", "0")]


# 7. replication and nodes


def test_a_lost_node_costs_time_and_no_error(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.arm(Fault("node_loss", "WRITE_OBJ"))

    def act() -> float:
        start = time.monotonic()
        subprocess.run(["dog", "vdi", "write", "a"], input=b"first", check=True)
        return time.monotonic() - start

    assert 1.66 < farm.run(act) < 1.9
    assert [line.split()[1] for line in farm.ok("cluster info -r").splitlines()[2:]] == [b"2", b"1"]
    assert farm.ok("vdi read a 0 5") == b"first"
    farm.cluster.heal()
    assert farm.ok("cluster info -r").splitlines()[2].split()[1] == b"3"


def test_a_frozen_node_answers_nothing_until_it_goes_on(farm: Any) -> None:
    farm.arm(Fault("frozen", "NEW_VDI"))

    def act() -> None:
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["dog", "vdi", "create", "a", "1M"], timeout=100)

    farm.run(act)
    patient = farm.spawn(lambda: subprocess.run(["dog", "vdi", "create", "b", "1M"], capture_output=True).returncode)
    assert not farm.kernel.run_until_done(patient, limit_ns=10**12)
    farm.cluster.heal()
    assert farm.kernel.run_until_done(patient)
    assert (patient.result, [row[1] for row in farm.rows()]) == (0, ["b"])


def test_a_full_cluster_takes_nothing_new_and_overwrites_and_deletes(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    farm.arm(Fault("full", "NEW_VDI"))
    assert farm.refused("vdi create b 1M") == (1, "Failed to create VDI b: Failed to write to requested VDI\n")
    status, complaints = farm.refused("vdi write a 4M", data=b"x")
    assert (status, "Server has no space for new objects\n" in complaints) == (1, True)
    farm.ok("vdi write a", data=b"again")
    assert farm.ok("node info -r").splitlines()[-1].split()[3] == b"0"
    farm.ok("vdi delete a")
    farm.cluster.heal()
    farm.ok("vdi create b 1M")


def test_a_snapshot_on_a_full_cluster_loses_the_working_vdi(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.arm(Fault("full", "NEW_VDI"))
    assert farm.refused("vdi snapshot -s t a")[0] == 1
    assert [row[0] for row in farm.rows()] == ["s"]


def test_a_deletion_on_a_halted_cluster_says_nothing_and_does_nothing(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.arm(Fault("halted", "DEL_VDI"))
    farm.ok("vdi delete a")
    assert farm.rows() == []  # no listing shows it any more
    farm.cluster.heal()
    assert farm.refused("vdi create a 8M")[0] == 1  # and it is there
    assert farm.cluster.census() == ()
    farm.ok("vdi delete a")
    farm.ok("vdi create a 8M")


def test_what_a_late_write_brought_back_between_the_halves_of_its_deletion_is_nobodys_leftover(farm: Any) -> None:
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"late")
    farm.cluster.sheep.delete(b"a", 0, b"")  # the second half, which finds data again, and says nothing
    assert farm.rows() == []
    assert [entry.kind for entry in farm.cluster.census()] == ["vdi"]
    farm.arm(Fault("slow", "READ_VDIS", 1, Phase.BEFORE, 1, 1_000_000_000))
    assert farm.rows() == []
    assert farm.cluster.census() == ()


# 8. locks


def test_locks_belong_to_the_node_and_dog_breaks_them(farm: Any, make_farm: Make) -> None:
    for kept, one in ((True, make_farm(use_locks=True)), (False, make_farm(use_locks=False))):
        one.ok("vdi create a 1M")
        sheep = one.cluster.sheep
        sheep.lock(b"a", "IPv4 ip:127.0.0.1 port:7000")
        if not kept:
            sheep.lock(b"a", "another")  # without -l every lock succeeds
            assert one.refused("vdi lock unlock a")[0] == 1
            continue
        with pytest.raises(Refused) as refused:
            sheep.lock(b"a", "IPv4 ip:127.0.0.1 port:7000")
        assert refused.value.result is Result.VDI_LOCKED
        assert b" a " in one.ok("vdi lock list")
        one.ok("vdi lock unlock a")
        sheep.lock(b"a", "another")
        one.ok("vdi delete a")  # locked or not
        assert sheep.locks == {}


def test_a_lock_left_by_a_dead_client_does_not_keep_dog_from_anything(farm: Any) -> None:
    farm.ok("vdi create a 1M")
    farm.arm(Fault("lock_left", "READ_INODE"))
    farm.ok("vdi write a", data=b"first")
    assert len(farm.cluster.sheep.locks) == 1
    farm.ok("vdi delete a")
    assert farm.cluster.census() == ()
