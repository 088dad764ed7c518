"""The mount of nfs-ganesha in user space: an ordinary file system, and no word of safety for bytes that a server forgot."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storcert.conformance.live_targets import ganesha_mount
from storcert.conformance.live_targets.ganesha_mount import GaneshaMount

pytestmark = pytest.mark.live
PIECES = 5 * 64 * 1024 + 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GaneshaMount]:
    if lacking := ganesha_mount.missing():
        pytest.skip(lacking)
    made = ganesha_mount.server(tmp_path_factory.mktemp("ganesha") / "target")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def folder(server: GaneshaMount, request: pytest.FixtureRequest) -> Path:
    found = server.mount_point / request.node.name
    found.mkdir()
    return found


def test_names_bytes_and_sizes(folder: Path) -> None:
    data = os.urandom(PIECES)
    (folder / "a").write_bytes(data)
    assert (folder / "a").read_bytes() == data and (folder / "a").stat().st_size == PIECES
    os.link(folder / "a", folder / "b")
    with pytest.raises(FileExistsError):
        os.link(folder / "a", folder / "b")
    os.rename(folder / "a", folder / "c")
    os.truncate(folder / "c", 10)
    assert sorted(os.listdir(folder)) == ["b", "c"] and (folder / "b").read_bytes() == data[:10]
    with pytest.raises(FileExistsError):
        os.open(folder / "c", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    with pytest.raises(OSError, match="not empty"):
        folder.rmdir()


def test_a_listing_of_more_than_one_answer(folder: Path) -> None:
    names = {f"{number:04}-{'x' * 100}" for number in range(600)}
    for name in sorted(names):
        (folder / name).touch()
    assert set(os.listdir(folder)) == names


def test_who_reads_on_has_what_was_deleted(folder: Path) -> None:
    (folder / "a").write_bytes(b"kept")
    with (folder / "a").open("rb", buffering=0) as reader:
        (folder / "a").unlink()
        assert not (folder / "a").exists()
        assert reader.read() == b"kept"


def test_a_server_that_forgot_is_told_at_fsync(server: GaneshaMount, folder: Path) -> None:
    descriptor = os.open(folder / "a", os.O_CREAT | os.O_WRONLY)
    try:
        os.write(descriptor, b"x")
        server.restart()
        with pytest.raises(OSError) as caught:
            os.fsync(descriptor)
        assert caught.value.errno == errno.EIO
    finally:
        with pytest.raises(OSError, match="Input/output error"):
            os.close(descriptor)
    (folder / "b").write_bytes(b"there again")
    assert (folder / "b").read_bytes() == b"there again"
