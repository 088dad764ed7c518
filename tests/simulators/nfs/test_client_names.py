"""Names on an NFS mount: silly renames, what a dead client leaves, and the everyday tools of Python."""

from __future__ import annotations

import errno
import glob
import os
import pathlib
import shutil
import tempfile
from typing import Any

import pytest

from storcert.harness.record.fault import Fault
from storcert.simulators.device import NotModelled
from tests.simulators.nfs.mounted_world import M, MountedWorld, get, mounted, put


def silly(world: MountedWorld) -> list[str]:
    return [name for name in world.held() if name.startswith("silly")]


def test_a_file_removed_while_open_here_is_renamed_until_it_is_closed() -> None:
    with mounted() as world:

        def remove_open() -> bytes:
            put(f"{M}/a", b"x" * 200_000)
            with open(f"{M}/a", "rb", buffering=0) as file:
                os.unlink(f"{M}/a")
                assert silly(world) == ["silly .nfs000000000000000300000001"]
                assert not os.path.exists(f"{M}/a")
                assert os.listdir(M) == [".nfs000000000000000300000001"]
                return os.pread(file.fileno(), 10, 190_000)

        assert world.run(remove_open) == b"x" * 10
        assert world.held() == []


def test_a_file_replaced_while_open_here_is_renamed_too() -> None:
    with mounted() as world:

        def replace_open() -> tuple[bytes, bytes]:
            put(f"{M}/a", b"old")
            put(f"{M}/b", b"new")
            with open(f"{M}/a", "rb", buffering=0) as file:
                os.replace(f"{M}/b", f"{M}/a")
                assert len(silly(world)) == 1
                return file.read(), get(f"{M}/a")

        assert world.run(replace_open) == (b"old", b"new")
        assert world.held() == ["file a"]


def test_only_the_name_it_was_opened_by_is_given_up() -> None:
    with mounted() as world:

        def remove_other() -> None:
            put(f"{M}/a", b"x")
            os.link(f"{M}/a", f"{M}/b")
            with open(f"{M}/a", "rb"):
                os.unlink(f"{M}/b")
                assert world.held() == ["file a"]

        world.run(remove_other)


def test_a_client_that_dies_leaves_the_silly_name() -> None:
    with mounted() as world:

        def remove_and_die() -> None:
            put(f"{M}/a", b"x")
            descriptor = os.open(f"{M}/a", os.O_RDONLY)
            os.unlink(f"{M}/a")
            assert descriptor
            world.here.crash()

        world.kernel.run_until_done(world.kernel.spawn(remove_and_die, location=world.here))
        assert world.export.census() == (), "nobody is there who could remove it"
        world.pass_seconds(1000)
        assert len(silly(world)) == 1


def test_a_silly_name_that_could_not_be_removed_is_nobody_s() -> None:
    with mounted() as world:

        def remove() -> None:
            put(f"{M}/a", b"x")
            descriptor = os.open(f"{M}/a", os.O_RDONLY)
            os.unlink(f"{M}/a")
            assert [entry.kind for entry in world.export.census()] == ["silly"], "it is open here"
            world.export.arm([Fault("jukebox", "REMOVE", count=0)])
            os.close(descriptor)

        world.run(remove)
        assert len(silly(world)) == 1 and world.export.census() == ()


def test_a_file_that_python_collects_is_let_go_of() -> None:
    with mounted() as world:

        def drop() -> list[str]:
            put(f"{M}/a", b"x")
            file: Any = open(f"{M}/a", "rb", buffering=0)  # noqa: SIM115
            os.unlink(f"{M}/a")
            assert len(silly(world)) == 1
            del file
            assert len(silly(world)) == 1, "nothing is sent at the moment of collection"
            return os.listdir(M)

        assert world.run(drop) == []
        assert world.held() == []


def test_a_dropped_file_does_not_make_its_removal_a_silly_one() -> None:
    with mounted() as world:

        def drop() -> None:
            put(f"{M}/a", b"x")
            buffered: Any = open(f"{M}/a", "rb")  # noqa: SIM115
            buffered.read()
            del buffered
            os.unlink(f"{M}/a")

        assert "RENAME" not in world.asked(drop)


def test_closing_while_the_silly_rename_is_under_way_leaves_nothing() -> None:
    with mounted() as world:
        for delay_us in range(0, 600, 50):
            world.run(lambda: put(f"{M}/a", b"x"))

            def hold(delay_ns: int) -> None:
                with open(f"{M}/a", "rb"):
                    world.kernel.sleep_ns(10**9 + delay_ns)

            def remove() -> None:
                world.kernel.sleep_ns(10**9)
                os.unlink(f"{M}/a")

            tasks = [
                world.kernel.spawn(lambda d=delay_us * 1000: hold(d), location=world.here),
                world.kernel.spawn(remove, location=world.here),
            ]
            world.kernel.run_until_done(*tasks)
            world.run(lambda: os.listdir(M))
            assert world.held() == [], delay_us


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda: os.mkdir(f"{M}/d"), errno.EEXIST),
        (lambda: os.rmdir(f"{M}/d"), errno.ENOTEMPTY),
        (lambda: os.rmdir(f"{M}/d/f"), errno.ENOTDIR),
        (lambda: os.unlink(f"{M}/d"), errno.EISDIR),
        (lambda: os.unlink(f"{M}/nothing"), errno.ENOENT),
        (lambda: os.listdir(f"{M}/d/f"), errno.ENOTDIR),
        (lambda: os.stat(f"{M}/d/f/g"), errno.ENOTDIR),
        (lambda: os.open(f"{M}/d", os.O_WRONLY), errno.EISDIR),
        (lambda: os.open(f"{M}/d/f", os.O_RDONLY | os.O_DIRECTORY), errno.ENOTDIR),
        (lambda: os.open(f"{M}/d/l", os.O_RDONLY | os.O_NOFOLLOW), errno.ELOOP),
        (lambda: os.open(f"{M}/d/f", os.O_WRONLY | os.O_CREAT | os.O_EXCL), errno.EEXIST),
        (lambda: os.open(f"{M}/{'x' * 256}", os.O_WRONLY | os.O_CREAT), errno.ENAMETOOLONG),
        (lambda: os.link(f"{M}/d/f", f"{M}/d/l"), errno.EEXIST),
        (lambda: os.link(f"{M}/d", f"{M}/e"), errno.EPERM),
        (lambda: os.rename(f"{M}/d", f"{M}/d/e"), errno.EINVAL),
        (lambda: os.rename(f"{M}/d/f", f"{M}/d"), errno.ENOTEMPTY),
        (lambda: os.readlink(f"{M}/d/f"), errno.EINVAL),
        (lambda: os.rename(f"{M}/d/f", "/f"), errno.EXDEV),
        (lambda: os.truncate(f"{M}/d/f", 1 << 60), errno.EFBIG),
        (lambda: os.getxattr(f"{M}/d/f", "user.x"), errno.ENODATA),
    ],
)
def test_refusals(body: Any, code: int) -> None:
    with mounted() as world:

        def make() -> None:
            os.mkdir(f"{M}/d")
            put(f"{M}/d/f", b"x")
            os.symlink("f", f"{M}/d/l")

        world.run(make)
        with pytest.raises(OSError, match="Errno") as caught:
            world.elsewhere(body)
        assert caught.value.errno == code


def test_the_everyday_tools_of_python() -> None:
    with mounted() as world:

        def use() -> dict[str, Any]:
            top = pathlib.Path(M)
            (top / "a/b").mkdir(parents=True)
            (top / "a/text").write_text("grün\n", encoding="utf-8")
            (top / "a/b/data").write_bytes(b"\0" * 70_000)
            shutil.copytree(top / "a", top / "copy")
            shutil.copyfile(top / "a/text", top / "text")
            shutil.copy2(top / "a/b/data", top / "data")
            shutil.move(str(top / "text"), str(top / "moved"))
            with tempfile.NamedTemporaryFile(dir=M, suffix=".tmp") as file:
                file.write(b"x")
                file.flush()
                there = len(glob.glob(f"{M}/*.tmp"))
            with tempfile.TemporaryDirectory(dir=M) as folder:
                put(f"{folder}/x", b"y")
            descriptor, name = tempfile.mkstemp(dir=M)
            os.close(descriptor)
            os.unlink(name)
            found = {
                "walk": [(where.removeprefix(M), sorted(files)) for where, _, files in sorted(os.walk(M))],
                "scandir": sorted((one.name, one.is_dir(), one.stat().st_size) for one in os.scandir(f"{M}/copy")),
                "glob": sorted(str(path.relative_to(top)) for path in top.glob("**/data")),
                "text": (top / "copy/text").read_text(encoding="utf-8"),
                "temporary": there,
                "free": shutil.disk_usage(M).free > 0,
                "mounted": os.path.ismount(M),
                "same": os.path.samefile(f"{M}/data", top / "data"),
                "lines": list(open(f"{M}/a/text", encoding="utf-8")),  # noqa: SIM115
            }
            shutil.rmtree(top / "copy")
            found["left"] = sorted(path.name for path in top.iterdir())
            return found

        found = world.run(use)
        assert found == {
            "walk": [
                ("", ["data", "moved"]), ("/a", ["text"]), ("/a/b", ["data"]), ("/copy", ["text"]), ("/copy/b", ["data"]),
            ],
            "scandir": [("b", True, 4096), ("text", False, 6)],
            "glob": ["a/b/data", "copy/b/data", "data"],
            "text": "grün\n", "temporary": 1, "free": True, "mounted": True, "same": True, "lines": ["grün\n"],
            "left": ["a", "data", "moved"],
        }  # fmt: skip
        assert not world.here.findings


@pytest.mark.parametrize("mode", ["r", "w", "x", "a", "r+", "w+", "a+", "rb", "wb", "ab", "r+b"])
def test_every_mode_of_open(mode: str) -> None:
    with mounted() as world:

        def use() -> bytes:
            if "x" not in mode:
                put(f"{M}/a", b"one")
            with open(f"{M}/a", mode) as file:
                if "r" in mode or "+" in mode:
                    file.read()
                if "r" not in mode or "+" in mode:
                    file.write(b"two" if "b" in mode else "two")
            return get(f"{M}/a")

        due = b"two" if mode[0] in "wx" else b"onetwo" if mode[0] == "a" or "+" in mode else b"one"
        assert world.run(use) == due
        assert world.elsewhere(lambda: get(f"{M}/a")) == due


def test_owners_modes_and_times() -> None:
    with mounted() as world:

        def change() -> None:
            put(f"{M}/a", b"x")
            os.chmod(f"{M}/a", 0o640)
            os.chown(f"{M}/a", 5, 6)
            os.utime(f"{M}/a", ns=(1_000_000_000, 2_000_000_001))

        world.run(change)
        status = world.elsewhere(lambda: os.stat(f"{M}/a"))
        assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o640, 5, 6)
        assert (status.st_atime_ns, status.st_mtime_ns, status.st_nlink) == (1_000_000_000, 2_000_000_001, 1)


def test_what_is_not_modelled_says_so() -> None:
    import fcntl

    with mounted() as world:

        def lock() -> None:
            with open(f"{M}/a", "wb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)

        with pytest.raises(NotModelled, match="locks"):
            world.run(lock)
        with pytest.raises(NotModelled, match="O_DIRECT"):
            world.run(lambda: os.open(f"{M}/a", os.O_RDONLY | os.O_DIRECT))
        assert [finding.kind for finding in world.here.findings] == ["not-modelled", "not-modelled"]


def test_two_locations_make_one_name_and_one_wins() -> None:
    with mounted() as world:

        def make() -> bool:
            try:
                os.close(os.open(f"{M}/a", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return False
            return True

        tasks = [world.kernel.spawn(make, location=place) for place in (world.here, world.there, world.here)]
        assert world.kernel.run_until_done(*tasks)
        assert sorted(task.result for task in tasks) == [False, False, True]


def test_a_long_directory_is_listed_page_by_page() -> None:
    with mounted(page_size=7) as world:

        def make() -> None:
            for number in range(40):
                put(f"{M}/n{number:02}", b"")

        world.run(make)
        asked = world.asked(lambda: os.listdir(M), world.there)
        assert asked.count("READDIR") == 6
        assert sorted(world.elsewhere(lambda: os.listdir(M))) == [f"n{number:02}" for number in range(40)]
        assert "READDIR" not in world.asked(lambda: os.listdir(M), world.there), "it has not changed"
