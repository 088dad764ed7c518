"""What the server answers, case by case: the table measured on nfs-ganesha over ext4, and what the RFC says beyond it."""

from __future__ import annotations

import itertools

import pytest

from storcert.simulators.nfs.protocol import (
    RESULTS,
    Access,
    CreateMode,
    FileType,
    Procedure,
    SetAttributes,
    Stable,
)
from tests.simulators.nfs.nfs_world import NfsWorld

V1, V2 = b"\0\0\0\1\0\0\0\2", b"\1\2\3\4\5\6\7\x08"


@pytest.fixture
def world() -> NfsWorld:
    return NfsWorld()


def test_create_modes(world: NfsWorld) -> None:
    root = world.root
    assert world.status("CREATE", root, b"f", CreateMode.GUARDED) == "OK"
    assert world.status("CREATE", root, b"f", CreateMode.GUARDED) == "EXIST"
    assert world.status("CREATE", root, b"f", CreateMode.UNCHECKED) == "OK"
    assert world.status("MKDIR", root, b"f") == "EXIST"


def test_an_exclusive_create_may_be_repeated_even_after_a_restart(world: NfsWorld) -> None:
    first = world.do("CREATE", world.root, b"f", CreateMode.EXCLUSIVE, SetAttributes(), V1)
    assert first.result.attributes.mode == 0o600
    world.server.restart(world.now_ns)
    again = world.do("CREATE", world.root, b"f", CreateMode.EXCLUSIVE, SetAttributes(), V1)
    assert again.status.name == "NFS3_OK"
    assert again.result.handle == first.result.handle
    assert world.status("CREATE", world.root, b"f", CreateMode.EXCLUSIVE, SetAttributes(), V2) == "EXIST"


def test_unchecked_create_cuts_but_sets_nothing_else(world: NfsWorld) -> None:
    file = world.file(b"f", b"hello")
    world.do("CREATE", world.root, b"f", CreateMode.UNCHECKED, SetAttributes(mode=0o777))
    assert world.contents(file) == b"hello"
    assert world.do("GETATTR", file).result.attributes.mode == 0o600
    world.do("CREATE", world.root, b"f", CreateMode.UNCHECKED, SetAttributes(size_bytes=0))
    assert world.contents(file) == b""


def test_missing_names_and_wrong_parents(world: NfsWorld) -> None:
    file = world.file(b"f")
    assert world.status("LOOKUP", world.root, b"x") == "NOENT"
    assert world.status("REMOVE", world.root, b"x") == "NOENT"
    for name in ("LOOKUP", "REMOVE", "RMDIR", "CREATE", "MKDIR"):
        assert world.status(name, file, b"x") == "NOTDIR", name


def test_removing_the_wrong_kind(world: NfsWorld) -> None:
    folder = world.folder(b"d")
    world.file(b"f", directory=folder)
    assert world.status("RMDIR", world.root, b"d") == "NOTEMPTY"
    assert world.status("RMDIR", folder, b"f") == "NOTDIR"
    assert world.status("REMOVE", world.root, b"d") == "ISDIR"


def test_rename_by_kinds(world: NfsWorld) -> None:
    root = world.root
    world.file(b"f")
    world.file(b"g")
    full = world.folder(b"full")
    world.folder(b"empty")
    world.folder(b"sub", full)
    assert world.status("RENAME", root, b"f", root, b"empty") == "ISDIR"
    assert world.status("RENAME", root, b"empty", root, b"f") == "NOTDIR"
    assert world.status("RENAME", root, b"empty", root, b"full") == "NOTEMPTY"
    assert world.status("RENAME", root, b"full", full, b"x") == "INVAL"
    assert world.status("RENAME", root, b"f", root, b"f") == "OK"
    assert world.status("RENAME", root, b"f", root, b"g") == "OK"
    assert world.status("RENAME", root, b"full", root, b"empty") == "OK"
    assert [entry.name for entry in world.export.census()] == ["empty", "empty/sub", "g"]


def test_a_directory_moved_keeps_its_parent_true(world: NfsWorld) -> None:
    above, moved = world.folder(b"above"), world.folder(b"d")
    assert world.do("GETATTR", world.root).result.attributes.nlink == 4
    assert world.status("RENAME", world.root, b"d", above, b"e") == "OK"
    assert world.do("GETATTR", world.root).result.attributes.nlink == 3
    assert world.do("LOOKUP", moved, b"..").result.handle == above
    assert world.do("LOOKUP", world.root, b"..").result.handle == world.root


def test_rename_onto_another_name_of_the_same_file_does_nothing(world: NfsWorld) -> None:
    file = world.file(b"f", b"x")
    assert world.status("LINK", file, world.root, b"g") == "OK"
    assert world.status("RENAME", world.root, b"f", world.root, b"g") == "OK"
    assert world.there(b"f")
    assert world.do("GETATTR", file).result.attributes.nlink == 2


@pytest.mark.parametrize(
    ("name", "make", "lookup"),
    [
        (b"n" * 255, "OK", "OK"), (b"n" * 256, "NAMETOOLONG", "NAMETOOLONG"), (b"", "INVAL", "NOENT"), (b".", "ISDIR", "OK"),
        (b"..", "ISDIR", "OK"), (b"a/b", "NOENT", "NOENT"), (b"\xff\xfe", "OK", "OK"),
    ],
)  # fmt: skip
def test_names(world: NfsWorld, name: bytes, make: str, lookup: str) -> None:
    assert world.status("CREATE", world.root, name) == make
    assert world.status("LOOKUP", world.root, name) == lookup
    assert world.status("MKDIR", world.root, name) == ("EXIST" if make in ("ISDIR", "OK") else make)


def test_a_removed_file_is_stale_at_once(world: NfsWorld) -> None:
    file, other = world.file(b"f", b"x"), world.file(b"g")
    assert world.status("REMOVE", world.root, b"f") == "OK"
    for name, more in (("GETATTR", ()), ("READ", (0, 9)), ("WRITE", (0, b"x")), ("COMMIT", ())):
        assert world.status(name, file, *more) == "STALE", name
    world.file(b"h")
    assert world.status("RENAME", world.root, b"h", world.root, b"g") == "OK"
    assert world.status("GETATTR", other) == "STALE"


def test_the_number_of_a_removed_file_is_used_again_and_its_handle_is_not(world: NfsWorld) -> None:
    old = world.file(b"f", b"old")
    number = world.do("GETATTR", old).result.attributes.fileid
    world.do("REMOVE", world.root, b"f")
    new = world.file(b"f", b"new")
    assert world.do("GETATTR", new).result.attributes.fileid == number
    assert new != old
    assert world.status("GETATTR", old) == "STALE"
    assert world.contents(new) == b"new"


def test_a_file_with_two_names_lives_until_both_are_gone(world: NfsWorld) -> None:
    file = world.file(b"f", b"x")
    assert world.status("LINK", file, world.root, b"g") == "OK"
    assert world.status("LINK", file, world.root, b"g") == "EXIST"
    world.do("REMOVE", world.root, b"f")
    assert world.contents(file) == b"x"
    world.do("REMOVE", world.root, b"g")
    assert world.status("GETATTR", file) == "STALE"


def test_reads_at_the_end(world: NfsWorld) -> None:
    file = world.file(b"f", b"hello")
    assert (world.do("READ", file, 0, 5).result.data, world.do("READ", file, 0, 5).result.eof) == (b"hello", True)
    assert (world.do("READ", file, 1, 2).result.data, world.do("READ", file, 1, 2).result.eof) == (b"el", False)
    for offset in (5, 1 << 40):
        reply = world.do("READ", file, offset, 10)
        assert (reply.status.name, reply.result.data, reply.result.eof) == ("NFS3_OK", b"", True)


def test_holes_read_as_zeros(world: NfsWorld) -> None:
    file = world.file(b"f")
    world.do("WRITE", file, 10_000, b"end")
    assert world.contents(file) == bytes(10_000) + b"end"
    assert world.do("GETATTR", file).result.attributes.used_bytes == 4096
    world.do("SETATTR", file, SetAttributes(size_bytes=5))
    assert world.contents(file) == bytes(5)


@pytest.mark.parametrize("offset", [1 << 45, (1 << 63) - 5])
def test_a_write_too_far_out(world: NfsWorld, offset: int) -> None:
    assert world.status("WRITE", world.file(b"f"), offset, b"x") == "FBIG"


def test_a_terabyte_of_nothing_takes_no_space(world: NfsWorld) -> None:
    file = world.file(b"f")
    assert world.status("SETATTR", file, SetAttributes(size_bytes=1 << 40)) == "OK"
    attributes = world.do("GETATTR", file).result.attributes
    assert (attributes.size_bytes, attributes.used_bytes) == (1 << 40, 0)


def test_handles_that_are_none(world: NfsWorld) -> None:
    assert world.status("GETATTR", b"") == "BADHANDLE"
    assert world.status("GETATTR", bytes(20)) == "BADHANDLE"
    assert world.status("GETATTR", world.root[:-1]) == "BADHANDLE"


def test_guarded_setattr(world: NfsWorld) -> None:
    file = world.file(b"f")
    ctime_ns = world.do("GETATTR", file).result.attributes.ctime_ns
    assert world.status("SETATTR", file, SetAttributes(mode=0o600), ctime_ns - 1) == "NOT_SYNC"
    assert world.status("SETATTR", file, SetAttributes(mode=0o600), ctime_ns) == "OK"
    assert world.status("SETATTR", file, SetAttributes(mode=0o640), ctime_ns) == "NOT_SYNC", "the first one changed it"


def test_rights(world: NfsWorld) -> None:
    file = world.file(b"f", b"x")
    world.do("SETATTR", file, SetAttributes(mode=0o600))
    assert world.status("READ", file, 0, 1, uid=1000) == "ACCES"
    assert world.status("WRITE", file, 0, b"y", uid=1000) == "ACCES"
    assert world.status("SETATTR", file, SetAttributes(uid=1000), uid=1000) == "PERM"
    assert world.status("SETATTR", file, SetAttributes(mode=0o777), uid=1000) == "PERM"


def test_the_owner_reads_and_writes_whatever_the_mode(world: NfsWorld) -> None:
    """A client asks for rights at open only. [RFC 1813 4.4]"""
    file = world.file(b"f", b"x")
    world.do("SETATTR", file, SetAttributes(mode=0o000, uid=1000))
    assert world.status("READ", file, 0, 1, uid=1000) == "OK"
    assert world.status("WRITE", file, 0, b"y", uid=1000) == "OK"
    assert world.do("ACCESS", file, 0x3F, uid=1000).result.access == 0


def test_a_sticky_directory_keeps_what_others_own(world: NfsWorld) -> None:
    folder = world.folder(b"d")
    world.do("SETATTR", folder, SetAttributes(mode=0o1777))
    world.file(b"f", directory=folder)
    assert world.status("REMOVE", folder, b"f", uid=1000) == "PERM"
    assert world.status("CREATE", folder, b"own", uid=1000) == "OK"
    assert world.status("REMOVE", folder, b"own", uid=1000) == "OK"


def test_root_squash_and_read_only() -> None:
    squash = NfsWorld(root_squash=True)
    assert squash.do("CREATE", squash.root, b"f").result.attributes.uid == 65534
    squash.server.fs.tree.set_rights(squash.server.fs.tree.root, 0o755)
    assert squash.status("CREATE", squash.root, b"g") == "ACCES"
    closed = NfsWorld(read_only=True)
    for name, more in (("CREATE", (b"f",)), ("MKDIR", (b"f",)), ("REMOVE", (b"f",)), ("RMDIR", (b"f",))):
        assert closed.status(name, closed.root, *more) == "ROFS", name
    assert closed.status("READDIR", closed.root) == "OK"
    assert closed.do("ACCESS", closed.root, 0x3F).result.access == Access.READ | Access.LOOKUP


def test_write_stability(world: NfsWorld) -> None:
    file = world.file(b"f")
    told = [world.do("WRITE", file, 0, b"x", how).result for how in Stable]
    assert [one.committed for one in told] == [Stable.UNSTABLE, Stable.FILE_SYNC, Stable.FILE_SYNC]
    assert len({one.verifier for one in told} | {world.do("COMMIT", file).result.verifier}) == 1


def test_battery_backed_memory_commits_at_once() -> None:
    world = NfsWorld(unstable_writes=False)
    file = world.file(b"f")
    assert world.do("WRITE", file, 0, b"x").result.committed is Stable.FILE_SYNC
    world.server.restart(world.now_ns)
    assert world.contents(file) == b"x"


def test_wcc_data_tell_of_the_change(world: NfsWorld) -> None:
    file = world.file(b"f", b"abc")
    wcc = world.do("WRITE", file, 3, b"def").result.wcc
    assert (wcc.before.size_bytes, wcc.after.size_bytes) == (3, 6)
    assert wcc.before.mtime_ns < wcc.after.mtime_ns
    refused = world.do("CREATE", world.root, b"f", CreateMode.GUARDED).result.directory
    assert refused.before.mtime_ns == refused.after.mtime_ns


def test_links_and_nodes(world: NfsWorld) -> None:
    link = world.do("SYMLINK", world.root, b"l", b"over/there").result
    assert (link.attributes.type, link.attributes.size_bytes) == (FileType.LNK, 10)
    assert world.do("READLINK", link.handle).result.target == b"over/there"
    assert world.status("READLINK", world.root) == "INVAL"
    assert world.status("MKNOD", world.root, b"p", FileType.FIFO) == "OK"
    assert world.status("MKNOD", world.root, b"q", FileType.REG) == "BADTYPE"
    assert world.status("MKNOD", world.root, b"q", FileType.CHR, SetAttributes(), (1, 3), uid=7) == "PERM"
    assert {entry.kind for entry in world.export.census()} == {"symlink", "special"}


def test_a_server_that_does_not_tell_case() -> None:
    world = NfsWorld(case_sensitive=False)
    world.file(b"Name", b"x")
    assert world.there(b"nAME")
    assert world.status("CREATE", world.root, b"NAME", CreateMode.GUARDED) == "EXIST"
    assert world.status("REMOVE", world.root, b"name") == "OK"
    assert not world.there(b"Name")
    assert world.do("PATHCONF", world.root).result.case_insensitive


def test_every_failed_answer_is_of_its_class(world: NfsWorld) -> None:
    """Whatever is asked about a handle that is none, the result has the class that a client expects."""
    bad = b"bad"
    asked = {
        "GETATTR": (bad,), "SETATTR": (bad, SetAttributes()), "LOOKUP": (bad, b"x"), "ACCESS": (bad, 1), "READLINK": (bad,),
        "READ": (bad, 0, 1), "WRITE": (bad, 0, b"x"), "CREATE": (bad, b"x"), "MKDIR": (bad, b"x"),
        "SYMLINK": (bad, b"x", b"y"), "MKNOD": (bad, b"x", FileType.FIFO), "REMOVE": (bad, b"x"), "RMDIR": (bad, b"x"),
        "RENAME": (bad, b"x", bad, b"y"), "LINK": (bad, bad, b"x"), "READDIR": (bad,), "READDIRPLUS": (bad,),
        "FSSTAT": (bad,), "FSINFO": (bad,), "PATHCONF": (bad,), "COMMIT": (bad,),
    }  # fmt: skip
    assert set(asked) | {"NULL"} == {str(procedure) for procedure in Procedure}
    for name, arguments in asked.items():
        reply = world.do(name, *arguments)
        assert reply.status.name == "NFS3ERR_BADHANDLE", name
        assert type(reply.result) is RESULTS[Procedure(name)], name


def test_listing_page_by_page(world: NfsWorld) -> None:
    names = {b"name-%03d" % number for number in range(100)}
    for name in sorted(names):
        world.file(name)
    for procedure, count in itertools.product(("READDIR", "READDIRPLUS"), (600, 2000)):
        seen: list[bytes] = []
        cookie, pages = 0, 0
        while True:
            page = world.do(procedure, world.root, cookie, bytes(8), count).result
            seen += [entry.name for entry in page.entries]
            pages += 1
            if page.eof:
                break
            cookie = page.entries[-1].cookie
        assert sorted(seen) == sorted({*names, b".", b".."})
        assert pages > 1
    assert world.status("READDIR", world.root, 0, bytes(8), 110) == "TOOSMALL"


def test_a_listing_is_not_shaken_by_changes_beside_it(world: NfsWorld) -> None:
    """What is there all the time is seen exactly once, whatever comes and goes between two pages."""
    for number in range(50):
        world.file(b"stays-%d" % number)
        world.file(b"goes-%d" % number)
    seen: list[bytes] = []
    cookie, number = 0, 0
    while True:
        page = world.do("READDIR", world.root, cookie, bytes(8), 400).result
        seen += [entry.name for entry in page.entries if entry.name.startswith(b"stays")]
        if page.eof:
            break
        cookie = page.entries[-1].cookie
        if number < 50:
            world.do("REMOVE", world.root, b"goes-%d" % number)
            world.file(b"comes-%d" % number)
            number += 1
    assert sorted(seen) == sorted(b"stays-%d" % number for number in range(50))


def test_a_server_whose_cookies_do_not_outlive_a_change() -> None:
    world = NfsWorld(strict_cookies=True)
    for number in range(40):
        world.file(b"name-%02d" % number)
    page = world.do("READDIR", world.root, 0, bytes(8), 600).result
    at = (world.root, page.entries[-1].cookie)
    assert world.status("READDIR", *at, page.cookie_verifier, 600) == "OK"
    assert world.status("READDIR", *at, bytes(8), 600) == "BAD_COOKIE"
    world.file(b"new")
    assert world.status("READDIR", *at, page.cookie_verifier, 600) == "BAD_COOKIE"
    assert world.status("READDIR", world.root, 0, bytes(8), 600) == "OK", "from the start there is nothing to verify"


def test_reading_notes_the_time_once_a_change_or_a_day(world: NfsWorld) -> None:
    """``relatime``: otherwise every read would be a write."""
    file = world.file(b"f", b"x")

    def atime_ns() -> int:
        world.do("READ", file, 0, 1)
        return int(world.do("GETATTR", file).result.attributes.atime_ns)

    first = atime_ns()
    assert atime_ns() == first
    world.do("WRITE", file, 0, b"y")
    second = atime_ns()
    assert second > first
    world.now_ns += 24 * 3600 * 10**9
    assert atime_ns() > second
