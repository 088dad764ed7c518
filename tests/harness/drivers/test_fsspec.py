"""The fsspec driver on the file systems every installation has: memory and a folder."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    SizeMismatch,
    Unsupported,
)
from storcert.harness.drivers import fsspec as adapter
from storcert.harness.drivers.fsspec import FsspecDriver

A = DataObjectUri(ObjectKind.VOLUME, "1", "a")


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    yield
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.fixture(params=["memory", "file"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> FsspecDriver:
    return FsspecDriver({} if request.param == "memory" else {"protocol": "file", "root": str(tmp_path)})


def uri(object_id: str, account: str = "1") -> DataObjectUri:
    return DataObjectUri(ObjectKind.VOLUME, account, object_id)


def put(driver: FsspecDriver, name: DataObjectUri, data: bytes, size: int | None = None) -> None:
    with driver.open_output(name, size) as stream:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


def get(driver: FsspecDriver, name: DataObjectUri, *extent: Any) -> bytes:
    with driver.open_input(name, *extent) as stream:
        return b"".join(iter(stream.read, b""))


@pytest.mark.parametrize("size", [0, 1, 1000, 300_000])
def test_bytes_come_back(driver: FsspecDriver, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    put(driver, A, data, size)
    assert get(driver, A) == data
    assert get(driver, A, 10, 20) == data[10:30]
    assert get(driver, A, size + 5) == b""
    assert driver.describe(A).size_bytes == size
    driver.create(uri("zeros"), size)
    driver.create(uri("zeros"), size)
    assert get(driver, uri("zeros")) == bytes(size)


def test_nothing_is_visible_before_commit_nor_after_an_abort(driver: FsspecDriver) -> None:
    stream = driver.open_output(A)
    stream.write(b"x")
    with pytest.raises(ObjectNotFound):
        driver.describe(A)
    stream.abort()
    stream.close()
    with pytest.raises(KeyError), driver.open_output(A) as stream:
        stream.write(b"x")
        raise KeyError
    stream = driver.open_output(A, 3)
    stream.write(b"x")
    with pytest.raises(SizeMismatch):
        stream.commit()
    with pytest.raises(InvalidRequest):
        stream.write(b"x")
    assert list(driver.list_objects()) == []


def test_names_and_listing(driver: FsspecDriver) -> None:
    names = [uri("a"), uri("A"), uri("a/b"), uri("..."), uri("caf\u00e9"), uri("cafe\u0301"), uri("*?[x]"), uri("a", "~")]
    for index, name in enumerate(names):
        put(driver, name, str(index).encode())
    assert sorted(map(str, driver.list_objects())) == sorted(map(str, names))
    for index, name in enumerate(names):
        assert get(driver, name) == str(index).encode()
        driver.delete(name)
        driver.delete(name)
    assert list(driver.list_objects()) == []
    with pytest.raises(InvalidRequest):
        driver.describe(uri("x" * 86))


def test_refusals(driver: FsspecDriver) -> None:
    put(driver, A, b"x")
    with pytest.raises(ObjectExists):
        driver.open_output(A)
    with pytest.raises(ObjectExists):
        driver.create(A, 2)
    with pytest.raises(Unsupported):
        driver.copy(A, uri("b"))
    calls: list[Callable[[], Any]] = [
        lambda: driver.open_input(uri("absent")),
        lambda: driver.open_input(uri("absent"), 0, 0),
        lambda: driver.describe(uri("absent")),
    ]
    for call in calls:
        with pytest.raises(ObjectNotFound):
            call()
    refused: list[list[Any]] = [[-1], [0, -1], ["x"]]
    for extent in refused:
        with pytest.raises(InvalidRequest):
            driver.open_input(A, *extent)


def test_an_absent_folder_is_an_absent_mount(tmp_path: Path) -> None:
    driver = FsspecDriver({"protocol": "file", "root": str(tmp_path / "absent")})
    calls: list[Callable[[], Any]] = [
        lambda: driver.create(A, 1), lambda: driver.delete(A), lambda: driver.describe(A), lambda: driver.open_input(A),
        lambda: driver.open_output(A), lambda: list(driver.list_objects()),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(DeviceUnavailable) as caught:
            call()
        assert caught.value.outcome is Outcome.NOT_DONE
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_configuration_is_one_clear_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    for configuration in ({"protocol": "no-such-protocol"}, {"protocol": 3}, {"root": None}):
        with pytest.raises(InvalidRequest):
            FsspecDriver(configuration)
    monkeypatch.setattr(adapter, "library", types.ModuleType("fsspec"))
    with pytest.raises(InvalidRequest, match="is not the library"):
        FsspecDriver({})
    monkeypatch.setattr(adapter, "library", None)
    with pytest.raises(InvalidRequest, match="fsspec"):
        FsspecDriver({})


def test_the_library_is_judged_and_not_repaired() -> None:
    """Of two writers to one name in memory both succeed: the library's exclusive mode is checked at open only."""
    driver = FsspecDriver({})
    first, second = driver.open_output(A), driver.open_output(A)
    first.write(b"first")
    second.write(b"second")
    first.commit()
    second.commit()
    assert get(driver, A) == b"second"
