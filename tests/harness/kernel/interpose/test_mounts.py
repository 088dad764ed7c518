"""A declared mount is an ordinary file system through ``os``, ``open``, ``pathlib``, ``shutil``, ``tempfile``: no finding."""

# ruff: noqa: SIM115  # what is opened here is meant to fail, or to be dropped

from __future__ import annotations

import glob
import io
import os
import pathlib
import shutil
import stat
import tempfile
from typing import Any

import pytest

from storcert.harness.kernel.interpose import declare_mount, remove_mount
from storcert.harness.kernel.interpose.namespace import FIRST_DESCRIPTOR

MOUNT = "/mnt/storcert"


@pytest.fixture
def mounted(world: Any) -> Any:
    declare_mount(world.here, MOUNT)
    yield world
    assert world.here.findings == []
    assert not os.path.exists(MOUNT)


def test_write_read_and_stat(mounted: Any) -> None:
    def act() -> None:
        with open(f"{MOUNT}/a", "wb") as file:
            assert file.fileno() >= FIRST_DESCRIPTOR
            file.write(b"hello")
            file.flush()
            os.fsync(file.fileno())
        status = os.stat(f"{MOUNT}/a")
        assert type(status) is os.stat_result
        assert (status.st_size, stat.S_IMODE(status.st_mode), status.st_mtime) == (5, 0o644, 1_700_000_000)
        with open(f"{MOUNT}/a", "r+b") as file:
            file.seek(2)
            file.write(b"LL")
            assert file.seek(0) == 0
            assert file.read() == b"heLLo"
            file.truncate(3)
        with open(f"{MOUNT}/a", "a") as text:
            assert text.tell() == 3
            text.write("ä\n")
        assert pathlib.Path(MOUNT, "a").read_text("utf-8") == "heLä\n"
        with pytest.raises(FileExistsError):
            open(f"{MOUNT}/a", "x")
        with pytest.raises(IsADirectoryError):
            open(MOUNT)
        with open(f"{MOUNT}/a") as text, pytest.raises(io.UnsupportedOperation):
            text.write("x")

    mounted.run(act)


def test_descriptors(mounted: Any) -> None:
    def act() -> None:
        descriptor = os.open(f"{MOUNT}/d", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        assert os.write(descriptor, b"0123456789") == 10
        assert os.lseek(descriptor, 2, os.SEEK_SET) == 2
        assert os.read(descriptor, 3) == b"234"
        assert os.pread(descriptor, 2, 8) == b"89"
        assert os.pwrite(descriptor, b"xy", 0) == 2
        os.ftruncate(descriptor, 4)
        copy = os.dup(descriptor)
        os.close(descriptor)
        assert os.fstat(copy).st_size == 4
        assert os.lseek(copy, 0, os.SEEK_CUR) == 5
        os.unlink(f"{MOUNT}/d")
        assert os.pread(copy, 10, 0) == b"xy23"
        os.close(copy)
        with pytest.raises(OSError) as caught:
            os.read(copy, 1)
        assert caught.value.errno == 9

    mounted.run(act)


def test_names(mounted: Any) -> None:
    def act() -> None:
        os.makedirs(f"{MOUNT}/x/y", exist_ok=True)
        os.makedirs(f"{MOUNT}/x/y", exist_ok=True)
        pathlib.Path(f"{MOUNT}/x/y/one").write_bytes(b"1")
        os.link(f"{MOUNT}/x/y/one", f"{MOUNT}/x/two")
        assert os.stat(f"{MOUNT}/x/two").st_nlink == 2
        os.symlink("y/one", f"{MOUNT}/x/three")
        assert os.readlink(f"{MOUNT}/x/three") == "y/one"
        assert open(f"{MOUNT}/x/three").read() == "1"
        with pytest.raises(FileExistsError) as caught:
            os.link(f"{MOUNT}/x/y/one", f"{MOUNT}/x/two")
        assert caught.value.filename == f"{MOUNT}/x/y/one"
        os.rename(f"{MOUNT}/x/two", f"{MOUNT}/four")
        assert sorted(os.listdir(MOUNT)) == ["four", "x"]
        assert [top for top, _, _ in os.walk(MOUNT)] == [MOUNT, f"{MOUNT}/x", f"{MOUNT}/x/y"]
        assert [(entry.name, entry.path, entry.is_dir()) for entry in os.scandir(f"{MOUNT}/x")] == [
            ("three", f"{MOUNT}/x/three", False), ("y", f"{MOUNT}/x/y", True),
        ]
        assert glob.glob(f"{MOUNT}/**/o*", recursive=True) == [f"{MOUNT}/x/y/one"]
        assert sorted(map(str, pathlib.Path(MOUNT).rglob("*"))) == [
            f"{MOUNT}/four", f"{MOUNT}/x", f"{MOUNT}/x/three", f"{MOUNT}/x/y", f"{MOUNT}/x/y/one",
        ]
        with pytest.raises(OSError) as not_empty:
            os.rmdir(f"{MOUNT}/x")
        assert not_empty.value.errno == 39
        with pytest.raises(FileNotFoundError) as absent:
            os.rename(f"{MOUNT}/gone", f"{MOUNT}/g2")
        assert (absent.value.filename, absent.value.filename2) == (f"{MOUNT}/gone", f"{MOUNT}/g2")
        shutil.copyfile(f"{MOUNT}/four", f"{MOUNT}/five")
        os.unlink(f"{MOUNT}/x/three")  # copytree looks for its target in the working directory
        shutil.copytree(f"{MOUNT}/x", f"{MOUNT}/z")
        shutil.rmtree(f"{MOUNT}/x")
        assert sorted(os.listdir(MOUNT)) == ["five", "four", "z"]
        os.chmod(f"{MOUNT}/five", 0o600)
        os.utime(f"{MOUNT}/five", (5, 6))
        assert (os.stat(f"{MOUNT}/five").st_mode & 0o777, os.path.getmtime(f"{MOUNT}/five")) == (0o600, 6)
        assert os.statvfs(MOUNT).f_bavail > 0
        assert os.path.ismount(MOUNT)
        assert not os.path.ismount(f"{MOUNT}/z")

    mounted.run(act)


def test_working_directory_and_relative_names(mounted: Any) -> None:
    real = os.getcwd()

    def act() -> None:
        assert os.getcwd() == "/"
        os.chdir(MOUNT)
        assert os.getcwd() == MOUNT
        pathlib.Path("here").write_text("1")
        assert os.path.abspath("here") == f"{MOUNT}/here"
        descriptor = os.open(MOUNT, os.O_RDONLY | os.O_DIRECTORY)
        assert os.stat("here", dir_fd=descriptor).st_size == 1
        assert os.listdir(descriptor) == ["here"]
        os.unlink("here", dir_fd=descriptor)
        os.fsync(descriptor)
        os.close(descriptor)
        assert os.listdir(MOUNT) == []

    mounted.run(act)
    assert os.getcwd() == real


def test_temporary_files_on_the_mount(mounted: Any) -> None:
    def act() -> None:
        with tempfile.NamedTemporaryFile(dir=MOUNT) as file:
            file.write(b"x")
            file.flush()
            assert os.path.getsize(file.name) == 1
        with tempfile.TemporaryFile(dir=MOUNT) as file:
            file.write(b"x")
        with tempfile.TemporaryDirectory(dir=MOUNT) as folder:
            pathlib.Path(folder, "x").touch()
        assert os.listdir(MOUNT) == []

    mounted.run(act)


def test_outside_the_mount_is_still_a_finding(world: Any) -> None:
    declare_mount(world.here, MOUNT)

    def act() -> None:
        assert os.listdir("/") == ["mnt"]
        pathlib.Path(f"{MOUNT}/a").write_text("1")
        with pytest.raises(OSError) as caught:
            os.rename(f"{MOUNT}/a", "/tmp/a")
        assert caught.value.errno == 18
        with pytest.raises(OSError):
            open(f"{MOUNT}/../escaped", "w")
        with pytest.raises(OSError):
            open(f"{MOUNT}2/escaped", "w")

    world.run(act)
    assert [message for message, _, _ in world.found()] == [
        "os.listdir('/')", f"os.rename('{MOUNT}/a', '/tmp/a')", f"open('{MOUNT}/../escaped', 'w')",
        f"open('{MOUNT}2/escaped', 'w')",
    ]


def test_a_file_system_shared_by_two_locations(world: Any) -> None:
    there = world.kernel.location("host2")
    shared = declare_mount(world.here, MOUNT).filesystem
    declare_mount(there, "/srv/nfs", shared, read_only=False)
    world.run(lambda: pathlib.Path(f"{MOUNT}/a").write_text("shared"))
    assert world.run(lambda: pathlib.Path("/srv/nfs/a").read_text(), location=there) == "shared"


def test_pyfakefs_file_system_and_read_only(world: Any) -> None:
    from pyfakefs.fake_filesystem import FakeFilesystem

    fake = FakeFilesystem(path_separator="/")
    fake.create_file("/export", contents="x")
    declare_mount(world.here, MOUNT, fake, read_only=True)
    assert world.run(lambda: open(f"{MOUNT}/export").read()) == "x"
    with pytest.raises(OSError) as caught:
        world.run(open, f"{MOUNT}/export", "w")
    assert caught.value.errno == 30
    assert world.here.findings == []


def test_unmounted_is_gone(world: Any) -> None:
    declare_mount(world.here, MOUNT)
    remove_mount(world.here, MOUNT)
    with pytest.raises(ValueError):
        remove_mount(world.here, MOUNT)

    def look() -> list[Any]:
        with pytest.raises(FileNotFoundError):
            open(f"{MOUNT}/a")
        return [os.path.ismount(MOUNT), os.listdir(MOUNT), os.path.exists(f"{MOUNT}/a")]

    assert world.run(look) == [False, [], False]
    assert world.here.findings == []  # how else would a driver know that its mount is absent
    with pytest.raises(OSError) as caught:
        world.run(lambda: open(f"{MOUNT}/a", "w"))
    assert caught.value.errno == 30
    assert [message for message, _, _ in world.found()] == [f"open('{MOUNT}/a', 'w')"]


def test_a_restart_is_a_new_process(mounted: Any) -> None:
    def open_one() -> int:
        os.chdir(MOUNT)
        os.umask(0o077)
        return os.open("left", os.O_WRONLY | os.O_CREAT)

    descriptor = mounted.run(open_one)
    mounted.here.crash()
    mounted.here.restart()

    def after() -> None:
        assert os.getcwd() == "/"
        assert os.umask(0) == 0o022
        with pytest.raises(OSError):
            os.fstat(descriptor)
        assert os.listdir(MOUNT) == ["left"]

    mounted.run(after)


def test_many_small_writes_do_not_copy_the_file(mounted: Any) -> None:
    def act() -> int:
        with open(f"{MOUNT}/big", "wb", buffering=0) as file:
            for _ in range(2_000):
                file.write(bytes(65_536))
        return os.path.getsize(f"{MOUNT}/big")

    assert mounted.run(act) == 2_000 * 65_536
