"""The drivers on other people's libraries, on what every installation has: memory, a folder, moto."""

from __future__ import annotations

import errno
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
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
from storcert.harness.drivers.fsspec import FsspecDriver
from storcert.harness.drivers.library_driver import LibraryDriver
from storcert.harness.drivers.obstore_store import ObstoreDriver
from storcert.harness.drivers.opendal_operator import OpendalDriver
from storcert.harness.drivers.pyarrow_fs import PyarrowDriver
from storcert.harness.drivers.smart_open_file import SmartOpenFileDriver
from storcert.harness.drivers.smart_open_s3 import SmartOpenDriver
from tests.harness.drivers.ideal_arrow import OBJECTS, IdealArrowDriver

MODULES = ("obstore_store", "opendal_operator", "pyarrow_fs", "smart_open_file", "smart_open_s3")
FOLDERS: dict[str, tuple[type[LibraryDriver], str]] = {
    "obstore": (ObstoreDriver, "local"), "opendal": (OpendalDriver, "fs"), "pyarrow": (PyarrowDriver, "local"),
    "smart_open": (SmartOpenFileDriver, "file"),
}  # fmt: skip
KEYS: dict[str, Any] = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}


def uri(object_id: str, account: str = "1") -> DataObjectUri:
    return DataObjectUri(ObjectKind.VOLUME, account, object_id)


A = uri("a")


@pytest.fixture
def bucket() -> Iterator[dict[str, Any]]:
    with moto.mock_aws():
        client: Any = boto3.client("s3", region_name="us-east-1", **KEYS)
        client.create_bucket(Bucket="bucket")
        yield {"bucket": "bucket", "prefix": "pre/", **KEYS}


def in_folder(name: str, root: Path) -> LibraryDriver:
    cls, backend = FOLDERS[name]
    make: Any = cls
    driver: LibraryDriver = make({"backend": backend, "root": str(root)})
    return driver


PLACES = [
    "fsspec in memory", "fsspec as a whole", "obstore in memory", "opendal in memory", "ideal arrow", "smart_open on moto",
    "fsspec in files", *(f"{one} in a folder" for one in FOLDERS),
]  # fmt: skip


@pytest.fixture(params=PLACES)
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    library, _, place = request.param.partition(" ")
    if library == "fsspec":
        options: dict[str, Any] = {"in memory": {}, "as a whole": {"whole": True}, "in files": {"protocol": "file"}}[place]
        yield FsspecDriver({"root": str(tmp_path), **options})
    elif place == "in a folder":
        yield in_folder(library, tmp_path)
    elif place == "on moto":
        yield SmartOpenDriver(request.getfixturevalue("bucket"))
    elif library == "ideal":
        yield IdealArrowDriver({"bucket": "bucket", "endpoint_url": "http://ideal"})
        OBJECTS.clear()
    else:
        yield {"obstore": ObstoreDriver, "opendal": OpendalDriver}[library]({"root": str(tmp_path)})


def put(driver: Any, name: DataObjectUri, data: bytes, size: int | None = None) -> None:
    with driver.open_output(name, size) as stream:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


def get(driver: Any, name: DataObjectUri, *extent: Any) -> bytes:
    with driver.open_input(name, *extent) as stream:
        return b"".join(iter(stream.read, b""))


@pytest.mark.parametrize("size", [0, 1, 1000, 300_000])
def test_bytes_come_back(driver: Any, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    put(driver, A, data, size)
    assert get(driver, A) == data
    assert get(driver, A, 10, 20) == data[10:30]
    assert get(driver, A, size + 5) == b""
    assert driver.describe(A).size_bytes == size
    for _ in range(2):
        driver.create(uri("zeros"), size)
    assert get(driver, uri("zeros")) == bytes(size)


def test_nothing_stays_after_an_abort(driver: Any) -> None:
    stream = driver.open_output(A)
    stream.write(b"x")
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


def test_names_and_listing(driver: Any) -> None:
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


def test_refusals(driver: Any) -> None:
    put(driver, A, b"x")
    with pytest.raises(ObjectExists):
        driver.open_output(A)
    with pytest.raises(ObjectExists):
        driver.create(A, 2)
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
    if not driver.capabilities().on_device_copy:
        with pytest.raises(Unsupported):
            driver.copy(A, uri("b"))
        return
    driver.copy(A, uri("b"))
    assert get(driver, uri("b")) == b"x"
    for source, destination, error in ((A, A, ObjectExists), (A, uri("b"), ObjectExists), (uri("c"), A, ObjectNotFound)):
        with pytest.raises(error):
            driver.copy(source, destination)


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_an_absent_folder_is_an_absent_mount(name: str, tmp_path: Path) -> None:
    driver = in_folder(name, tmp_path / "absent")
    calls: list[Callable[[], Any]] = [
        lambda: driver.create(A, 1), lambda: driver.delete(A), lambda: driver.describe(A), lambda: driver.open_input(A),
        lambda: driver.open_output(A), lambda: list(driver.list_objects()),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(DeviceUnavailable) as caught:
            call()
        assert caught.value.outcome is Outcome.NOT_DONE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_wrong_configuration_is_one_clear_refusal(name: str) -> None:
    cls: Any = FOLDERS[name][0]
    wrong: list[dict[str, Any]] = [{"backend": "tape"}, {"root": 3}, {"rooot": "x"}, {"backend": FOLDERS[name][1], "root": ""}]
    for configuration in wrong:
        with pytest.raises(InvalidRequest, match="configuration key"):
            cls(configuration)


@pytest.mark.parametrize("name", MODULES)
def test_a_library_that_is_not_installed_is_told_with_the_extra_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"storcert.harness.drivers.{name}")
    monkeypatch.setattr(module, "library", None)
    mine = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    cls: Any = next(one for one in mine if issubclass(one, LibraryDriver))
    extra = name.rpartition("_")[0]
    with pytest.raises(InvalidRequest, match=rf"pip install 'storcert\[{extra}\]'"):
        cls({"bucket": "bucket"})


def test_opendal_keeps_its_names_short_enough_for_an_atomic_write(tmp_path: Path) -> None:
    driver = in_folder("opendal", tmp_path)
    longest = driver.capabilities().max_name_bytes or 0
    name = uri("\u00e9" * (longest // 2))
    put(driver, name, b"x")
    assert get(driver, name) == b"x"


def test_the_library_is_judged_and_not_repaired(tmp_path: Path) -> None:
    """Of two exclusive writers of one large file through OpenDAL both succeed."""
    driver = in_folder("opendal", tmp_path)
    first, second = driver.open_output(A), driver.open_output(A)
    for stream, letter in ((first, b"1"), (second, b"2")):
        stream.write(letter * 300_000)
    first.commit()
    second.commit()
    assert get(driver, A, 0, 1) == b"2"


def test_a_folder_that_cannot_be_read_is_no_empty_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driver = in_folder("smart_open", tmp_path)
    put(driver, A, b"x")

    def refuse(*arguments: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(DeviceUnavailable):
        list(driver.list_objects())


def test_a_file_that_somebody_removed_is_given_up_without_an_error(tmp_path: Path) -> None:
    driver = in_folder("smart_open", tmp_path)
    stream = driver.open_output(A)
    driver.delete(A)
    stream.abort()


@pytest.mark.parametrize("backend", ["memory", "fs"])
def test_a_reader_of_opendal_has_its_object_from_the_open_on(backend: str, tmp_path: Path) -> None:
    driver = OpendalDriver({"backend": backend, "root": str(tmp_path)})
    content = bytes(range(256)) * 2000
    put(driver, A, content)
    with driver.open_input(A) as stream:
        driver.delete(A)
        put(driver, A, b"other" * 200_000)
        assert b"".join(iter(lambda: stream.read(100_000), b"")) == content


def test_arrow_leaves_nothing_beside_its_objects_on_s3() -> None:
    driver = IdealArrowDriver({"bucket": "bucket", "endpoint_url": "http://ideal"})
    put(driver, A, b"x")
    assert list(OBJECTS) == ["bucket/volume!1!a"]
    driver.delete(A)
    assert not OBJECTS
