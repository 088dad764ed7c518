"""What a mounted file system is told of its open files: who appends, who lists, who locks, and who was let go of."""

from __future__ import annotations

import fcntl
import os
from typing import Any

import pytest

from storcert.harness.kernel import Kernel
from storcert.harness.kernel.interpose import declare_mount, installed
from storcert.harness.kernel.interpose.fake_mount import FakeMount

M = "/mnt/m"


class Told(FakeMount):
    """Notes what it is told."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.heard: list[str] = []

    def release(self, handle: Any) -> None:
        self.heard.append("release")

    def forget(self, handle: Any) -> None:
        self.heard.append("forget")

    def size(self, handle: Any) -> int:
        self.heard.append("size")
        return super().size(handle)

    def entries(self, handle: Any) -> list[str]:
        self.heard.append("entries")
        return super().entries(handle)


def run(body: Any) -> tuple[Any, list[str]]:
    with installed(), Kernel(1) as kernel:
        location = kernel.location("here")
        told = Told(kernel)
        declare_mount(location, M, told)
        task = kernel.spawn(body, location=location)
        kernel.run_until_done(task)
        if task.error is not None:
            raise task.error
        return task.result, told.heard


def test_a_file_that_is_closed_is_released_once() -> None:
    def body() -> None:
        with open(f"{M}/a", "wb") as file:
            file.write(b"x")

    assert run(body)[1] == ["release"]


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_file_that_nobody_closes_is_let_go_of(buffering: int) -> None:
    def body() -> None:
        file: Any = open(f"{M}/a", "wb", buffering)  # noqa: SIM115
        del file

    assert len(run(body)[1]) == 1


def test_a_file_collected_away_from_its_location_sends_nothing() -> None:
    kept: list[Any] = []

    with installed(), Kernel(1) as kernel:
        here, there = kernel.location("here"), kernel.location("there")
        told = Told(kernel)
        declare_mount(here, M, told)
        writing = kernel.spawn(lambda: kept.append(open(f"{M}/a", "wb")), location=here)  # noqa: SIM115
        kernel.run_until_done(writing)
        kernel.run_until_done(kernel.spawn(lambda: kept[0].write(b"x"), location=here))
        kernel.run_until_done(kernel.spawn(kept.clear, location=there))
        assert told.heard == ["forget"]


def test_an_open_directory_is_listed_as_it_was_opened() -> None:
    def body() -> tuple[list[str], list[str]]:
        os.mkdir(f"{M}/d")
        os.close(os.open(f"{M}/d/a", os.O_CREAT | os.O_WRONLY))
        descriptor = os.open(f"{M}/d", os.O_RDONLY | os.O_DIRECTORY)
        try:
            return os.listdir(descriptor), [entry.name for entry in os.scandir(descriptor)]
        finally:
            os.close(descriptor)

    found, heard = run(body)
    assert found == (["a"], ["a"])
    assert heard.count("entries") == 2


def test_ends_are_asked_for_without_attributes() -> None:
    def body() -> int:
        with open(f"{M}/a", "ab", 0) as file:
            file.write(b"xyz")
            return file.seek(0, os.SEEK_END)

    found, heard = run(body)
    assert (found, set(heard)) == (3, {"size", "release"})


def test_flags_of_a_descriptor() -> None:
    def body() -> tuple[int, int, int]:
        with open(f"{M}/a", "ab") as file:
            fcntl.fcntl(file, fcntl.F_SETFD, 0)
            with pytest.raises(OSError, match="ioctl"):
                fcntl.ioctl(file, 0)
            flags = fcntl.fcntl(file, fcntl.F_GETFL)
            return flags & os.O_APPEND, flags & os.O_ACCMODE, fcntl.fcntl(file, fcntl.F_GETFD)

    assert run(body)[0] == (os.O_APPEND, os.O_WRONLY, fcntl.FD_CLOEXEC)


def test_nobody_has_locks() -> None:
    def body() -> None:
        with open(f"{M}/a", "wb") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)

    with pytest.raises(OSError, match="locks"):
        run(body)


def test_what_a_finalizer_closes_after_its_world_is_gone() -> None:
    late, _ = run(lambda: os.open(f"{M}/f", os.O_CREAT | os.O_RDWR))
    with installed():
        os.close(late)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(late)
