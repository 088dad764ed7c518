"""What restarts, lost answers, full disks and the other legal faults do to the export, seen from the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import CensusEntry
from storcert.simulators.network.errors import ConnectionReset, ConnectRefused, ReadTimeout
from storcert.simulators.nfs import NfsOptions
from storcert.simulators.nfs.legal_faults import LEGAL_FAULTS
from storcert.simulators.nfs.protocol import Procedure, Reply, SetAttributes, Stable
from tests.simulators.nfs.nfs_world import NfsWorld

S = 10**9
Call = Callable[..., Reply]


@pytest.fixture
def world() -> NfsWorld:
    return NfsWorld()


def arm(world: NfsWorld, kind: str, operation: str = "*", phase: Phase = Phase.BEFORE, **more: Any) -> None:
    world.export.arm([Fault(kind, operation, phase=phase, **more)])


def test_unstable_data_are_lost_and_stable_data_stay(world: NfsWorld) -> None:
    unstable = world.file(b"unstable", b"safe", stable=Stable.FILE_SYNC)
    world.do("WRITE", unstable, 0, b"lost and longer")
    committed = world.file(b"committed", b"kept", stable=Stable.UNSTABLE)
    before = world.do("COMMIT", committed).result.verifier
    world.server.restart(world.now_ns)
    assert world.contents(unstable) == b"safe"
    assert world.contents(committed) == b"kept"
    assert world.do("COMMIT", committed).result.verifier != before


def test_what_is_stable_in_the_middle_of_unstable_data(world: NfsWorld) -> None:
    file = world.file(b"f", b"", stable=Stable.UNSTABLE)
    world.do("WRITE", file, 0, b"uuuuuuuu")
    world.do("WRITE", file, 2, b"SS", Stable.DATA_SYNC)
    world.do("SETATTR", file, SetAttributes(size_bytes=6))
    assert world.contents(file) == b"uuSSuu"
    world.server.restart(world.now_ns)
    assert world.contents(file) == b"\0\0SS\0\0", "the cut is safe, and so is what was written safely"


@pytest.mark.parametrize("kind", ["server_restart", "power_loss"])
def test_a_restart_on_the_wire(world: NfsWorld, kind: str) -> None:
    file = world.file(b"f", b"old")

    def body(call: Call) -> list[str]:
        told = [call("WRITE", file, 0, b"new").status.name]
        for _ in range(2):
            try:
                call("GETATTR", file)
            except (ConnectionReset, ConnectRefused) as error:
                told.append(type(error).__name__)
        return told

    arm(world, kind, "GETATTR")
    assert world.run(body) == ["NFS3_OK", "ConnectionReset", "ConnectRefused"]
    assert world.contents(file) == b"old"


def test_grace_holds_attributes_back(world: NfsWorld) -> None:
    file = world.file(b"f")
    world.server.restart(world.now_ns)
    assert world.status("SETATTR", file, SetAttributes(mode=0o600)) == "JUKEBOX"
    assert world.status("WRITE", file, 0, b"x") == "OK"
    world.now_ns += world.export.options.grace_ns
    assert world.status("SETATTR", file, SetAttributes(mode=0o600)) == "OK"


def test_a_request_sent_again_is_answered_again(world: NfsWorld) -> None:
    """Only with its XID, its body and its connection, and only until the server restarts."""
    root = world.root
    assert world.status("MKDIR", root, b"d", xid=7, connection=1) == "OK"
    assert world.status("MKDIR", root, b"d", xid=7, connection=1) == "OK"
    assert world.status("MKDIR", root, b"d", xid=7, connection=2) == "EXIST"
    assert world.status("MKDIR", root, b"d", xid=8, connection=1) == "EXIST"
    assert world.status("MKDIR", root, b"e", xid=7, connection=1) == "OK"
    assert world.there(b"e"), "another body is another request"
    world.server.restart(world.now_ns)
    assert world.status("MKDIR", root, b"e", xid=7, connection=1) == "EXIST"


def test_without_the_cache_a_repeated_remove_finds_nothing() -> None:
    world = NfsWorld(duplicate_request_cache=False)
    world.file(b"f")
    assert world.status("REMOVE", world.root, b"f", xid=7, connection=1) == "OK"
    assert world.status("REMOVE", world.root, b"f", xid=7, connection=1) == "NOENT"


@pytest.mark.parametrize(("cache", "second"), [(True, "NFS3_OK"), (False, "NFS3ERR_NOENT")])
def test_an_answer_lost_after_the_effect(cache: bool, second: str) -> None:
    world = NfsWorld(duplicate_request_cache=cache)
    world.file(b"f")

    def body(call: Call) -> str:
        with pytest.raises(ReadTimeout):
            call("REMOVE", world.root, b"f", xid=9, connection=1, read_timeout_ns=S)
        return call("REMOVE", world.root, b"f", xid=9, connection=1, read_timeout_ns=S).status.name

    arm(world, "answer_lost", "REMOVE", Phase.AFTER)
    assert world.run(body) == second


def test_full_until_healed(world: NfsWorld) -> None:
    file = world.file(b"f", bytes(range(256)) * 16)

    def body(call: Call) -> list[str]:
        return [
            call("WRITE", file, 8192, b"x").status.name, call("WRITE", file, 0, b"x").status.name,
            call("CREATE", world.root, b"g").status.name, call("MKDIR", world.root, b"d").status.name,
        ]

    arm(world, "full", "WRITE")
    assert world.run(body) == ["NFS3ERR_NOSPC", "NFS3_OK", "NFS3_OK", "NFS3ERR_NOSPC"]
    assert world.do("FSSTAT", world.root).result.free_bytes == 0
    world.export.heal()
    assert world.status("WRITE", file, 8192, b"x") == "OK"


def test_full_found_at_commit(world: NfsWorld) -> None:
    file = world.file(b"f", b"safe")

    def body(call: Call) -> list[str]:
        return [
            call("WRITE", file, 0, b"unsafe").status.name, call("COMMIT", file).status.name,
            call("COMMIT", file).status.name, call("WRITE", file, 0, b"y", Stable.FILE_SYNC).status.name,
        ]

    arm(world, "full_at_commit", "COMMIT")
    assert world.run(body) == ["NFS3_OK", "NFS3ERR_NOSPC", "NFS3_OK", "NFS3ERR_NOSPC"], "an error is told once"
    assert world.contents(file) == b"safe"


@pytest.mark.parametrize(
    ("kind", "operation", "answer"),
    [
        ("jukebox", "LOOKUP", "NFS3ERR_JUKEBOX"), ("stale", "LOOKUP", "NFS3ERR_STALE"),
        ("io_error", "READ", "NFS3ERR_IO"), ("quota", "WRITE", "NFS3ERR_DQUOT"), ("read_only", "WRITE", "NFS3ERR_ROFS"),
        ("root_squash", "WRITE", "NFS3ERR_ACCES"),
    ],
)  # fmt: skip
def test_the_fault_and_its_answer(world: NfsWorld, kind: str, operation: str, answer: str) -> None:
    file = world.file(b"f", b"x")
    asked = {"LOOKUP": (world.root, b"f"), "READ": (file, 0, 1), "WRITE": (file, 8192, b"y")}[operation]
    arm(world, kind, operation)
    assert world.run(lambda call: call(operation, *asked).status.name) == answer
    assert [fault.kind for fault in world.export.fired] == [kind]
    world.export.heal()
    assert world.contents(file) == b"x"
    assert world.run(lambda call: call(operation, *asked).status.name) == "NFS3_OK"


def test_a_frozen_server_does_all_of_it_when_it_wakes(world: NfsWorld) -> None:
    def body(call: Call) -> list[str]:
        told = []
        for name in (b"a", b"b", b"a"):
            try:
                call("MKDIR", world.root, name, xid=name[0], connection=1, read_timeout_ns=S)
            except ReadTimeout:
                told.append("time-out")
        return told

    arm(world, "frozen", "MKDIR")
    assert world.run(body) == ["time-out"] * 3
    assert world.export.census() == ()
    world.export.heal()
    assert [entry.name for entry in world.export.census()] == ["a", "b"]
    assert world.run(lambda call: call("MKDIR", world.root, b"c").status.name) == "NFS3_OK"


def test_what_a_frozen_server_took_in_dies_with_it(world: NfsWorld) -> None:
    def body(call: Call) -> None:
        with pytest.raises(ReadTimeout):
            call("MKDIR", world.root, b"a", read_timeout_ns=S)

    arm(world, "frozen", "MKDIR")
    world.run(body)
    world.export._on_fault(Fault("power_loss"), "MKDIR")
    world.export.heal()
    assert world.export.census() == ()


def test_every_own_fault_has_a_test_here() -> None:
    tested = {"jukebox", "stale", "io_error", "quota", "read_only", "root_squash", "full", "full_at_commit", "frozen"}
    wire = {"request_lost", "answer_lost", "cut", "slow", "server_restart", "power_loss", "crash"}
    assert {kind.name for kind in LEGAL_FAULTS} == tested | wire
    named = {name for kind in LEGAL_FAULTS for name in kind.operations if name != "*"}
    assert named <= {str(procedure) for procedure in Procedure}
    assert all(kind.source for kind in LEGAL_FAULTS)


def test_capacity_and_quota_as_options() -> None:
    small = NfsWorld(capacity_bytes=64 << 10)
    file = small.file(b"f")
    assert small.status("WRITE", file, 0, b"x" * 70_000) == "NOSPC"
    assert small.status("WRITE", file, 0, b"x" * 40_000) == "OK"
    assert small.status("WRITE", file, 40_000, b"x" * 40_000) == "NOSPC"
    small.do("REMOVE", small.root, b"f")
    assert small.status("WRITE", small.file(b"g"), 0, b"x" * 40_000) == "OK"
    limited = NfsWorld(quota_bytes=64 << 10)
    assert limited.status("WRITE", limited.file(b"f"), 0, b"x" * 70_000) == "DQUOT"


def test_space_is_counted_exactly(world: NfsWorld) -> None:
    """What comes goes: after any order of writes, cuts, renames and removes nothing is left but the root."""
    tree = world.server.fs.tree
    empty = tree.used_bytes
    for name, data in ((b"small", b"x"), (b"large", b"y" * 100_000), (b"cut", b"z" * 50_000)):
        file = world.file(name, data)
        world.do("WRITE", file, 60_000, b"more")
        world.do("SETATTR", file, SetAttributes(size_bytes=5))
    world.do("RENAME", world.root, b"small", world.root, b"large")
    world.folder(b"d")
    world.server.restart(world.now_ns)
    for name in (b"large", b"cut"):
        world.do("REMOVE", world.root, name)
    world.do("RMDIR", world.root, b"d")
    assert tree.used_bytes == empty
    assert len(tree) == 1


def test_the_census_tells_silly_names_from_files(world: NfsWorld) -> None:
    folder = world.folder(b"volume")
    world.file(b"a", b"xyz", folder)
    world.file(b".nfs0000000000000f3a", b"x", folder)
    world.file(b"\xff", b"", folder)
    assert world.export.census() == (
        CensusEntry("dir", "volume", "", 0), CensusEntry("file", "volume/\\xff", "", 0),
        CensusEntry("file", "volume/a", "", 3), CensusEntry("silly", "volume/.nfs0000000000000f3a", "", 1),
    )  # fmt: skip


def test_the_log_names_what_a_request_was_about(world: NfsWorld) -> None:
    folder = world.folder(b"d")

    def body(call: Call) -> None:
        call("CREATE", folder, b"f")
        call("RENAME", folder, b"f", world.root, b"g")
        call("LOOKUP", folder, b"f")

    world.run(body)
    told = [(request.operation, request.target, request.answer) for request in world.export.requests]
    assert told == [("CREATE", "d/f", "ok"), ("RENAME", "d/f -> g", "ok"), ("LOOKUP", "d/f", "NFS3ERR_NOENT")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"flavor": "soft"}, "nfs has no option 'flavor'"), ({"flavour": "firm"}, "there are soft, softerr, hard"),
        ({"mount": "mnt"}, "no absolute path"), ({"mount": "/"}, "no absolute path"), ({"rsize_bytes": 0}, "too small"),
        ({"rsize_bytes": "1"}, "is no int"), ({"read_only": 1}, "is no bool"),
    ],
)  # fmt: skip
def test_options_that_are_none(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NfsOptions.from_mapping(options)


def test_the_same_seed_gives_the_same_run() -> None:
    def digest(seed: int) -> str:
        world = NfsWorld(seed)
        arm(world, "server_restart", "GETATTR")

        def body(call: Call) -> None:
            for number in range(20):
                call("CREATE", world.root, b"%d" % number)
            with pytest.raises(ConnectionReset):
                call("GETATTR", world.root)

        world.run(body)
        return world.kernel.digest() + world.server.fs.verifier.hex()

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)
