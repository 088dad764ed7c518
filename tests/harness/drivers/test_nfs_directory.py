"""The path driver on a plain directory of this machine: what it keeps there, what it asks of the mount, and broken links."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)
from storcert.harness.drivers.nfs import NfsDriver
from storcert.harness.drivers.nfs_errors import is_ambiguous, typed

A = DataObjectUri.parse("/volume/1/a")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storcert.harness.drivers.nfs_mount.time.sleep", lambda seconds: None)


@pytest.fixture
def driver(tmp_path: Path) -> NfsDriver:
    return NfsDriver({"mount": str(tmp_path), "plain_directory": True})


def write(driver: NfsDriver, uri: DataObjectUri, data: bytes) -> None:
    with driver.open_output(uri) as stream:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


def read(driver: NfsDriver, uri: DataObjectUri) -> bytes:
    with driver.open_input(uri) as stream:
        return b"".join(iter(stream.read, b""))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def fails(code: int, times: int, real: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    """``real``, whose first ``times`` calls fail, before or after the effect."""
    left = [times]

    def call(*args: Any, **kwargs: Any) -> Any:
        if left[0]:
            left[0] -= 1
            if after:
                real(*args, **kwargs)
            raise OSError(code, os.strerror(code))
        return real(*args, **kwargs)

    return call


def test_one_file_for_one_object_and_nothing_else(driver: NfsDriver, tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    write(driver, A, data)
    assert files(tmp_path) == ["objects/volume,1,a.obj"]
    assert read(driver, A) == data
    driver.delete(A)
    assert files(tmp_path) == []


def test_a_created_object_takes_no_room(driver: NfsDriver, tmp_path: Path) -> None:
    driver.create(A, 1 << 30)
    found = (tmp_path / "objects/volume,1,a.obj").stat()
    assert (found.st_size, found.st_blocks) == (1 << 30, 0)


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({}, "needs the configuration key mount"), ({"mount": "relative"}, "absolute path"), ({"mount": 5}, "must be str"),
        ({"mount": "/x", "plain_directory": "yes"}, "must be bool"), ({"mount": "/x", "moun": ""}, "no configuration key moun"),
        ({"mount": "/x", "max_object_size_bytes": -1}, "must not be negative"), ({"mount": "/x\0"}, "absolute path"),
        ("mount", "is a mapping"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_named(configuration: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        NfsDriver(configuration)


@pytest.mark.parametrize("call", ["create", "open_output", "describe", "delete", "open_input", "list"])
def test_a_directory_that_is_not_mounted_is_no_device(tmp_path: Path, call: str) -> None:
    driver = NfsDriver({"mount": str(tmp_path)})
    calls: dict[str, Callable[[], Any]] = {
        "create": lambda: driver.create(A, 1), "open_output": lambda: driver.open_output(A), "delete": lambda: driver.delete(A),
        "describe": lambda: driver.describe(A), "open_input": lambda: driver.open_input(A),
        "list": lambda: list(driver.list_objects()),
    }  # fmt: skip
    for folder in (False, True):
        if folder:
            (tmp_path / "objects").mkdir()
            (tmp_path / "pending").mkdir()
        with pytest.raises(DeviceUnavailable, match="nothing is mounted") as caught:
            calls[call]()
        assert caught.value.outcome is Outcome.NOT_DONE
    assert files(tmp_path) == []


def test_a_mount_point_that_is_not_there_is_no_device(tmp_path: Path) -> None:
    driver = NfsDriver({"mount": str(tmp_path / "none"), "plain_directory": True})
    with pytest.raises(DeviceUnavailable, match="no mount point"):
        driver.create(A, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("code", [errno.EIO, errno.ETIMEDOUT, errno.ESTALE, errno.EEXIST])
def test_a_link_that_failed_once_is_settled(
    driver: NfsDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, after: bool
) -> None:
    monkeypatch.setattr(os, "link", fails(code, 1, os.link, after=after))
    write(driver, A, b"x")
    assert files(tmp_path) == ["objects/volume,1,a.obj"]
    assert read(driver, A) == b"x"


@pytest.mark.parametrize(
    ("code", "error", "outcome"),
    [
        (errno.EIO, DeviceUnavailable, Outcome.UNKNOWN),  # it may have been there, and somebody who saw it deleted it
        (errno.EACCES, PermissionDenied, Outcome.NOT_DONE),
        (errno.EOPNOTSUPP, DeviceUnavailable, Outcome.NOT_DONE),
    ],
)
def test_a_link_that_never_works_leaves_nothing(
    driver: NfsDriver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    error: type[StorageError],
    outcome: Outcome,
) -> None:
    monkeypatch.setattr(os, "link", fails(code, 99, os.link))
    with pytest.raises(error) as caught:
        write(driver, A, b"x")
    assert caught.value.outcome is outcome
    assert files(tmp_path) == []


def test_an_unlink_without_an_answer_is_not_repeated_over_a_new_object(
    driver: NfsDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(driver, A, b"old")
    unlink, lost = os.unlink, []

    def unlink_and_lose(name: str, **options: int) -> None:
        unlink(name, **options)
        if not lost and name.endswith(".obj"):
            lost.append(name)
            write(driver, A, b"made anew")
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "unlink", unlink_and_lose)
    try:
        driver.delete(A)
    except DeviceUnavailable as unsure:  # the new file may have the number of the old one: then nobody can tell
        assert unsure.outcome is Outcome.UNKNOWN
    assert lost and driver.open_input(A).read(100) == b"made anew"


def test_where_nobody_can_look_the_outcome_is_unknown(
    driver: NfsDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = driver.open_output(A)
    stream.write(b"x")
    real_open = os.open

    def link(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(os, "open", fails(errno.EIO, 99, real_open))
        raise OSError(errno.EIO, "lost")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(DeviceUnavailable) as caught:
        stream.commit()
    assert caught.value.outcome is Outcome.UNKNOWN
    monkeypatch.undo()
    driver.delete(A)
    assert files(tmp_path) == [], "delete finds what could not be removed"


@pytest.mark.parametrize("name", ["fsync", "close", "pwrite"])
@pytest.mark.parametrize(
    ("code", "error"),
    [(errno.ENOSPC, CapacityExceeded), (errno.EDQUOT, CapacityExceeded), (errno.EIO, DeviceUnavailable)],
)
def test_a_late_error_is_never_passed_over(
    driver: NfsDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int, error: type[StorageError]
) -> None:
    write(driver, DataObjectUri.parse("/volume/1/first"), b"x")
    stream = driver.open_output(A)
    stream.write(b"x" * 100)
    real = getattr(os, name)
    calls = [0]

    def late(descriptor: int, *rest: Any) -> Any:
        # Only of the file that is written: folders are opened and closed, too.
        regular = os.path.isfile(f"/proc/self/fd/{descriptor}")
        answer = real(descriptor, *rest)
        if regular and not calls[0]:
            calls[0] += 1
            raise OSError(code, os.strerror(code))
        return answer

    monkeypatch.setattr(os, name, late)
    with pytest.raises(error) as caught:
        stream.commit()
    assert (calls[0], caught.value.outcome) == (1, Outcome.NOT_DONE)
    monkeypatch.undo()
    assert files(tmp_path) == ["objects/volume,1,first.obj"]


def test_whoever_finds_the_name_taken_says_so_and_leaves_it(driver: NfsDriver, tmp_path: Path) -> None:
    one, other = driver.open_output(A), driver.open_output(A)
    one.write(b"one")
    other.write(b"other")
    one.commit()
    with pytest.raises(ObjectExists):
        other.commit()
    assert (read(driver, A), files(tmp_path)) == (b"one", ["objects/volume,1,a.obj"])


def test_a_symbolic_link_in_the_folder_leads_nowhere(driver: NfsDriver, tmp_path: Path) -> None:
    driver.create(DataObjectUri.parse("/volume/1/b"), 1)
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "objects/volume,1,a.obj").symlink_to(tmp_path / "secret")
    with pytest.raises(DeviceUnavailable):
        driver.open_input(A)
    driver.delete(A)
    assert (tmp_path / "secret").exists()


def test_foreign_files_are_not_listed(driver: NfsDriver, tmp_path: Path) -> None:
    driver.create(A, 1)
    for name in (".nfs000000000000000300000001", "README", "volume,1,B.obj"):
        (tmp_path / "objects" / name).write_bytes(b"")
    assert list(driver.list_objects()) == [A]


def test_a_volume_is_written_in_place(driver: NfsDriver) -> None:
    driver.create(A, 10)
    with driver.open_volume(A) as volume:
        assert volume.pwrite(3, b"abc") == 3
        assert volume.pread(2, 5) == b"\0abc\0"
        volume.flush()
        for call in (lambda: volume.pwrite(8, b"xyz"), lambda: volume.pread(11, 0), lambda: volume.pread(-1, 1)):
            with pytest.raises(InvalidRequest):
                call()
    volume.close()
    with pytest.raises(InvalidRequest):
        volume.flush()
    assert read(driver, A) == b"\0\0\0abc\0\0\0\0"
    with pytest.raises(InvalidRequest):
        driver.open_volume(DataObjectUri.parse("/iso/1/a"))
    with pytest.raises(ObjectNotFound):
        driver.open_volume(DataObjectUri.parse("/volume/1/b"))


def test_after_a_flush_that_failed_no_flush_succeeds(driver: NfsDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.create(A, 10)
    volume = driver.open_volume(A)
    volume.pwrite(0, b"x")
    monkeypatch.setattr(os, "fsync", fails(errno.ENOSPC, 1, os.fsync))
    with pytest.raises(CapacityExceeded) as caught:
        volume.flush()
    assert caught.value.outcome is Outcome.UNKNOWN
    for call in (volume.flush, lambda: volume.pwrite(0, b"x")):
        with pytest.raises(DeviceUnavailable, match="were lost"):
            call()
    volume.close()


@pytest.mark.parametrize(
    ("code", "error", "ambiguous"),
    [
        (errno.ENOSPC, CapacityExceeded, False), (errno.EDQUOT, CapacityExceeded, False),
        (errno.EROFS, PermissionDenied, False),
        (errno.ENAMETOOLONG, InvalidRequest, False), (errno.EBUSY, ObjectInUse, False),
        (errno.ESTALE, DeviceUnavailable, False),
        (errno.EIO, DeviceUnavailable, True), (errno.ETIMEDOUT, DeviceUnavailable, True), (521, DeviceUnavailable, True),
    ],
)  # fmt: skip
def test_error_numbers(code: int, error: type[StorageError], ambiguous: bool) -> None:
    raised = OSError(code, os.strerror(code), "/a/secret/path")
    made = typed(raised, A, "doing")
    assert type(made) is error
    assert is_ambiguous(raised) == ambiguous
    assert "secret" not in str(made)
