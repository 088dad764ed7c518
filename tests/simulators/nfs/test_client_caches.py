"""What an NFS client believes and for how long: names, attributes, bytes; and when it asks."""

from __future__ import annotations

import errno
import os

import pytest

from storcert.simulators.nfs import client_lookup
from tests.simulators.nfs.mounted_world import M, get, mounted, put


def exists(name: str) -> bool:
    return os.path.exists(f"{M}/{name}")


def test_a_name_that_was_not_there_is_believed_absent_for_a_while() -> None:
    with mounted() as world:
        assert not world.run(lambda: exists("a"))
        world.elsewhere(lambda: put(f"{M}/a", b"x"))
        assert not world.run(lambda: exists("a")), "the directory's attributes are believed for acdirmin"
        world.pass_seconds(31)
        assert world.run(lambda: exists("a"))


def test_opening_the_directory_shows_its_newest_names() -> None:
    with mounted() as world:
        assert not world.run(lambda: exists("a"))
        world.elsewhere(lambda: put(f"{M}/a", b"x"))
        assert world.run(lambda: os.listdir(M)) == ["a"]
        assert world.run(lambda: exists("a"))
        world.elsewhere(lambda: os.unlink(f"{M}/a"))
        assert world.run(lambda: exists("a")), "a name is believed present, too"
        world.run(lambda: os.close(os.open(M, os.O_RDONLY | os.O_DIRECTORY)))
        assert not world.run(lambda: exists("a"))


def test_without_attribute_cache_every_look_is_true() -> None:
    with mounted(acregmin_ns=0, acregmax_ns=0, acdirmin_ns=0, acdirmax_ns=0) as world:
        assert not world.run(lambda: exists("a"))
        world.elsewhere(lambda: put(f"{M}/a", b"x"))
        assert world.run(lambda: exists("a"))
        world.elsewhere(lambda: os.unlink(f"{M}/a"))
        assert not world.run(lambda: exists("a"))


def test_sizes_are_believed_longer_the_longer_nothing_changes() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"x"))
        looks = []
        for _ in range(40):
            asked = world.asked(lambda: os.stat(f"{M}/a"))
            looks.append(asked.count("GETATTR"))
            world.pass_seconds(3)
        assert looks[0] == 0
        assert 3 <= sum(looks) < 20


def test_opening_a_file_shows_its_newest_bytes_and_reading_on_does_not() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"old"))

        def read_twice() -> tuple[bytes, bytes, bytes]:
            with open(f"{M}/a", "rb", buffering=0) as file:
                first = file.read()
                world.kernel.join(world.kernel.spawn(lambda: put(f"{M}/a", b"new"), location=world.there))
                again = os.pread(file.fileno(), 3, 0)
            return first, again, get(f"{M}/a")

        assert world.run(read_twice) == (b"old", b"old", b"new")


def test_an_open_reader_learns_of_a_change_when_its_attributes_expire() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"old"))

        def read_later() -> bytes:
            with open(f"{M}/a", "rb", buffering=0) as file:
                file.read()
                world.kernel.join(world.kernel.spawn(lambda: put(f"{M}/a", b"new"), location=world.there))
                world.kernel.sleep_ns(4 * 10**9)
                return os.pread(file.fileno(), 3, 0)

        assert world.run(read_later) == b"new"


def test_writes_of_one_process_are_seen_by_its_neighbours_at_once() -> None:
    with mounted() as world:

        def write_and_look() -> tuple[int, bytes, list[str]]:
            with open(f"{M}/a", "wb", buffering=0) as file:
                file.write(b"dirty")
                before = len(world.export.requests)
                seen = os.path.getsize(f"{M}/a"), get(f"{M}/a")
                return *seen, [one.operation for one in world.export.requests[before:]]

        size, data, asked = world.run(write_and_look)
        assert (size, data) == (5, b"dirty")
        assert "READ" not in asked


def test_what_is_cached_is_not_asked_for_again() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"x" * 10_000))
        assert "READ" not in world.asked(lambda: get(f"{M}/a"))
        assert world.asked(lambda: get(f"{M}/a"), world.there).count("READ") == 1
        assert world.asked(lambda: get(f"{M}/a"), world.there) == ["GETATTR"]


def test_a_large_file_is_read_in_pieces_of_rsize() -> None:
    with mounted(rsize_bytes=65_536) as world:
        data = bytes(range(256)) * 1024
        world.run(lambda: put(f"{M}/a", data))
        asked = world.asked(lambda: get(f"{M}/a"), world.there)
        assert asked.count("READ") == 4
        assert world.elsewhere(lambda: get(f"{M}/a")) == data


def test_own_changes_of_a_directory_leave_its_names_believed() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"x"))
        world.run(lambda: put(f"{M}/b", b"x"))
        assert world.asked(lambda: os.stat(f"{M}/a")) == []


def test_a_restarted_location_remembers_nothing() -> None:
    with mounted() as world:
        assert not world.run(lambda: exists("a"))
        world.elsewhere(lambda: put(f"{M}/a", b"x"))
        world.here.crash()
        world.here.restart()
        assert world.run(lambda: exists("a"))


@pytest.mark.parametrize("way", ["get", "stat", "listdir"])
def test_a_stale_handle_is_looked_up_once_more(way: str) -> None:
    with mounted() as world:
        world.run(lambda: os.mkdir(f"{M}/d"))
        world.run(lambda: put(f"{M}/d/f", b"x"))
        ways = {"get": lambda: get(f"{M}/d/f"), "stat": lambda: os.stat(f"{M}/d/f"), "listdir": lambda: os.listdir(f"{M}/d")}
        world.pass_seconds(100)
        world.arm("stale", "GETATTR")
        world.run(ways[way])
        assert [fault.kind for fault in world.export.fired] == ["stale"]


def test_stale_that_lasts_comes_out() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/f", b"x"))
        world.arm("stale", "*", count=0)
        with pytest.raises(OSError, match="Stale") as caught:
            world.run(lambda: get(f"{M}/f"))
        assert caught.value.errno == errno.ESTALE
        assert caught.value.filename == f"{M}/f"


def test_a_file_removed_elsewhere_is_stale_for_whoever_has_it_open() -> None:
    with mounted() as world:
        world.run(lambda: put(f"{M}/a", b"x" * 300_000))

        def read_on() -> bytes:
            with open(f"{M}/a", "rb", buffering=0) as file:
                head = file.read(10)
                world.kernel.join(world.kernel.spawn(lambda: os.unlink(f"{M}/a"), location=world.here))
                assert os.pread(file.fileno(), 10, 100) == b"x" * 10, "what was read ahead is still there"
                try:
                    os.pread(file.fileno(), 10, 200_000)
                except OSError as error:
                    assert error.errno == errno.ESTALE
                    return head
            raise AssertionError("a removed file was read")

        assert world.elsewhere(read_on) == b"x" * 10


def test_symbolic_links_are_followed_inside_the_mount() -> None:
    with mounted() as world:

        def make() -> None:
            os.makedirs(f"{M}/d/e")
            put(f"{M}/d/f", b"x")
            os.symlink("../f", f"{M}/d/e/up")
            os.symlink(f"{M}/d", f"{M}/whole")
            os.symlink("nowhere", f"{M}/dangling")
            os.symlink("round", f"{M}/round")

        world.run(make)
        assert world.elsewhere(lambda: (get(f"{M}/d/e/up"), get(f"{M}/whole/e/up"))) == (b"x", b"x")
        assert world.elsewhere(lambda: os.readlink(f"{M}/d/e/up")) == "../f"
        assert world.elsewhere(lambda: (os.path.islink(f"{M}/dangling"), os.path.exists(f"{M}/dangling"))) == (True, False)
        with pytest.raises(OSError, match="symbolic") as caught:
            world.elsewhere(lambda: os.stat(f"{M}/round"))
        assert caught.value.errno == errno.ELOOP


def test_of_many_files_that_nobody_has_open_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_lookup, "RESTING_MAX", 4)
    with mounted() as world:
        for name in "abcdef":
            world.run(lambda name=name: put(f"{M}/{name}", name.encode()))
        held = world.run(lambda: os.open(f"{M}/f", os.O_RDONLY))
        assert world.asked(lambda: os.read(held, 1)) == [], "its pages are here"
        assert "READ" not in world.asked(lambda: get(f"{M}/c"))
        assert "READ" in world.asked(lambda: get(f"{M}/a")) and world.run(lambda: get(f"{M}/a")) == b"a"
        for name in "abcd":
            assert world.run(lambda name=name: get(f"{M}/{name}")) == name.encode()
        assert world.run(lambda: os.pread(held, 1, 0)) == b"f"
        assert world.asked(lambda: os.pread(held, 1, 0)) == [], "it is open"


def test_names_that_are_not_there_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_lookup, "ABSENT_MAX", 4)
    with mounted() as world:
        world.run(lambda: put(f"{M}/there", b"x"))
        for name in "abcde":
            assert not world.run(lambda name=name: exists(name))
        assert "LOOKUP" in world.asked(lambda: exists("a")) and not world.run(lambda: exists("a"))
        assert "LOOKUP" not in world.asked(lambda: exists("there"))


def test_bytes_that_became_old_while_others_were_fetched_are_fetched_again() -> None:
    """A READ of one page tells that somebody wrote: the page that was known is forgotten, and is no page of zeros."""
    with mounted() as world:
        pages = b"a" * 4096 + b"b" * 4096
        world.elsewhere(lambda: put(f"{M}/a", bytes(8192)))

        def overwrite() -> None:
            with open(f"{M}/a", "r+b", buffering=0) as file:
                os.pwrite(file.fileno(), pages[4096:], 4096)

        def read_beside() -> bytes:
            with open(f"{M}/a", "r+b", buffering=0) as file:
                os.pwrite(file.fileno(), pages[:4096], 0)
                os.fsync(file.fileno())
                world.kernel.join(world.kernel.spawn(overwrite, location=world.there))
                return os.pread(file.fileno(), 8192, 0)

        assert world.run(read_beside) == pages
