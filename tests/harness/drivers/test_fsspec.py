"""The fsspec driver's own, in memory and in a folder; what it shares with other libraries is in ``test_library_drivers``."""

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


def test_nothing_is_visible_before_commit(driver: FsspecDriver) -> None:
    stream = driver.open_output(A)
    stream.write(b"x")
    with pytest.raises(ObjectNotFound):
        driver.describe(A)
    stream.abort()


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
    for configuration in (
        {"protocol": "no-such-protocol"}, {"protocol": 3}, {"root": None}, {"whole": "yes"}, {"protocol": "s3", "bucket": 3},
    ):  # fmt: skip
        with pytest.raises(InvalidRequest):
            FsspecDriver(configuration)
    monkeypatch.setattr(adapter, "library", types.ModuleType("fsspec"))
    with pytest.raises(InvalidRequest, match="is not the library"):
        FsspecDriver({})
    monkeypatch.setattr(adapter, "library", None)
    with pytest.raises(InvalidRequest, match="fsspec"):
        FsspecDriver({})


def test_whole_objects_are_created_and_never_replaced_and_a_reader_has_its_own() -> None:
    driver = FsspecDriver({"whole": True})
    first, second = driver.open_output(A), driver.open_output(A)
    first.write(b"first")
    second.write(b"second")
    first.commit()
    with pytest.raises(ObjectExists):
        second.commit()
    with driver.open_input(A) as one, driver.open_input(A, 1, 2) as two:
        driver.delete(A)
        assert (one.read(2), two.read(), one.read()) == (b"fi", b"ir", b"rst")


def test_s3_is_told_its_bucket_as_an_object_store_hands_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(adapter.library, "filesystem", lambda protocol, **options: made.append((protocol, options)))
    given = {"endpoint_url": "http://s3", "bucket": "b", "prefix": "p/", "region_name": "r"}
    assert FsspecDriver({"protocol": "s3", **given})._root == "b/p"
    options = {"skip_instance_cache": True, "use_listings_cache": False, "endpoint_url": "http://s3"}
    assert made == [("s3", {**options, "client_kwargs": {"region_name": "r"}})]


def test_the_library_is_judged_and_not_repaired() -> None:
    """Of two writers to one name in memory both succeed: the library's exclusive mode is checked at open only."""
    driver = FsspecDriver({})
    first, second = driver.open_output(A), driver.open_output(A)
    first.write(b"first")
    second.write(b"second")
    first.commit()
    second.commit()
    with driver.open_input(A) as stream:
        assert stream.read() == b"second"
