"""Writing on an NFS mount: what is sent when, errors that come late and once, restarts of the server, retransmission."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from storcert.harness.record.fault import Phase
from tests.simulators.nfs.mounted_world import SECOND_NS, M, MountedWorld, get, mounted, put

MIB = 1 << 20


def error_of(world: MountedWorld, body: Any) -> int:
    """The errno that ``body`` ends with; 0 for none."""
    try:
        world.run(body)
    except OSError as error:
        return error.errno or -1
    return 0


def test_nothing_is_sent_before_somebody_asks() -> None:
    with mounted() as world:

        def write() -> list[str]:
            with open(f"{M}/a", "wb", buffering=0) as file:
                before = len(world.export.requests)
                for _ in range(50):
                    file.write(b"x" * 100)
                return [one.operation for one in world.export.requests[before:]]

        assert world.run(write) == []
        assert world.elsewhere(lambda: get(f"{M}/a")) == b"x" * 5000


def test_what_fits_into_one_request_is_sent_safe_and_more_is_committed() -> None:
    with mounted() as world:
        small = world.asked(lambda: put(f"{M}/small", b"x" * MIB))
        large = world.asked(lambda: put(f"{M}/large", b"x" * (MIB + 1)))
        assert (small.count("WRITE"), small.count("COMMIT")) == (1, 0)
        assert (large.count("WRITE"), large.count("COMMIT")) == (2, 1)


def test_a_writer_waits_when_much_is_dirty() -> None:
    with mounted(wsize_bytes=65_536) as world:

        def write() -> int:
            with open(f"{M}/a", "wb", buffering=0) as file:
                before = len(world.export.requests)
                file.write(b"x" * MIB)
                return len(world.export.requests) - before

        assert world.run(write) == 16


@pytest.mark.parametrize(("kind", "code"), [("full", errno.ENOSPC), ("quota", errno.EDQUOT), ("read_only", errno.EROFS)])
def test_a_write_that_finds_no_room_says_so_at_close_once(kind: str, code: int) -> None:
    with mounted() as world:

        def write() -> tuple[int, int]:
            descriptor = os.open(f"{M}/a", os.O_WRONLY | os.O_CREAT)
            assert os.write(descriptor, b"x" * 1000) == 1000, "taken into the page cache"
            said = []
            for call in (os.fsync, os.fsync):
                try:
                    call(descriptor)
                    said.append(0)
                except OSError as error:
                    said.append(error.errno)
            os.close(descriptor)
            return said[0], said[1]

        world.arm(kind, "WRITE", count=0)
        assert world.run(write) == (code, 0), "told once; asking again says nothing, and the bytes are gone"
        world.export.heal()
        assert world.elsewhere(lambda: get(f"{M}/a")) == b""
        world.arm(kind, "WRITE", count=0)
        assert error_of(world, lambda: put(f"{M}/b", b"x")) == code


def test_no_room_may_show_only_at_commit() -> None:
    with mounted() as world:
        world.arm("full_at_commit", "COMMIT")
        assert error_of(world, lambda: put(f"{M}/a", b"x" * (3 * MIB))) == errno.ENOSPC


def test_an_error_is_told_to_each_who_has_the_file_open() -> None:
    with mounted() as world:

        def write() -> list[int]:
            first = os.open(f"{M}/a", os.O_RDWR | os.O_CREAT)
            second = os.open(f"{M}/a", os.O_RDWR)
            os.write(first, b"x" * 10)
            said = []
            for descriptor in (first, second, first):
                try:
                    os.fsync(descriptor)
                    said.append(0)
                except OSError as error:
                    said.append(error.errno or -1)
            return said

        world.arm("full", "WRITE", count=0)
        assert world.run(write) == [errno.ENOSPC, errno.ENOSPC, 0]


def test_after_a_restart_of_the_server_unsafe_bytes_are_sent_again() -> None:
    data = bytes(range(256)) * 8192 + b"!" * MIB
    with mounted() as world:
        world.arm("server_restart", "COMMIT", value=SECOND_NS)
        asked = world.asked(lambda: put(f"{M}/a", data))
        assert (asked.count("WRITE"), asked.count("COMMIT")) == (6, 4), "reset, refused, another verifier, all over again"
        assert world.elsewhere(lambda: get(f"{M}/a")) == data


def test_a_restart_between_two_writes_is_noticed_by_the_verifier() -> None:
    data = bytes(range(256)) * 8192 + b"!" * MIB
    with mounted() as world:
        world.arm("server_restart", "WRITE", nth=2, phase=Phase.BEFORE, value=SECOND_NS)
        world.run(lambda: put(f"{M}/a", data))
        world.here.crash()
        assert world.elsewhere(lambda: get(f"{M}/a")) == data


def test_unsent_bytes_die_with_the_location_and_safe_ones_do_not() -> None:
    with mounted() as world:

        def write() -> None:
            descriptor = os.open(f"{M}/a", os.O_WRONLY | os.O_CREAT)
            os.write(descriptor, b"safe")
            os.fsync(descriptor)
            os.write(descriptor, b" lost")
            world.here.crash()

        task = world.kernel.spawn(write, location=world.here)
        world.kernel.run_until_done(task)
        assert world.elsewhere(lambda: get(f"{M}/a")) == b"safe"


def test_appending_goes_to_the_end_that_is_known() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"one "))

        def append() -> int:
            with open(f"{M}/a", "ab") as file:
                file.write(b"two ")
                file.flush()
                return file.tell()

        assert world.elsewhere(append) == 8
        assert world.run(lambda: get(f"{M}/a")) == b"one two "


def test_truncating_and_stretching() -> None:
    with mounted() as world:

        def change() -> None:
            put(f"{M}/a", b"x" * 10_000)
            with open(f"{M}/a", "r+b") as file:
                file.truncate(5)
                file.seek(0, os.SEEK_END)
                file.write(b"y")
            os.truncate(f"{M}/a", 8)
            put(f"{M}/sparse", b"")
            os.truncate(f"{M}/sparse", 1 << 40)

        world.run(change)
        assert world.elsewhere(lambda: get(f"{M}/a")) == b"xxxxxy\0\0"
        assert world.elsewhere(lambda: os.path.getsize(f"{M}/sparse")) == 1 << 40


@pytest.mark.parametrize(("flavour", "code"), [("soft", errno.EIO), ("softerr", errno.ETIMEDOUT)])
def test_a_soft_mount_gives_up(flavour: str, code: int) -> None:
    with mounted(flavour=flavour) as world:
        world.run(lambda: put(f"{M}/a", b"x"))
        world.arm("request_lost", "*", count=0)
        begun_ns = world.kernel.now_ns
        before = len(world.export.requests)
        assert error_of(world, lambda: get(f"{M}/a")) == code
        assert 30 <= (world.kernel.now_ns - begun_ns) / SECOND_NS < 31
        assert len(world.export.requests) - before == 2, "sent at once and after timeo"


def test_a_hard_mount_waits_until_the_server_is_back() -> None:
    with mounted(flavour="hard") as world:
        world.run(lambda: put(f"{M}/a", b"x"))
        world.arm("request_lost", "*", count=0)
        task = world.kernel.spawn(lambda: get(f"{M}/a"), location=world.here)
        assert not world.kernel.run_until_done(task, limit_ns=3600 * SECOND_NS)
        world.export.heal()
        assert world.kernel.run_until_done(task, limit_ns=600 * SECOND_NS)
        assert task.result == b"x"


def test_a_lost_answer_is_asked_for_again_and_nothing_happens_twice() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"x"))
        for operation, body in (
            ("LINK", lambda: os.link(f"{M}/a", f"{M}/b")),
            ("REMOVE", lambda: os.unlink(f"{M}/b")),
            ("MKDIR", lambda: os.mkdir(f"{M}/d")),
            ("RENAME", lambda: os.rename(f"{M}/a", f"{M}/c")),
            ("RMDIR", lambda: os.rmdir(f"{M}/d")),
        ):
            world.arm("answer_lost", operation, phase=Phase.AFTER)
            assert error_of(world, body) == 0, operation
            assert world.export.fired, operation


@pytest.mark.parametrize("operation", ["LINK", "REMOVE", "MKDIR"])
def test_without_the_servers_memory_the_second_try_meets_the_first(operation: str) -> None:
    with mounted(duplicate_request_cache=False) as world:
        world.run(lambda: (put(f"{M}/a", b"x"), os.link(f"{M}/a", f"{M}/b")))
        world.arm("answer_lost", operation, phase=Phase.AFTER)
        bodies = {
            "LINK": lambda: os.link(f"{M}/a", f"{M}/c"),
            "REMOVE": lambda: os.unlink(f"{M}/b"),
            "MKDIR": lambda: os.mkdir(f"{M}/d"),
        }
        code = errno.ENOENT if operation == "REMOVE" else errno.EEXIST
        assert error_of(world, bodies[operation]) == code
        assert ("file b" in world.held(), "file c" in world.held()) == (operation != "REMOVE", operation == "LINK")


def test_a_reset_connection_is_another_one_for_the_servers_memory() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"x"))
        world.arm("answer_lost", "LINK", phase=Phase.AFTER, value=1)
        assert error_of(world, lambda: os.link(f"{M}/a", f"{M}/b")) == errno.EEXIST
        assert "file b" in world.held()


@pytest.mark.parametrize("remembers", [True, False])
def test_an_exclusive_create_survives_a_lost_answer(remembers: bool) -> None:
    with mounted(duplicate_request_cache=remembers) as world:

        def make() -> os.stat_result:
            os.close(os.open(f"{M}/a", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
            return os.stat(f"{M}/a")

        world.arm("answer_lost", "CREATE", phase=Phase.AFTER)
        status = world.run(make)
        assert (status.st_mode & 0o777, status.st_size) == (0o640, 0)
        assert abs(status.st_mtime_ns - world.kernel.now_ns) < 60 * SECOND_NS, "the verifier does not stay in the times"
        assert error_of(world, make) == errno.EEXIST


def test_a_server_that_is_not_ready_is_waited_for_and_on_a_soft_mount_not_for_ever() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"x"))
        world.arm("jukebox", "GETATTR", count=2)
        begun_ns = world.kernel.now_ns
        assert world.run(lambda: get(f"{M}/a")) == b"x"
        assert (world.kernel.now_ns - begun_ns) // SECOND_NS == 10
        world.arm("jukebox", "*", count=0)
        assert error_of(world, lambda: get(f"{M}/a")) == errno.EIO


def test_root_may_be_nobody() -> None:
    with mounted() as world:
        world.run(lambda: (os.mkdir(f"{M}/d"), put(f"{M}/d/a", b"x"), os.chmod(f"{M}/d/a", 0o600)))
        world.arm("root_squash", "*")
        assert error_of(world, lambda: put(f"{M}/d/b", b"x")) == errno.EACCES
        assert world.run(lambda: os.access(f"{M}/d", os.W_OK)) is False
        with pytest.raises(PermissionError):
            world.elsewhere(lambda: get(f"{M}/d/a"))
